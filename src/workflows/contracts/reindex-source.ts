import { defineQuery, defineSignal } from "@temporalio/workflow";

export interface ReindexInput {
	readonly source: string;
	/** Carried over continue-as-new. */
	readonly warming?: Warming;
}

/** One walk over files: all of a publication, or what it added. */
export interface WarmWalk {
	/** The publication's seq. */
	readonly seq: number;
	readonly added: boolean;
}

export interface Warming {
	/** What the groups say: another one begins anew. */
	readonly recipe: string;
	/** The newest publication that is walked over. */
	readonly through: number;
	readonly walks: readonly WarmWalk[];
	/** The origin after which the first walk goes on; null: at its beginning. */
	readonly after: string | null;
	readonly round: number;
}

export interface ReindexState {
	readonly stage: "planning" | "warming" | "switching" | "done";
	/** Files of the source, and those looked at. */
	readonly filesTotal: number;
	readonly filesDone: number;
	readonly embedded: number;
	readonly reused: number;
}

export interface ReindexOutcome {
	/** `switched`: readers see what the groups say; `nothing`: they did already, or nothing is published yet. */
	readonly outcome: "switched" | "nothing";
	readonly ingestion: string | null;
	readonly snapshot: number | null;
	/** Texts embedded before the switch. */
	readonly embedded: number;
	readonly reused: number;
}

/** The groups changed: what is being done may be in vain. */
export const groupsChangedSignal = defineSignal("groupsChanged");
export const reindexStateQuery = defineQuery<ReindexState>("progress");
