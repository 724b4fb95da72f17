import { Client, Connection } from "@temporalio/client";
import { accessTo, connectionOptions } from "../../temporal/server/connection.js";
import type { Config } from "../config/config.js";
import { LodeError } from "../domain/errors.js";
import { runningRuntime } from "../runtime/runtime.js";
import { hintSource } from "../services/ingestion/hint-source.js";
import { readableSources } from "../services/recipe.js";
import type { DispatchPorts } from "../webhooks/dispatcher/dispatcher.js";
import type { OpenedStores } from "./stores.js";
import { openStores } from "./stores.js";

interface Connected {
	readonly connection: Connection;
	readonly client: Client;
}

/** The catalog and Temporal, opened when they are first needed and anew after a failure: the gateway starts without either. */
export function dispatchPorts(config: Config): DispatchPorts & { close(): Promise<void> } {
	let stores: Promise<OpenedStores> | undefined;
	let temporal: Promise<Connected> | undefined;

	async function withCatalog<T>(work: (catalog: OpenedStores["value"]["catalog"]) => Promise<T>): Promise<T> {
		stores ??= openStores(config);
		try {
			return await work((await stores).value.catalog);
		} catch (error) {
			const failed = stores;
			stores = undefined;
			await failed.then((opened) => opened.close()).catch(() => undefined);
			throw error;
		}
	}

	async function connect(): Promise<Connected> {
		const address = (await runningRuntime(config.home))?.address ?? config.temporal.address ?? "127.0.0.1:7233";
		const access = accessTo(config.temporal, address);
		const connection = await Connection.connect({ ...connectionOptions(access), connectTimeout: "5s" });
		return { connection, client: new Client({ connection, namespace: config.temporal.namespace }) };
	}

	async function closeTemporal(): Promise<void> {
		const failed = temporal;
		temporal = undefined;
		await failed?.then(({ connection }) => connection.close()).catch(() => undefined);
	}

	return {
		sources: () => withCatalog((catalog) => readableSources(catalog)),

		async hint(id) {
			const source = await withCatalog((catalog) => catalog.source(id));
			if (source === undefined) return;
			temporal ??= connect();
			try {
				await hintSource((await temporal).client, config.temporal.taskQueue, source);
			} catch (error) {
				await closeTemporal();
				throw new LodeError("TEMPORAL_UNAVAILABLE", `${id} cannot be told through Temporal`, {
					next: "Start Temporal; the ledger keeps what came.",
					cause: error,
				});
			}
		},

		async close() {
			await closeTemporal();
			await stores?.then((opened) => opened.close()).catch(() => undefined);
		},
	};
}
