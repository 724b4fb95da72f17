import { Client, Connection } from "@temporalio/client";
import { accessTo, connectionOptions } from "../temporal/server/connection.js";
import type { Miner, Ports, Stores } from "./activities/ports.js";
import { type Config, publicSettings } from "./config/config.js";
import { redact } from "./config/secret.js";
import { LodeError } from "./domain/errors.js";
import { createProvider, type EmbeddingSettings, providerForModel } from "./embeddings/choose-provider.js";
import type { EmbeddingProvider } from "./embeddings/embedding.port.js";
import { createMiningPool, type MiningPool } from "./mining/mining-pool.js";
import { roomOn } from "./runtime/disk-room.js";
import { runningRuntime } from "./runtime/runtime.js";
import { requireLineage } from "./services/archive/archive-events.js";
import { recordConfiguration } from "./services/events/record-configuration.js";
import { askProgress, askWaiting } from "./services/ingestion/ask-progress.js";
import { createCommander } from "./services/ingestion/create-commander.js";
import { ensureSchedules } from "./services/ingestion/schedules.js";
import type { LodeCommander, LodeReader } from "./services/lode.js";
import { createReader } from "./services/reading/create-reader.js";
import { requireFinished } from "./services/rebuild/unfinished.js";
import { createFolderSource } from "./sources/folder/folder-source.adapter.js";
import { createGitSource } from "./sources/git/git-source.adapter.js";
import { createLakefsSource } from "./sources/lakefs/lakefs-source.adapter.js";
import { createSourceRegistry, type SourceRegistry } from "./sources/registry.js";
import { lakefsOptions } from "./wiring/server-options.js";
import { type OpenedStores, openStores } from "./wiring/stores.js";

export { dispatchPorts } from "./wiring/dispatch.js";
export { openEvents } from "./wiring/events.js";
export { rebuildStores } from "./wiring/rebuild.js";
export { checkServers, migrateServers } from "./wiring/server-checks.js";
export { openStores };

type Close = () => Promise<void>;

interface Opened<T> {
	readonly value: T;
	readonly close: Close;
}

function openSources(config: Pick<Config, "home" | "lakefs">, stores: Stores): SourceRegistry {
	return createSourceRegistry([
		createLakefsSource(lakefsOptions(config)),
		createGitSource({ home: config.home }),
		createFolderSource({ home: config.home, artifacts: stores.artifacts }),
	]);
}

/** Providers by the model that a group recorded; each is opened once. */
class Providers {
	readonly #byModel = new Map<string, EmbeddingProvider | undefined>();
	#default: EmbeddingProvider | undefined;

	constructor(
		private readonly config: Config,
		private readonly onDownload?: EmbeddingSettings["onDownload"],
	) {}

	default(): EmbeddingProvider {
		this.#default ??= createProvider(this.#settings);
		return this.#default;
	}

