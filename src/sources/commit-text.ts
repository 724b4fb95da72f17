/** What of a commit is kept, in characters. */
export const MAX_SUBJECT = 1_000;
export const MAX_NAME = 300;

/** Never between the halves of a surrogate pair. */
export function cut(text: string, length: number): string {
	return text.length <= length ? text : text.slice(0, length).replace(/[\ud800-\udbff]$/, "");
}

/** Forged and broken dates exist: what no date can hold becomes the epoch. `seconds`: since 1970. */
export function isoTime(seconds: number): string {
	const date = new Date(seconds * 1_000);
	return Number.isNaN(date.getTime()) ? new Date(0).toISOString() : date.toISOString();
}
