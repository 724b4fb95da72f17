import { createConnection } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Connection } from "@temporalio/client";
import { LodeError } from "../../src/domain/errors.js";
import { ensureSearchAttributes } from "./search-attributes.js";

const POLL_MS = 100;

export interface ReadyOptions {
	readonly address: string;
	readonly namespace: string;
	readonly timeoutMs: number;
	readonly signal?: AbortSignal;
	report(line: string): void;
}

/** gRPC backs off for a second after a refused connection: asking the port itself first notices at once when a server is up. */
function listens(address: string): Promise<boolean> {
	const at = address.lastIndexOf(":");
	const host = address.slice(0, at).replace(/^\[|\]$/g, "");
	return new Promise((resolve) => {
		const socket = createConnection({ host, port: Number(address.slice(at + 1)), timeout: 2_000 });
		const end = (answer: boolean) => {
			socket.destroy();
			resolve(answer);
		};
		socket.once("connect", () => end(true));
		socket.once("timeout", () => end(false));
		socket.once("error", () => end(false));
	});
}

/** One try. Undefined when nothing answers at the address. */
async function connect(address: string): Promise<Connection | undefined> {
	if (!(await listens(address))) return undefined;
	const { Connection } = await import("@temporalio/client");
	try {
		return await Connection.connect({ address, connectTimeout: "2s" });
	} catch {
		return undefined;
	}
}

/** Whether a Temporal server answers at the address now. */
export async function temporalAnswers(address: string): Promise<boolean> {
	const connection = await connect(address);
	await connection?.close();
	return connection !== undefined;
}

/**
 * Waits until the server answers and its namespace can be used, then makes sure of the search attributes.
 * @throws TEMPORAL_UNAVAILABLE after `timeoutMs`; PERMISSION_DENIED; the signal's reason
 */
export async function temporalReady(options: ReadyOptions): Promise<void> {
	const { address, namespace, timeoutMs, signal } = options;
	const deadline = performance.now() + timeoutMs;
	let reason: unknown;
	for (let first = true; first || performance.now() < deadline; first = false) {
		signal?.throwIfAborted();
		const connection = await connect(address);
		if (connection !== undefined) {
			try {
				await connection.workflowService.describeNamespace({ namespace });
				await ensureSearchAttributes(connection, namespace, options.report);
				return;
			} catch (error) {
				if (error instanceof LodeError && error.permanent) throw error;
				reason = error;
			} finally {
				await connection.close();
			}
		}
		await sleep(POLL_MS, undefined, { signal });
	}
	const what = reason === undefined ? "does not answer" : `has no usable namespace ${namespace}`;
	throw new LodeError("TEMPORAL_UNAVAILABLE", `the Temporal server at ${address} ${what}`, {
		next: "Check TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE, or unset them to let Lode start its own server.",
		cause: reason,
	});
}
