import { LodeError } from "../domain/errors.js";
import type { SnapshotSelector } from "../stores/catalog/catalog.port.js";

const ISO_TIME = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})?)?$/;

/** Longer numbers may be the beginning of a commit id: they are written as visibility tokens are. */
const NUMBER = /^(?:\d{1,6}|snapshot:\d{1,15})$/;

/** A snapshot's number as `parseAt` reads it. */
export const numberedAt = (number: number): string => (number < 1_000_000 ? String(number) : `snapshot:${number}`);

/**
 * What `--at` means: a snapshot number (beyond six digits, or anyway, as `snapshot:1234567`), a time (ISO 8601; a date alone is its end in UTC, a time without zone is UTC), or a
 * commit id or unique prefix of at least seven hex digits. @throws USAGE
 */
export function parseAt(at: string | undefined, source?: string): SnapshotSelector {
	if (at === undefined || at === "latest") return { by: "latest" };
	if (NUMBER.test(at)) return { by: "number", number: Number(at.replace("snapshot:", "")) };
	const time = parseTime(at, "T23:59:59.999Z");
	if (time !== undefined) return { by: "time", time };
	if (/^[0-9a-f]{7,64}$/i.test(at)) return { by: "commit", commit: at.toLowerCase(), source };
	throw new LodeError("USAGE", `${JSON.stringify(at.slice(0, 80))} is no snapshot number, time or commit`, {
		next: "give e.g. 12, 2026-01-31T12:00:00Z or at least 7 digits of a commit id",
	});
}

/** What `--since` means: a time (ISO 8601; a date alone is its beginning in UTC, a time without zone is UTC), as ISO 8601. @throws USAGE */
export function parseSince(since: string): string {
	const time = parseTime(since, "T00:00:00.000Z");
	if (time !== undefined) return time;
	throw new LodeError("USAGE", `${JSON.stringify(since.slice(0, 80))} is no time`, {
		next: "give e.g. 2026-01-31T12:00:00Z or 2026-01-31",
	});
}

/** `ofDay`: the time that a date alone means. */
function parseTime(text: string, ofDay: string): string | undefined {
	if (!ISO_TIME.test(text)) return undefined;
	const zoned = text.includes("T") ? (/(Z|[+-]\d{2}:\d{2})$/.test(text) ? text : `${text}Z`) : `${text}${ofDay}`;
	const time = new Date(zoned);
	return Number.isNaN(time.getTime()) ? undefined : time.toISOString();
}
