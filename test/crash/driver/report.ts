import type { Effects } from "./account.js";
import { type CrashOptions, commandOf } from "./options.js";

export interface CrashReport extends Omit<Effects, "published" | "unfinished"> {
	readonly seed: number;
	readonly profile: CrashOptions["profile"];
	readonly clock: string;
	/** Requests, and what was answered, by status; 0: nothing. */
	readonly sent: number;
	readonly answers: Readonly<Record<number, number>>;
	/** Commits that were made, and those of which no webhook told. */
	readonly made: number;
	readonly untold: number;
	/** Publications, first commits included. */
	readonly published: number;
	/** Ingestions that failed for good and were discarded, by why. */
	readonly discarded: Readonly<Record<string, number>>;
	/** `lode retry` was called so often, for what was parked last. */
	readonly retries: number;
	/** Starts of a process that a fault had ended, or that ended by itself. */
	readonly restarts: Readonly<Record<string, number>>;
	/** By name. */
	readonly faults: Readonly<Record<string, number>>;
	/** Boundaries at which a fault waited and nobody came. */
	readonly neverStruck: number;
	/** Pieces of the ledger that were set aside. */
	readonly setAside: number;
	/** Where digests differ from the undisturbed run's, what `verify` found, records of seqs that are not published, and so on. Empty is well. */
	readonly problems: readonly string[];
	readonly seconds: { readonly storm: number; readonly drain: number; readonly check: number };
}

/** For people; the last line says how it went. */
export function describe(report: CrashReport, options: CrashOptions): string {
	const counted = (counts: Readonly<Record<string, number>>) =>
		Object.entries(counts)
			.map(([name, count]) => `${name} ×${count}`)
			.join(", ");
	const { accepted, commits, effects, covered, doubled, lost, disordered, problems, seconds } = report;
	const injected = Object.values(report.faults).reduce((sum, count) => sum + count, 0);
	const lines = [
		`seed        ${report.seed}`,
		`profile     ${report.profile}; clock: ${report.clock}`,
		`webhooks    ${report.sent} sent (answers: ${counted(report.answers)}) for ${report.made} commits, ${report.untold} of them untold`,
		`accepted    ${accepted} receipts, of ${commits} commits`,
		`effects     ${effects} commits published once${covered === 0 ? "" : `, ${covered} parked by a fault and covered by a later one`}`,
		`doubled     ${doubled}`,
		`lost        ${lost}`,
		`order       ${disordered.length === 0 ? "kept in every source" : disordered.join("; ")}`,
		`published   ${report.published} in all; ${report.retries} × lode retry`,
		`discarded   ${counted(report.discarded) || "none"}`,
		`faults      ${injected}: ${counted(report.faults)}${report.neverStruck === 0 ? "" : `; ${report.neverStruck} boundaries were never come to`}`,
		`restarts    ${counted(report.restarts)}`,
		`ledger      ${report.setAside} damaged pieces set aside`,
		`seconds     ${seconds.storm} with faults, ${seconds.drain} until all was published, ${seconds.check} to check`,
	];
	if (problems.length > 0) lines.push("problems", ...problems.slice(0, 30).map((problem) => `  ${problem}`));
	lines.push(
		problems.length === 0
			? "OK: every accepted receipt has its effect once, in order; digests are those of an undisturbed run; no orphans"
			: `FAILED. Again: ${commandOf(options)}`,
	);
	return lines.join("\n");
}
