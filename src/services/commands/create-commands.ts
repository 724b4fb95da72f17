import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import pLimit from "p-limit";
import type { JsonObject } from "../../domain/digest.js";
import { ERROR_CODES, errorCode, type LodeError } from "../../domain/errors.js";
import type { Failure, Ingestion } from "../../stores/catalog/catalog.port.js";
import type { EventStore } from "../../stores/events/events.port.js";
import { fromWorkflowError } from "../ingestion/workflow-errors.js";
import type { IngestProgress } from "../reports.js";
import { awaitVisibility } from "./await-visibility.js";
import type {
	CommandProgress,
	CommandReport,
	CommandRequest,
	CommandStatus,
	LodeCommands,
	SubmitOptions,
	Submitted,
} from "./command.js";
import { CommandLog, commandId, fingerprintOf, idempotencyKeyReused, type RecordedCommand } from "./command-log.js";
import { createWork, ingestionOf, type Work, type WorkPorts } from "./command-work.js";
import { reindexOf } from "./group-work.js";
import { visibilityToken } from "./visibility.js";

export interface CommandPorts extends WorkPorts {
	readonly events: Pick<EventStore, "append" | "read" | "readAll">;
	readonly progress: (ingestion: Ingestion) => Promise<IngestProgress | undefined>;
	readonly workflowUrl: (workflowId: string, runId?: string) => Promise<string | null>;
	/** Takes known secrets out of messages that others wrote, before they are kept. */
	readonly redact: (text: string) => string;
}

/** Ends that are waited for at once, for clients that do not wait themselves. */
const FOLLOWED = 50;
const AWAY_MS = 2_000;
/** What a command has ended with a moment ago is worth a moment when its status is asked. */
const GLANCE_MS = 250;

