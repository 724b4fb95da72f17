import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Stores } from "../activities/ports.js";
import type { Config } from "../config/config.js";
import { enginesOf } from "../config/requirements.js";
import type { EmbeddingCache } from "../embeddings/embedding.port.js";
import { threadEntry, threadOptions } from "../mining/thread-options.js";
import type { Metrics } from "../observability/metrics/metrics.js";
import { observedCache, observedStores } from "../observability/metrics/observed-stores.js";
import { measurePostgres } from "../observability/metrics/postgres-metrics.js";
import type { ArtifactStore } from "../stores/artifacts/artifacts.port.js";
import type { EventStore } from "../stores/events/events.port.js";
import type { GraphStore } from "../stores/graph/graph.port.js";
import type { VectorStore } from "../stores/vectors/vectors.port.js";
import { dgraphOptions, postgresOptions, s3Options, weaviateOptions } from "./server-options.js";

type Close = () => Promise<void>;

export interface OpenedStores {
	readonly value: Stores;
	/** Where the catalog is on a server, that server's: what one worker embedded, no other one embeds again. */
	readonly embeddingCache: () => Promise<EmbeddingCache>;
	readonly close: Close;
}

export interface StoreOptions {
	/**
	 * Whether SQLite maps its files into memory, which searches gain from. A worker, whose memory is to be bounded however large the files are, has
	 * nothing of it. Default true.
	 */
	readonly mapped?: boolean;
	/** Whether graph and vectors, where they are SQLite's, and the files of an archive in a folder get a thread each: for a worker, which writes much. Default false. */
	readonly threads?: boolean;
	/** Where the stores are measured. */
	readonly metrics?: Metrics;
}

/** What is being opened, and how to close it again: in reverse order, or at once when the next one cannot be opened. */
class Opening {
	readonly #closing: Close[] = [];

	add<T extends { close(): Promise<void> | void }>(store: T): T {
		this.#closing.push(async () => store.close());
		return store;
	}

	/** Those that are opened at once: where one of them cannot be, the others are among what is closed. */
	async addAll<T extends { close(): Promise<void> }[]>(stores: { [At in keyof T]: Promise<T[At]> }): Promise<T> {
		const opened = await Promise.allSettled(stores);
		for (const one of opened) if (one.status === "fulfilled") this.add(one.value);
		return (await Promise.all(stores)) as T;
	}

