import type { SearchReplayReport } from "../services/reports.js";
import { table } from "./format.js";

const MAX_ROWS = 50;
const MAX_TEXT = 60;

const share = (value: number | null): string => (value === null ? "-" : value.toFixed(2));

/** Searches whose answers changed, most changed first, and the means. */
export function searchReplayText(report: SearchReplayReport): string {
	const changed = report.searches
		.filter(({ overlap, correlation }) => overlap < 1 || (correlation ?? 1) < 1)
		.sort((a, b) => a.overlap - b.overlap || (a.correlation ?? 1) - (b.correlation ?? 1));
	const rows = changed
		.slice(0, MAX_ROWS)
		.map(({ text, before, after, overlap, correlation, files, gained, lost }) => [
			text.slice(0, MAX_TEXT),
			`${before.snapshot} → ${after.snapshot}`,
			share(overlap),
			share(files.overlap),
			share(correlation),
			`+${gained.length} -${lost.length}`,
		]);
	const { withoutText, withoutAnswer, older } = report.leftOut;
	const lines = [
		...(rows.length > 0 ? [table(["search", "snapshot", "overlap", "files", "correlation", "hits"], rows), ""] : []),
		...(changed.length > MAX_ROWS ? [`${changed.length - MAX_ROWS} more changed: --json lists them.`] : []),
		`${report.replayed} searches since ${report.since}, ${report.changed} answered otherwise; overlap ${share(report.overlap)}, of files ` +
			`${share(report.fileOverlap)}, rank correlation ${share(report.correlation)}`,
	];
	if (withoutText > 0)
		lines.push(`${withoutText} left out: their words are not in the events (LODE_SEARCH_USER_DATA).`);
	if (withoutAnswer > 0) lines.push(`${withoutAnswer} left out: they got no answer.`);
	if (older > 0) lines.push(`${older} older ones left out: raise --limit.`);
	if (report.failed.length > 0)
		lines.push(
			`${report.failed.length} failed now: ${[...new Set(report.failed.map(({ code }) => code))].join(", ")}.`,
		);
	return lines.join("\n");
}
