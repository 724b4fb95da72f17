import { Client, Connection } from "@temporalio/client";
import { accessTo, connectionOptions } from "../../temporal/server/connection.js";
import type { Config } from "../config/config.js";
import { LodeError } from "../domain/errors.js";
import type { Metrics } from "../observability/metrics/metrics.js";
import { traced } from "../observability/tracing/spans.js";
import { clientTracing } from "../observability/tracing/start-tracing.js";
import { runningRuntime } from "../runtime/runtime.js";
import { hintSource } from "../services/ingestion/hint-source.js";
import { readableSources } from "../services/recipe.js";
import type { NewEvent } from "../stores/events/events.port.js";
import type { DispatchPorts } from "../webhooks/dispatcher/dispatcher.js";
import type { Receipt } from "../webhooks/receipt.js";
import type { OpenedStores } from "./stores.js";
import { openStores } from "./stores.js";

interface Connected {
	readonly connection: Connection;
	readonly client: Client;
}

/** A receipt's number begins anew with a new ledger: its time tells such two apart. */
function receiptEvent(
	type: "WebhookReceived" | "WebhookParked",
	receipt: Receipt,
	{ source, ...more }: { readonly source?: string; readonly reason?: string },
): NewEvent {
	const { id, sender, event, key, repository, branch = null, commit = null, receivedAt } = receipt;
	return {
		type,
		data: { receipt: id, sender, event, key, repository, branch, commit, receivedAt, ...more },
		metadata: { correlationId: `${id}@${receivedAt}`, idempotencyKey: `${id}@${receivedAt}`, source },
	};
}

/** The catalog and Temporal, opened when they are first needed and anew after a failure: the gateway starts without either. */
export function dispatchPorts(config: Config, metrics?: Metrics): DispatchPorts & { close(): Promise<void> } {
	let stores: Promise<OpenedStores> | undefined;
	let temporal: Promise<Connected> | undefined;

	async function withStores<T>(work: (stores: OpenedStores["value"]) => Promise<T>): Promise<T> {
		stores ??= openStores(config, { metrics });
		try {
			return await work((await stores).value);
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
		return { connection, client: new Client({ connection, namespace: config.temporal.namespace, ...clientTracing() }) };
	}

	async function closeTemporal(): Promise<void> {
		const failed = temporal;
		temporal = undefined;
		await failed?.then(({ connection }) => connection.close()).catch(() => undefined);
	}

	async function hint(id: string, receipts: readonly Receipt[]): Promise<void> {
		const source = await withStores(async ({ catalog, events }) => {
			const known = await catalog.source(id);
			const received = receipts.map((receipt) => receiptEvent("WebhookReceived", receipt, { source: id }));
			if (known) await events.append(`webhooks-${id}`, "any", received);
			return known;
		});
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
	}

	return {
		sources: () => withStores(({ catalog }) => readableSources(catalog)),

		unwanted: (receipts) =>
			withStores(async ({ events }) => {
				const parked = receipts.map(({ receipt, reason }) => receiptEvent("WebhookParked", receipt, { reason }));
				await events.append("webhooks-parked", "any", parked);
			}),

		hint(id, receipts) {
			// One hint for all of them: it goes on with the newest one's trace, and names the others.
			const [parent, ...others] = receipts.flatMap(({ trace }) => trace ?? []).reverse();
			const attributes = { "lode.source": id, "lode.receipts": receipts.length };
			return traced("dispatch webhooks", { parent, others, attributes }, () => hint(id, receipts));
		},

		async close() {
			await closeTemporal();
			await stores?.then((opened) => opened.close()).catch(() => undefined);
		},
	};
}
