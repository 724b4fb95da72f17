import { Client, Connection } from "@temporalio/client";
import { accessTo, connectionOptions } from "../temporal/server/connection.js";
import type { Miner, Ports, Stores } from "./activities/ports.js";
import { type Config, publicSettings } from "./config/config.js";
import { enginesOf } from "./config/requirements.js";
import { redact } from "./config/secret.js";
import { errorCode, LodeError } from "./domain/errors.js";
import { createProvider, type EmbeddingSettings, providerForModel } from "./embeddings/choose-provider.js";
import type { EmbeddingProvider } from "./embeddings/embedding.port.js";
import type { MiningPool } from "./mining/mining-pool.js";
import { diskSizes } from "./observability/metrics/disk-sizes.js";
import { measureInstallation } from "./observability/metrics/installation-state.js";
import type { Metrics } from "./observability/metrics/metrics.js";
import { observedProvider } from "./observability/metrics/observed-provider.js";
import { observedSearchLog } from "./observability/metrics/observed-search-log.js";
import { clientTracing } from "./observability/tracing/start-tracing.js";
import { indexingVersions, loadPlugins, type Plugins } from "./plugins/load-plugins.js";
import { withSearchHooks } from "./plugins/search-hooks.js";
import { roomOn } from "./runtime/disk-room.js";
import { runningRuntime } from "./runtime/runtime.js";
import { requireLineage } from "./services/archive/archive-events.js";
import { createCommands } from "./services/commands/create-commands.js";
import type { LodeEvents } from "./services/events/create-events.js";
import { recordConfiguration } from "./services/events/record-configuration.js";
import { askProgress, askWaiting } from "./services/ingestion/ask-progress.js";
import { createCommander } from "./services/ingestion/create-commander.js";
import { ensureSchedules } from "./services/ingestion/schedules.js";
import type { LodeCommander, LodeReader, OpenedServices } from "./services/lode.js";
import { probeEmbeddings } from "./services/probe-embeddings.js";
import { createReader, type ReaderPorts } from "./services/reading/create-reader.js";
import { requireFinished } from "./services/rebuild/unfinished.js";
import { createSearchLog } from "./services/search/event-search-log.js";
import { auditLocal } from "./services/security/audit-local.js";
import { guardKeys } from "./services/security/guarded-keys.js";
import { handleKeys, type LodeKeys } from "./services/security/handle-keys.js";
import { LOCAL } from "./services/security/principal.js";
import { servicesFor } from "./services/security/services-for.js";
import { createViews } from "./services/viewing/create-views.js";
import { createFolderSource } from "./sources/folder/folder-source.adapter.js";
import { GitLauncher } from "./sources/git/git-launcher.js";
import { createGitSource } from "./sources/git/git-source.adapter.js";
import { pinsTo } from "./sources/git/remote-pins.js";
import { createLakefsSource } from "./sources/lakefs/lakefs-source.adapter.js";
import { createSourceRegistry, type SourceRegistry } from "./sources/registry.js";
import { endpointAddresses } from "./sources/remote-policy.js";
import type { SourceKind } from "./stores/catalog/catalog.port.js";
import { auditAfterwards, openAccess, openAudit } from "./wiring/access.js";
import { openEvents as openParked } from "./wiring/events.js";
import { lakefsOptions } from "./wiring/server-options.js";
import { type OpenedStores, openStores, type StoreOptions } from "./wiring/stores.js";
import { TemporalAccess } from "./wiring/temporal-access.js";

export { dispatchPorts } from "./wiring/dispatch.js";
export { rebuildStores } from "./wiring/rebuild.js";
export { checkServers, migrateServers } from "./wiring/server-checks.js";
export { openStores };

/** Webhooks that were parked. Having them dispatched again is audited. */
export const openEvents = (config: Config): LodeEvents => openParked(config, { audit: auditAfterwards(config) });

/** Asks the configured embedding provider which model it has. @throws as probeEmbeddings */
export const probeProvider = (config: Config): ReturnType<typeof probeEmbeddings> =>
	probeEmbeddings(embeddingSettings(config));

type Close = () => Promise<void>;

interface Opened<T> {
	readonly value: T;
	readonly close: Close;
}

/** `launcher`: of a process that may start many a git. */
function openSources(
	config: Pick<Config, "home" | "lakefs" | "remotes">,
	stores: Stores,
	launcher?: GitLauncher,
): SourceRegistry {
	const { guard, allow = [] } = config.remotes;
	return createSourceRegistry([
		createLakefsSource(lakefsOptions(config)),
		createGitSource({
			home: config.home,
			pins: guard === "always" ? pinsTo(allow) : undefined,
			start: launcher?.start,
		}),
		createFolderSource({ home: config.home, artifacts: stores.artifacts }),
	]);
}