export function createCommands(ports: CommandPorts): LodeCommands {
	const { catalog, events } = ports;
	const log = new CommandLog(events);
	const works = createWork(ports) as unknown as Record<CommandRequest["kind"], Work>;
	const following = new Map<string, Promise<RecordedCommand>>();
	const limit = pLimit(FOLLOWED);
	const closing = new AbortController();

	async function submit(
		request: CommandRequest,
		idempotencyKey?: string,
		{ by = "local", narrowed = request }: SubmitOptions = {},
	): Promise<Submitted> {
		const id = commandId(idempotencyKey ?? randomUUID(), by);
		const known = await log.find(id);
		if (known) {
			requireSame(known, request);
			return { report: await report(await started(known)), repeated: true };
		}
		const work = await works[request.kind].resolve(narrowed);
		const accepted = await log.accept(id, request, work, by);
		// Another one may have used the key in between: the first one counts.
		requireSame(accepted, request);
		return { report: await report(await started(accepted)), repeated: false };
	}

	/** Starts what was written down and not started. What it fails with for good is its outcome. */
	async function started(command: RecordedCommand): Promise<RecordedCommand> {
		if (command.outcome || command.started) {
			void follow(command);
			return command;
		}
		const work = works[command.kind];
		try {
			const ref = await work.start(command);
			if (ref === undefined) {
				return log.succeeded(command.id, await work.outcome(command, undefined), command.work);
			}
			const now = await log.started(command.id, ref, command.work);
			void follow(now);
			return now;
		} catch (error) {
			const coded = fromWorkflowError(error);
			const code = errorCode(coded);
			if (code !== undefined && code !== "INTERNAL" && ERROR_CODES[code].permanent) {
				await log.failed(command.id, failureOf(coded), command.work);
			}
			throw coded;
		}
	}

	/** Waits for the end of a command and writes it down, once in a process however many ask. */
	function follow(command: RecordedCommand): Promise<RecordedCommand> {
		if (command.outcome || !command.started) return Promise.resolve(command);
		let followed = following.get(command.id);
		if (followed === undefined) {
			followed = limit(() => outcomeOf(command)).finally(() => following.delete(command.id));
			followed.catch(() => undefined);
			following.set(command.id, followed);
		}
		return followed;
	}

	async function outcomeOf(command: RecordedCommand): Promise<RecordedCommand> {
		for (;;) {
			closing.signal.throwIfAborted();
			try {
				const result = await works[command.kind].outcome(command, command.started);
				return await log.succeeded(command.id, result, command.work);
			} catch (error) {
				const coded = fromWorkflowError(error);
				const code = errorCode(coded);
				if (code === undefined || code === "INTERNAL") throw coded;
				// That nobody answers is no outcome: the work goes on.
				if (code !== "TEMPORAL_UNAVAILABLE" && !code.startsWith("STORE_")) {
					return await log.failed(command.id, failureOf(coded), command.work);
				}
				await sleep(AWAY_MS, undefined, { signal: closing.signal, ref: false });
			}
		}
	}

	async function wait(id: string, timeoutMs: number): Promise<CommandReport> {
		const command = await started(await log.require(id));
		return report(await ended(command, timeoutMs));
	}

	/** The command when it ended, or as it is when the time is over. */
	async function ended(command: RecordedCommand, timeoutMs: number): Promise<RecordedCommand> {
		if (command.outcome) return command;
		const over = new AbortController();
		const late = sleep(timeoutMs, command, { signal: over.signal, ref: false }).catch(() => command);
		try {
			return await Promise.race([follow(command), late]);
		} finally {
			over.abort();
		}
	}

	async function report(command: RecordedCommand): Promise<CommandReport> {
		const { id, kind, request, work, by, acceptedAt, finishedAt = null, started: ref, outcome } = command;
		const result = outcome && "result" in outcome ? outcome.result : null;
		const failure = outcome && "failure" in outcome ? outcome.failure : null;
		const ingests = kind === "ingest" || kind === "retry";
		const endedWith = text(result?.ingestion);
		const ingestion = ingests && (!result || endedWith) ? await ingestionOf(catalog, command, endedWith) : undefined;
		const running = ingestion?.status === "staging" || ingestion?.status === "aborted";
		const reindexed = text(reindexOf(command, result).ingestion);
		const named = endedWith ?? reindexed ?? ingestion?.id ?? (ingests ? undefined : text(work.ingestion));
		const status: CommandStatus = result
			? "SUCCEEDED"
			: failure
				? failure.code === "CANCELLED"
					? "CANCELLED"
					: "FAILED"
				: running || (ref !== undefined && !ingests)
					? "RUNNING"
					: "PENDING";
		const shown = ingestion ? { workflowId: ingestion.workflowId, runId: ingestion.runId } : ref;
		return {
			id,
			kind,
			status,
			request,
			by,
			acceptedAt,
			finishedAt,
			source: text(work.source) ?? null,
			commit: text(work.commit) ?? null,
			ingestion: named ?? null,
			progress: (running && ingestion && (await ports.progress(ingestion))) || (await progressOf(command)),
			workflowUrl: shown ? await ports.workflowUrl(shown.workflowId, shown.runId ?? undefined) : null,
			result,
			failure,
			visibilityToken: tokenOf(command, result),
			history: await historyOf(command, named),
		};
	}

	/** Where nobody can be asked, nothing is known of it. */
	async function progressOf(command: RecordedCommand): Promise<CommandProgress | null> {
		const { kind, started: ref, outcome } = command;
		if (ref === undefined || outcome !== undefined) return null;
		return (await works[kind].progress?.(ref, command).catch(() => undefined)) ?? null;
	}

	async function historyOf(command: RecordedCommand, ingestion: string | undefined) {
		const own = command.events.map(({ time, type, data }) => ({ time, type, data: shownData(type, data) }));
		const others = ingestion === undefined ? [] : await events.read(`ingestion-${ingestion}`);
		const told = others.map(({ time, type }) => ({ time, type, data: { ingestion: ingestion as string } }));
		return [...own, ...told].sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
	}

	return {
		submit,
		async status(id) {
			const command = await log.require(id);
			const known = following.has(id);
			if (command.outcome || !command.started) return report(command);
			// Nobody of this process waits for it yet: it may have ended long ago.
			return report(await ended(command, known ? 0 : GLANCE_MS));
		},
		wait,
		awaitVisible: awaitVisibility({ catalog, events, wait }),
		async close() {
			closing.abort();
		},
	};

	function failureOf(error: Error): Failure {
		const { code, next } = error as LodeError;
		return {
			code: errorCode(error) ?? "INTERNAL",
			message: ports.redact(error.message),
			...(next !== undefined && code !== undefined && { next: ports.redact(next) }),
		};
	}
}

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

function tokenOf(command: RecordedCommand, result: JsonObject | null): string {
	if (result === null) return visibilityToken({ by: "command", id: command.id });
	const ingests = command.kind === "ingest" || command.kind === "retry";
	const snapshot = ingests ? result.snapshot : reindexOf(command, result).snapshot;
	if (typeof snapshot === "number") return visibilityToken({ by: "snapshot", number: snapshot });
	return visibilityToken({ by: "event", position: command.position ?? 0 });
}

/** What of an event of a command is for its reader: the request and the outcome stand in the report already. */
function shownData(type: string, data: JsonObject): JsonObject {
	return type === "CommandFailed" ? { failure: data.failure } : {};
}

function requireSame({ fingerprint }: RecordedCommand, request: CommandRequest): void {
	if (fingerprint === fingerprintOf(request)) return;
	throw idempotencyKeyReused();
}
