import { canonicalJson, type JsonObject, sha256 } from "../../domain/digest.js";
import { LodeError } from "../../domain/errors.js";
import type { Failure } from "../../stores/catalog/catalog.port.js";
import type { EventStore, StoredEvent } from "../../stores/events/events.port.js";
import type { CommandKind, CommandRequest } from "./command.js";

/** What a started command is found again by. */
export interface WorkRef {
	readonly workflowId: string;
	readonly runId: string | null;
	readonly updateId: string | null;
}

/** A command as its events tell it. */
export interface RecordedCommand {
	readonly id: string;
	readonly kind: CommandKind;
	readonly request: JsonObject;
	/** The request, completed when it was accepted: the commit that a branch had then. A repeat works on the same. */
	readonly work: JsonObject;
	readonly fingerprint: string;
	/** The principal that asked for it: see services/security. */
	readonly by: string;
	readonly acceptedAt: string;
	readonly started?: WorkRef;
	readonly outcome?: { readonly result: JsonObject } | { readonly failure: Failure };
	readonly finishedAt?: string;
	/** Of the event that tells the outcome. */
	readonly position?: number;
	readonly events: readonly StoredEvent[];
}

/** Commands of before there were principals are its own. */
const NOBODY_ASKED = "local";

const streamOf = (id: string): string => `command-${id}`;

/** Everybody has keys of their own: the same key of two principals names two commands. */
export const commandId = (idempotencyKey: string, by: string): string =>
	`cmd-${sha256(by === NOBODY_ASKED ? idempotencyKey : canonicalJson([by, idempotencyKey])).slice(0, 32)}`;
export const idempotencyKeyReused = (): LodeError =>
	new LodeError("IDEMPOTENCY_KEY_REUSED", "the idempotency key was used for another request", {
		next: "Give each request a key of its own; repeat a request with the same key and the same content.",
	});

export const fingerprintOf = (request: CommandRequest): string => sha256(canonicalJson({ ...request }));

/**
 * Commands in the event store, a stream each. The stream's name follows from the idempotency key, and each kind of event is appended to it
 * once: whoever comes second, also from another process or after a restart, gets what the first one wrote.
 */
export class CommandLog {
	constructor(private readonly events: Pick<EventStore, "append" | "read">) {}

	async find(id: string): Promise<RecordedCommand | undefined> {
		if (!/^cmd-[0-9a-f]{32}$/.test(id)) return undefined;
		return folded(id, await this.events.read(streamOf(id)));
	}

	/** @throws COMMAND_NOT_FOUND */
	async require(id: string): Promise<RecordedCommand> {
		const found = await this.find(id);
		if (found) return found;
		throw new LodeError("COMMAND_NOT_FOUND", `there is no command ${id}`, {
			next: "Use the command_id as it was answered.",
		});
	}

	/** Returns what was accepted first under this id. */
	async accept(id: string, request: CommandRequest, work: JsonObject, by: string): Promise<RecordedCommand> {
		const { kind, ...rest } = request;
		const data = { kind, request: rest, work, fingerprint: fingerprintOf(request), by };
		return this.#append(id, "CommandAccepted", "accepted", data, work);
	}

	async started(id: string, ref: WorkRef, work: JsonObject): Promise<RecordedCommand> {
		return this.#append(id, "CommandStarted", "started", { ...ref }, work);
	}

	/** The first outcome stays. */
	async succeeded(id: string, result: JsonObject, work: JsonObject): Promise<RecordedCommand> {
		return this.#append(id, "CommandSucceeded", "outcome", { result }, work);
	}

	async failed(id: string, failure: Failure, work: JsonObject): Promise<RecordedCommand> {
		return this.#append(id, "CommandFailed", "outcome", { failure: { ...failure } }, work);
	}

	async #append(id: string, type: string, key: string, data: JsonObject, work: JsonObject): Promise<RecordedCommand> {
		const source = typeof work.source === "string" ? work.source : undefined;
		const metadata = { correlationId: id, idempotencyKey: key, ...(source !== undefined && { source }) };
		await this.events.append(streamOf(id), "any", [{ type, data, metadata }]);
		return this.require(id);
	}
}

function folded(id: string, events: readonly StoredEvent[]): RecordedCommand | undefined {
	const accepted = events.find(({ type }) => type === "CommandAccepted");
	if (!accepted) return undefined;
	const { kind, request, work, fingerprint, by = NOBODY_ASKED } = accepted.data as unknown as RecordedCommand;
	const started = events.find(({ type }) => type === "CommandStarted")?.data as WorkRef | undefined;
	const ended = events.find(({ type }) => type === "CommandSucceeded" || type === "CommandFailed");
	return {
		id,
		kind,
		request,
		work,
		fingerprint,
		by,
		acceptedAt: accepted.time,
		started,
		...(ended && {
			outcome: ended.data as unknown as NonNullable<RecordedCommand["outcome"]>,
			finishedAt: ended.time,
			position: ended.position,
		}),
		events,
	};
}