/** Of the configured provider, whose endpoint is guarded as repositories are. */
function embeddingSettings({ embedding, home, remotes }: Config): EmbeddingSettings {
	const guarded = remotes.guard === "always" && { addressesOf: endpointAddresses(remotes.allow ?? []) };
	return { ...embedding, home, ...guarded };
}

/** Providers by the model that a group recorded; each is opened once. */
class Providers {
	readonly #byModel = new Map<string, EmbeddingProvider | undefined>();
	#default: EmbeddingProvider | undefined;

	constructor(
		private readonly config: Config,
		private readonly metrics?: Metrics,
		private readonly onDownload?: EmbeddingSettings["onDownload"],
	) {}

	default(): EmbeddingProvider {
		this.#default ??= this.#measured(createProvider(this.#settings));
		return this.#default;
	}

	/** Undefined where nothing that is configured serves the model. */
	find(model: string): EmbeddingProvider | undefined {
		if (!this.#byModel.has(model)) {
			const provider = providerForModel(this.#settings, model);
			this.#byModel.set(model, provider && this.#measured(provider));
		}
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

	#measured(provider: EmbeddingProvider): EmbeddingProvider {
		return this.metrics ? observedProvider(provider, this.metrics) : provider;
	}

	get #settings(): EmbeddingSettings {
		return { ...embeddingSettings(this.config), onDownload: this.onDownload };
	}
}

/** Hooks of searches that run at once: one that hangs must not hold up all others. */
const SEARCH_HOOK_THREADS = 2;

/** Undefined where none is configured: then nothing of them is loaded. @throws CONFIG_INVALID */
async function openPlugins(config: Config, threads: number): Promise<Plugins | undefined> {
	const { plugins: entries = [], home } = config;
	if (entries.length === 0) return undefined;
	const report = (line: string) => void process.stderr.write(`${redact(line)}\n`);
	return loadPlugins({ entries, home, threads, report });
}

/** Has every configured plugin say what it is: before a worker is started that could not. @throws CONFIG_INVALID */
export async function checkPlugins(config: Config): Promise<void> {
	await (await openPlugins(config, 1))?.close();
}

function minerOf(pool: MiningPool): Miner {
	return {
		mine: (files, settings, signal) => Promise.all(files.map((file) => pool.mine(file, settings, signal))),
	};
}

