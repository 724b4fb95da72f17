/** What can be done to a run. `docs`: CONTRIBUTING.md, "Crash suite". */
export const FAULT_KINDS = {
	kill: "SIGKILL to a process at a random moment",
	boundary: "SIGKILL to the worker before and after each activity, and failures for good that make it discard",
	stop: "SIGSTOP to a process, SIGCONT some seconds later",
	disk: "no room on the disk of the home or of the ledger for some seconds (Linux, root)",
	torn: "SIGKILL to the gateway, and a torn or foreign end of its ledger",
	clock: "the clock of the Node processes jumps, and comes back",
	webhooks: "webhooks that are never sent: the comparison with the repository has to find their commits",
	slow: "stores behind a proxy that delays, stalls, resets, answers 503 (servers only)",
} as const;
export type FaultKind = keyof typeof FAULT_KINDS;
export const ALL_FAULTS = Object.keys(FAULT_KINDS) as FaultKind[];

export interface CrashOptions {
	/** All that is planned follows from it and the sizes: commits, webhooks, their order, the list of faults. */
	readonly seed: number;
	readonly profile: "embedded" | "servers";
	readonly faults: readonly FaultKind[];
	readonly sources: number;
	/** Over all sources. */
	readonly commits: number;
	/** Over all commits: what is more than one a commit are repeats. */
	readonly webhooks: number;
	/** Senders at a time. */
	readonly clients: number;
	/** Mean pause between two commits. Milliseconds. */
	readonly paceMs: number;
	/** Mean pause between two faults. Milliseconds. */
	readonly everyMs: number;
	/** Faults go on at least until so many were injected, also when all is sent. */
	readonly minFaults: number;
	/** After the faults: how long nothing may come forward before what is missing counts as lost. Milliseconds. */
	readonly patienceMs: number;
	/** Keeps the home of a run that went well too. */
	readonly keep: boolean;
}

export const DEFAULTS: CrashOptions = {
	seed: 1,
	profile: "embedded",
	faults: ALL_FAULTS,
	sources: 4,
	commits: 60,
	webhooks: 600,
	clients: 20,
	paceMs: 1_000,
	everyMs: 2_500,
	minFaults: 0,
	patienceMs: 240_000,
	keep: false,
};

/** The one command that does it again. */
export function commandOf(options: CrashOptions): string {
	const { seed, profile, faults, sources, commits, webhooks, clients, paceMs, everyMs, minFaults } = options;
	const sizes = `--sources ${sources} --commits ${commits} --webhooks ${webhooks} --clients ${clients}`;
	const times = `--pace ${paceMs} --every ${everyMs} --min-faults ${minFaults}`;
	return `npm run test:crash -- --seed ${seed} --profile ${profile} --faults ${faults.join(",")} ${sizes} ${times}`;
}
