import { setTimeout as sleep } from "node:timers/promises";
import { errorCode, LodeError } from "../../domain/errors.js";
import type { Catalog } from "../../stores/catalog/catalog.port.js";
import type { EventStore } from "../../stores/events/events.port.js";
import { type CommandReport, isEnded } from "./command.js";
import { parseVisibility } from "./visibility.js";

export interface VisibilityPorts {
	readonly catalog: Pick<Catalog, "snapshot">;
	readonly events: Pick<EventStore, "readAll">;
	readonly wait: (command: string, timeoutMs: number) => Promise<CommandReport>;
}

const POLL_MS = 50;

/** Waits until readers of these ports see what a token stands for. @throws TIMEOUT, USAGE (no token), the failure of the write that it stands for */
export function awaitVisibility({ catalog, events, wait }: VisibilityPorts) {
	return async function awaitVisible(token: string, timeoutMs: number): Promise<void> {
		const deadline = performance.now() + timeoutMs;
		const wanted = parseVisibility(token);
		if (wanted.by === "command") {
			const waited = await wait(wanted.id, timeoutMs);
			if (waited.failure) {
				const { code, message, next } = waited.failure;
				throw new LodeError("INGESTION_FAILED", `the write that this read waits for failed: ${code}: ${message}`, {
					next,
				});
			}
			if (!isEnded(waited)) throw notYet(token);
			return awaitVisible(waited.visibilityToken, Math.max(0, deadline - performance.now()));
		}
		const isThere = async () =>
			wanted.by === "event"
				? (await events.readAll(wanted.position - 1, 1)).length > 0
				: (await catalog.snapshot({ by: "latest" }, []).catch(none)).number >= wanted.number;
		while (!(await isThere())) {
			if (performance.now() >= deadline) throw notYet(token);
			await sleep(POLL_MS);
		}
	};
}

const none = (error: unknown): { number: number } => {
	if (errorCode(error) === "NOTHING_PUBLISHED") return { number: 0 };
	throw error;
};

function notYet(token: string): LodeError {
	return new LodeError("TIMEOUT", `${token} is not visible yet`, { next: "Ask again, or wait longer." });
}
