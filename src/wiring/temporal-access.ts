import { Client, Connection } from "@temporalio/client";
import { accessTo, connectionOptions } from "../../temporal/server/connection.js";
import type { Config } from "../config/config.js";
import { LodeError } from "../domain/errors.js";
import { clientTracing } from "../observability/tracing/start-tracing.js";
import { runningRuntime } from "../runtime/runtime.js";

/** After a failure the next question waits this long before it is tried again. Milliseconds. */
const AWAY_MS = 2_000;

interface Connected {
	readonly address: string;
	readonly connection: Connection;
	readonly client: Client;
}

/**
 * Temporal for a process that lives on while it comes and goes: connected when it is first needed, where it runs at that time, and anew when
 * it runs elsewhere.
 */
export class TemporalAccess {
	#connected: Promise<Connected> | undefined;
	#failed: { readonly at: number; readonly error: unknown } | undefined;

	constructor(private readonly config: Config) {}

	/** @throws TEMPORAL_UNAVAILABLE */
	async client(): Promise<Client> {
		const address = (await runningRuntime(this.config.home))?.address ?? this.config.temporal.address;
		if (address === undefined) {
			throw new LodeError("TEMPORAL_UNAVAILABLE", "no Temporal server runs for this home", { next: "lode dev" });
		}
		const known = await this.#connected?.catch(() => undefined);
		if (known?.address === address) return known.client;
		if (this.#failed && performance.now() - this.#failed.at < AWAY_MS) throw this.#failed.error;
		const connecting = this.#connect(address);
		this.#connected = connecting;
		await known?.connection.close().catch(() => undefined);
		try {
			return (await connecting).client;
		} catch (error) {
			this.#failed = { at: performance.now(), error };
			throw error;
		}
	}

	/** The same, undefined where nobody answers. */
	async ifRunning(): Promise<Client | undefined> {
		return this.client().catch(() => undefined);
	}

	async close(): Promise<void> {
		await (await this.#connected?.catch(() => undefined))?.connection.close();
	}

	async #connect(address: string): Promise<Connected> {
		try {
			const access = accessTo(this.config.temporal, address);
			const connection = await Connection.connect({ ...connectionOptions(access), connectTimeout: "2s" });
			return {
				address,
				connection,
				client: new Client({ connection, namespace: this.config.temporal.namespace, ...clientTracing() }),
			};
		} catch (error) {
			throw new LodeError("TEMPORAL_UNAVAILABLE", `there is no Temporal server at ${address}`, {
				next: "lode doctor",
				cause: error,
			});
		}
	}
}