	close: Close = async () => {
		for (const one of this.#closing.splice(0).reverse()) await one();
	};
}

/**
 * The stores that the configuration chooses. Engines of the embedded profile lie below LODE_HOME. An engine's code is loaded where it is
 * chosen: a command that needs no server waits for no server's client.
 */
export async function openStores(config: Config, { metrics, ...options }: StoreOptions = {}): Promise<OpenedStores> {
	mkdirSync(config.home, { recursive: true });
	const opening = new Opening();
	try {
		const { embeddingCache, ...catalogAndEvents } = await openCatalog(config, opening, { ...options, metrics });
		const [graph, vectors] = await opening.addAll([openGraph(config, options), openVectors(config, options)]);
		const value: Stores = {
			...catalogAndEvents,
			graph,
			vectors,
			artifacts: opening.add(await openArtifacts(config, options)),
		};
		if (metrics === undefined) {
			return { value, embeddingCache: async () => opening.add(await embeddingCache()), close: opening.close };
		}
		return {
			value: observedStores(value, metrics),
			embeddingCache: async () => observedCache(opening.add(await embeddingCache()), metrics),
			close: opening.close,
		};
	} catch (error) {
		// One that cannot be opened must not leave the others open: their files could not be moved away or restored.
		await opening.close();
		throw error;
	}
}

/** The event log alone, for what opens no stores. Undefined where this home has none: none is made. @throws as openStores */
export async function openEventLog(config: Config): Promise<{ value: EventStore; close: Close } | undefined> {
	if (enginesOf(config).catalog !== "postgres" && !existsSync(catalogFile(config))) return undefined;
	const opening = new Opening();
	const { events } = await openCatalog(config, opening, {});
	return { value: events, close: opening.close };
}

const catalogFile = ({ home }: Config): string => join(home, "catalog.db");

async function openCatalog(
	config: Config,
	opening: Opening,
	options: StoreOptions,
): Promise<Pick<Stores, "catalog" | "events"> & Pick<OpenedStores, "embeddingCache">> {
	if (enginesOf(config).catalog === "postgres") {
		const [
			{ PostgresDatabase },
			{ openPostgresCatalogDatabase },
			{ createPostgresCatalog },
			{ createPostgresEventStore },
		] = await Promise.all([
			import("../stores/postgres/postgres-database.js"),
			import("../stores/catalog/postgres/catalog-database.js"),
			import("../stores/catalog/postgres/postgres-catalog.adapter.js"),
			import("../stores/events/postgres/postgres-event-store.adapter.js"),
		]);
		const pool = opening.add(new PostgresDatabase(postgresOptions(config)));
		if (options.metrics) measurePostgres(pool, options.metrics);
		const database = openPostgresCatalogDatabase(pool);
		return {
			catalog: opening.add(createPostgresCatalog({ database })),
			events: opening.add(createPostgresEventStore({ database })),
			embeddingCache: async () => {
				const { createPostgresEmbeddingCache } = await import("../embeddings/cache/postgres-embedding-cache.js");
				return createPostgresEmbeddingCache({ database: pool });
			},
		};
	}
	const [{ createSqliteCatalog, openCatalogDatabase }, { createSqliteEventStore }] = await Promise.all([
		import("../stores/catalog/sqlite/sqlite-catalog.adapter.js"),
		import("../stores/events/sqlite/sqlite-event-store.adapter.js"),
	]);
	const database = opening.add(openCatalogDatabase(catalogFile(config), { mapped: options.mapped }));
	return {
		catalog: opening.add(createSqliteCatalog({ database })),
		events: opening.add(createSqliteEventStore({ database })),
		embeddingCache: async () => {
			const { createSqliteEmbeddingCache } = await import("../embeddings/cache/sqlite-embedding-cache.js");
			return createSqliteEmbeddingCache({ path: join(config.home, "embeddings.db") });
		},
	};
}

async function openGraph(config: Config, options: StoreOptions): Promise<GraphStore> {
	if (enginesOf(config).graph === "dgraph") {
		const { createDgraphGraphStore } = await import("../stores/graph/dgraph/dgraph-graph.adapter.js");
		return createDgraphGraphStore(dgraphOptions(config));
	}
	const settings = { path: join(config.home, "graph.db"), mapped: options.mapped };
	if (options.threads) {
		const { openThreadedGraph } = await import("../stores/graph/sqlite/threaded-graph.js");
		return openThreadedGraph(threadOf("../stores/graph/sqlite/graph-thread"), settings);
	}
	const { createSqliteGraphStore } = await import("../stores/graph/sqlite/sqlite-graph.adapter.js");
	return createSqliteGraphStore(settings);
}

async function openVectors(config: Config, options: StoreOptions): Promise<VectorStore> {
	if (enginesOf(config).vectors === "weaviate") {
		const { createWeaviateVectorStore } = await import("../stores/vectors/weaviate/weaviate-vectors.adapter.js");
		return createWeaviateVectorStore({ ...weaviateOptions(config), memoryBytes: config.search.memoryBytes });
	}
	const { mapped } = options;
	const settings = { path: join(config.home, "vectors.db"), memoryBytes: config.search.memoryBytes, mapped };
	if (options.threads) {
		const { openThreadedVectors } = await import("../stores/vectors/sqlite/threaded-vectors.js");
		return openThreadedVectors(threadOf("../stores/vectors/sqlite/vectors-thread"), settings);
	}
	const { createSqliteVectorStore } = await import("../stores/vectors/sqlite/sqlite-vectors.adapter.js");
	return createSqliteVectorStore(settings);
}

const threadOf = (module: string) => threadOptions(threadEntry(import.meta.url, module));

async function openArtifacts(config: Config, options: StoreOptions): Promise<ArtifactStore> {
	if (enginesOf(config).artifacts === "s3") {
		const { createS3ArtifactStore } = await import("../stores/artifacts/s3/s3-artifacts.adapter.js");
		return createS3ArtifactStore(s3Options(config));
	}
	const { createFolderArtifactStore } = await import("../stores/artifacts/folder/folder-artifacts.adapter.js");
	const settings = { path: join(config.home, "artifacts") };
	if (!options.threads) return createFolderArtifactStore(settings);
	const { withFilesInThread } = await import("../stores/artifacts/folder/threaded-files.js");
	return withFilesInThread(
		createFolderArtifactStore(settings),
		threadOf("../stores/artifacts/folder/files-thread"),
		settings,
	);
}
