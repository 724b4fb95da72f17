import type { JsonObject } from "../../domain/digest.js";
import type { GroupFields } from "../../domain/group-input.js";
import type { Failure } from "../../stores/catalog/catalog.port.js";
import type { IngestProgress } from "../reports.js";

/** What a client may ask for that changes something. */
export type CommandRequest =
	| {
			readonly kind: "create-source";
			/** A path, a URL that git clones, or lakefs://REPOSITORY[/BRANCH]. */
			readonly target: string;
			/** A branch; what the target's HEAD names where omitted. */
			readonly ref?: string;
			readonly policy?: "every" | "head";
	  }
	| { readonly kind: "delete-source"; readonly source: string }
	/** A target, or a source that is there; the head of its branch where there is no `ref`. */
	| { readonly kind: "ingest"; readonly target?: string; readonly source?: string; readonly ref?: string }
	| { readonly kind: "retry"; readonly ingestion: string }
	| { readonly kind: "cancel"; readonly ingestion: string }
	| { readonly kind: "verify"; readonly source?: string; readonly at?: string }
	| { readonly kind: "collect-garbage" }
	/** `source`: an id, a unique beginning of one, or an address. */
	| ({ readonly kind: "create-group"; readonly source: string; readonly name: string } & GroupFields)
	/** `group`: its id. What is left out stays as it is. */
	| ({ readonly kind: "update-group"; readonly group: string } & GroupFields)
	| { readonly kind: "delete-group"; readonly group: string };

export type CommandKind = CommandRequest["kind"];

/** Of an ingestion, or of a re-index: their stages differ. */
export type CommandProgress = Omit<IngestProgress, "stage"> & { readonly stage: string };

/** PENDING: accepted, waits for its turn or for a worker. The others say themselves. */
export type CommandStatus = "PENDING" | "RUNNING" | "SUCCEEDED" | "FAILED" | "CANCELLED";

export interface CommandEvent {
	/** ISO 8601, UTC. */
	readonly time: string;
	readonly type: string;
	readonly data: JsonObject;
}

export interface CommandReport {
	readonly id: string;
	readonly kind: CommandKind;
	readonly status: CommandStatus;
	readonly request: JsonObject;
	/** The principal that asked for it: `local`, `key:<id>` or `token:<subject>`. */
	readonly by: string;
	readonly acceptedAt: string;
	readonly finishedAt: string | null;
	readonly source: string | null;
	readonly commit: string | null;
	/** Null until it began. */
	readonly ingestion: string | null;
	readonly progress: CommandProgress | null;
	/** Where the Temporal Web UI shows the work. */
	readonly workflowUrl: string | null;
	/** What came of it. */
	readonly result: JsonObject | null;
	readonly failure: Failure | null;
	/** A read that waits for it sees what the command did. */
	readonly visibilityToken: string;
	/** Oldest first: what happened to the command, and to its ingestion. */
	readonly history: readonly CommandEvent[];
}

export interface Submitted {
	readonly report: CommandReport;
	/** The key had been used for the same request: nothing was started. */
	readonly repeated: boolean;
}

/** Who asks, and for what exactly. */
export interface SubmitOptions {
	/** The principal; `local` where omitted. */
	readonly by?: string;
	/** The request with exact names, where its own may mean what the principal may not see: it is worked on instead. */
	readonly narrowed?: CommandRequest;
}

/** Every change that a client asks for, written down before it starts. */
export interface LodeCommands {
	/**
	 * Starts the work and returns once it cannot be lost. With a key that was used before it starts nothing and reports on the first one.
	 * @throws what the request lacks, IDEMPOTENCY_KEY_REUSED (another request has the key), TEMPORAL_UNAVAILABLE (a repeat with the key goes on)
	 */
	submit(request: CommandRequest, idempotencyKey?: string, options?: SubmitOptions): Promise<Submitted>;
	/** @throws COMMAND_NOT_FOUND */
	status(id: string): Promise<CommandReport>;
	/** Waits for its end at most this long; never ends the work. @throws COMMAND_NOT_FOUND */
	wait(id: string, timeoutMs: number): Promise<CommandReport>;
	/** Waits until readers see what a token stands for. @throws TIMEOUT, USAGE (no token), the failure of the write that it stands for */
	awaitVisible(token: string, timeoutMs: number): Promise<void>;
	close(): Promise<void>;
}

export const isEnded = ({ status }: Pick<CommandReport, "status">): boolean =>
	status === "SUCCEEDED" || status === "FAILED" || status === "CANCELLED";