async function connect(config: Config, address: string): Promise<Opened<Client>> {
	try {
		const access = accessTo(config.temporal, address);
		const connection = await Connection.connect({ ...connectionOptions(access), connectTimeout: "10s" });
		return {
			value: new Client({ connection, namespace: config.temporal.namespace, ...clientTracing() }),
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
	options: StoreOptions = {},
): Promise<OpenedStores> {
	const stores = await openStores(config, options);
	try {
		await requireFinished(stores.value.events);
		await check(stores.value);
		return stores;
	} catch (error) {
		await stores.close();
		throw error;
	}
}

/** Everything a worker needs. `metrics`: it is measured. */
export async function openPorts(
	config: Config,
	{
		address,
		miningThreads = config.worker.threads,
		metrics,
	}: { readonly address: string; readonly miningThreads?: number; readonly metrics?: Metrics },
): Promise<{ ports: Ports; close: Close }> {
	const temporal = await connect(config, address);
	const check = async ({ events, artifacts }: Stores) => {
		await requireLineage(events, artifacts);
		await recordConfiguration(events, publicSettings(config));
	};
	const stores = await openSound(config, check, { metrics, mapped: false, threads: miningThreads > 0 }).catch(
		async (error: unknown) => {
			await temporal.close();
			throw error;
		},
	);
	const embeddingCache = await stores.embeddingCache();
	const providers = new Providers(config, metrics);
	const plugins = await openPlugins(config, config.worker.threads);
	// Commands open no such ports, and need not load extractors and parsers.
	const { createMiningPool } = await import("./mining/mining-pool.js");
	const mining = createMiningPool({ threads: miningThreads });
	const launcher = new GitLauncher();
	const pool =
		plugins === undefined ? mining : (await import("./plugins/indexing-hooks.js")).withIndexingHooks(mining, plugins);
	return {
		ports: {
			...stores.value,
			sources: openSources(config, stores.value, launcher),
			provider: async (model) => providers.get(model),
			embeddingCache,
			miner: minerOf(pool),
			plugins: plugins && indexingVersions(plugins.plugins),
			temporal: temporal.value,
			limits: {
				maxFileBytes: config.limits.maxFileBytes,
				smallCommitFiles: config.limits.smallCommitFiles,
				graceSeconds: config.gc.graceSeconds,
				writeDeadlineMs: config.limits.writeDeadlineSeconds * 1_000,
			},
			ensureRoom: roomOn(config.home, config.limits.minFreeBytes),
			redact,
		},
		async close() {
			await pool.close();
			await launcher.close();
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
	return (await openReading(config)).reader;
}

/**
 * What the API serves, over the same opened stores: to each principal what it may see. Temporal may come and go meanwhile: only what changes
 * something needs it.
 */
export async function openApiServices(config: Config, metrics?: Metrics): Promise<OpenedServices> {
	const launcher = new GitLauncher();
	const { reader, stores, ports, providers, temporal, sources, withHooks } = await openReading(config, {
		metrics,
		launcher,
	});
	if (metrics) measureInstallation(stores, diskSizes(config.home, enginesOf(config)), metrics);
	const shared = { ...stores, ...ports, namespace: config.temporal.namespace };
	const views = createViews({ ...shared, reader });
	const commands = createCommands({
		...stores,
		...ports,
		...newSources(config, providers),
		plugins: ports.plugins,
		sources,
		temporal: () => temporal.client(),
		taskQueue: config.temporal.taskQueue,
		workflowUrl: views.workflowUrl,
		redact,
	});
	const access = openAccess(config, stores.events);
	const { keys, audit, checkTarget } = access;
	const services = { ...shared, reader, views, commands, withHooks, keys, audit, checkTarget };
	return {
		as: (principal) => servicesFor(services, principal),
		authenticator: access.authenticator,
		count: access.count,
		async close() {
			await access.close();
			await commands.close();
			await reader.close();
			await launcher.close();
		},
	};
}

/** API keys for whoever sits at the machine. */
export async function openKeys(config: Config): Promise<LodeKeys> {
	const { value, close } = await openSound(config);
	const { keys, audit } = openAccess(config, value.events);
	return handleKeys(guardKeys(keys, LOCAL, audit), value.catalog, close);
}

async function openReading(
	config: Config,
	{ metrics, launcher }: { readonly metrics?: Metrics; readonly launcher?: GitLauncher } = {},
) {
	const plugins = await openPlugins(config, SEARCH_HOOK_THREADS);
	const opened = await openSound(config, undefined, { metrics }).catch(async (error: unknown) => {
		await plugins?.close();
		throw error;
	});
	const stores = opened.value;
	const sources = openSources(config, stores, launcher);
	const providers = new Providers(config, metrics);
	const temporal = new TemporalAccess(config);
	const lost = metrics?.count("searchesLost");
	const log = createSearchLog(stores.events, {
		userData: config.search.userData,
		redact,
		onLost: (searches, error) => {
			lost?.({}, searches);
			process.emitWarning(`${searches} searches are not in the events: ${errorCode(error) ?? "the store is away"}`);
		},
	});
	const ports: Pick<ReaderPorts, "progress" | "waiting" | "temporalUi"> = {
		async progress({ workflowId, runId }) {
			const client = await temporal.ifRunning();
			return client && askProgress(client, workflowId, runId);
		},
		async waiting({ workflowId, runId }) {
			const client = await temporal.ifRunning();
			return client ? askWaiting(client, workflowId, runId) : [];
		},
		temporalUi: async () => (await runningRuntime(config.home))?.uiAddress ?? config.temporal.uiUrl ?? null,
	};
	const reading = {
		...ports,
		plugins: plugins && indexingVersions(plugins.plugins),
		adapterOf: (kind: SourceKind) => sources.of(kind),
		searchLog: metrics ? observedSearchLog(log, metrics) : log,
		provider: (model: string) => providers.find(model),
	};
	const withHooks = (one: LodeReader) => (plugins === undefined ? one : withSearchHooks(one, plugins));
	const reader = createReader({
		...stores,
		...reading,
		async close() {
			await temporal.close();
			await providers.close();
			await opened.close();
		},
	});
	return {
		reader: withHooks(reader),
		stores,
		ports: reading,
		providers,
		temporal,
		sources,
		withHooks,
	};
}

/** What new sources and groups get. */
function newSources({ chunks, retention }: Config, providers: Providers) {
	return {
		defaultProvider: async () => providers.default(),
		serves: (model: string) => providers.find(model) !== undefined,
		chunking: { chunkSize: chunks.size, overlap: chunks.overlap },
		retention,
	};
}

/** The use cases that start or steer workflows on the Temporal server at `address`. */
export async function openCommander(config: Config, { address }: { address: string }): Promise<LodeCommander> {
	const plugins = await openPlugins(config, 1);
	// Only what they say that they are is wanted here.
	await plugins?.close();
	const temporal = await connect(config, address);
	const stores = await openSound(config).catch(async (error: unknown) => {
		await temporal.close();
		throw error;
	});
	const providers = new Providers(config);
	const launcher = new GitLauncher();
	return createCommander({
		plugins: plugins && indexingVersions(plugins.plugins),
		catalog: stores.value.catalog,
		sources: openSources(config, stores.value, launcher),
		...newSources(config, providers),
		temporal: temporal.value,
		taskQueue: config.temporal.taskQueue,
		audit: auditLocal(openAudit(stores.value.events)),
		async close() {
			await launcher.close();
			await providers.close();
			await stores.close();
			await temporal.close();
		},
	});
}