	/** Undefined where nothing that is configured serves the model. */
	find(model: string): EmbeddingProvider | undefined {
		if (!this.#byModel.has(model)) this.#byModel.set(model, providerForModel(this.#settings, model));
		return this.#byModel.get(model);
	}

	get(model: string): EmbeddingProvider {
		const provider = this.find(model);
		if (provider) return provider;
		throw new LodeError("MODEL_MISMATCH", `the group's embedding model ${model} is not configured here`, {
			next: "set LODE_EMBEDDING_PROVIDER, LODE_EMBEDDING_MODEL and LODE_EMBEDDING_BASE_URL as they were when the source was added",
		});
	}

	async close(): Promise<void> {
		for (const provider of [...this.#byModel.values(), this.#default]) await provider?.close();
	}

	get #settings(): EmbeddingSettings {
		return { ...this.config.embedding, home: this.config.home, onDownload: this.onDownload };
	}
}

function minerOf(pool: MiningPool): Miner {
	return {
		mine: (files, settings, signal) => Promise.all(files.map((file) => pool.mine(file, settings, signal))),
	};
}

async function connect(config: Config, address: string, connectTimeout: "2s" | "10s" = "10s"): Promise<Opened<Client>> {
	try {
		const access = accessTo(config.temporal, address);
		const connection = await Connection.connect({ ...connectionOptions(access), connectTimeout });
		return {
			value: new Client({ connection, namespace: config.temporal.namespace }),
			close: () => connection.close(),
		};
	} catch (error) {
		throw new LodeError("TEMPORAL_UNAVAILABLE", `there is no Temporal server at ${address}`, {
			next: "lode doctor",
			cause: error,
		});
	}
}

/** The stores, where they agree with each other. @throws CATALOG_BEHIND */
async function openSound(
	config: Config,
	check: (stores: Stores) => Promise<void> = async () => undefined,
): Promise<OpenedStores> {
	const stores = await openStores(config);
	try {
		await requireFinished(stores.value.events);
		await check(stores.value);
		return stores;
	} catch (error) {
		await stores.close();
		throw error;
	}
}

/** Everything a worker needs. */
export async function openPorts(
	config: Config,
	{ address }: { address: string },
): Promise<{ ports: Ports; close: Close }> {
	const temporal = await connect(config, address);
	const stores = await openSound(config, async ({ events, artifacts }) => {
		await requireLineage(events, artifacts);
		await recordConfiguration(events, publicSettings(config));
	}).catch(async (error: unknown) => {
		await temporal.close();
		throw error;
	});
	const embeddingCache = await stores.embeddingCache();
	const providers = new Providers(config);
	const pool = createMiningPool({ threads: config.worker.threads });
	return {
		ports: {
			...stores.value,
			sources: openSources(config, stores.value),
			provider: async (model) => providers.get(model),
			embeddingCache,
			miner: minerOf(pool),
			temporal: temporal.value,
			limits: {
				maxFileBytes: config.limits.maxFileBytes,
				graceSeconds: config.gc.graceSeconds,
				writeDeadlineMs: config.limits.writeDeadlineSeconds * 1_000,
			},
			ensureRoom: roomOn(config.home, config.limits.minFreeBytes),
			redact,
		},
		async close() {
			await pool.close();
			await providers.close();
			await stores.close();
			await temporal.close();
		},
	};
}

/** From now on every source is compared with its repository, also when no webhook comes, and what happens is archived. */
export async function keepSchedules(config: Config, { address }: { address: string }): Promise<void> {
	const { value: client, close } = await connect(config, address);
	try {
		await ensureSchedules(client, config.temporal.taskQueue, {
			reconcileEvery: config.reconcile.everySeconds,
			archiveEvery: config.archive.everySeconds,
		});
	} finally {
		await close();
	}
}

/** The use cases that only read: no Temporal server is needed. Where one runs, it is asked how far ingestions are. */
export async function openReader(config: Config): Promise<LodeReader> {
	const stores = await openSound(config);
	const providers = new Providers(config);
	let temporal: Promise<Opened<Client> | undefined> | undefined;
	const connectIfRunning = async () => {
		const address = (await runningRuntime(config.home))?.address ?? config.temporal.address;
		return address === undefined ? undefined : connect(config, address, "2s").catch(() => undefined);
	};
	return createReader({
		...stores.value,
		provider: (model) => providers.find(model),
		async progress({ workflowId, runId }) {
			temporal ??= connectIfRunning();
			const connected = await temporal;
			return connected && askProgress(connected.value, workflowId, runId);
		},
		async waiting({ workflowId, runId }) {
			temporal ??= connectIfRunning();
			const connected = await temporal;
			return connected ? askWaiting(connected.value, workflowId, runId) : [];
		},
		temporalUi: async () => (await runningRuntime(config.home))?.uiAddress ?? config.temporal.uiUrl ?? null,
		async close() {
			await (await temporal)?.close();
			await providers.close();
			await stores.close();
		},
	});
}

/** The use cases that start or steer workflows on the Temporal server at `address`. */
export async function openCommander(config: Config, { address }: { address: string }): Promise<LodeCommander> {
	const temporal = await connect(config, address);
	const stores = await openSound(config).catch(async (error: unknown) => {
		await temporal.close();
		throw error;
	});
	const providers = new Providers(config);
	return createCommander({
		catalog: stores.value.catalog,
		sources: openSources(config, stores.value),
		serves: (model) => providers.find(model) !== undefined,
		defaultProvider: async () => providers.default(),
		chunking: { chunkSize: config.chunks.size, overlap: config.chunks.overlap },
		retention: config.retention,
		temporal: temporal.value,
		taskQueue: config.temporal.taskQueue,
		async close() {
			await providers.close();
			await stores.close();
			await temporal.close();
		},
	});
}
