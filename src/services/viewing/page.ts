import { LodeError } from "../../domain/errors.js";

/** A part of a list. */
export interface PageRequest {
	/** The cursor of the last item that the reader has; the beginning where omitted. */
	readonly after?: string;
	/** At most this many. */
	readonly first: number;
}

export interface Page<T> {
	readonly items: readonly { readonly cursor: string; readonly item: T }[];
	/** There are items after these. */
	readonly more: boolean;
}

/** A page of what was read with one more than asked for, to know whether there is more. */
export function pageOf<T>(found: readonly T[], first: number, cursorOf: (item: T, index: number) => string): Page<T> {
	const items = found.slice(0, first).map((item, index) => ({ cursor: cursorOf(item, index), item }));
	return { items, more: found.length > first };
}

/** The number that a cursor of a numbered list is. @throws USAGE */
export function numberedCursor(after: string | undefined, highest: number): number | undefined {
	if (after === undefined) return undefined;
	const number = /^\d{1,15}$/.test(after) ? Number(after) : Number.NaN;
	if (number <= highest) return number;
	throw new LodeError("USAGE", "after: is no cursor of this list", {
		next: "Pass on a cursor as it came, or ask for something narrower where a list is this long.",
	});
}
