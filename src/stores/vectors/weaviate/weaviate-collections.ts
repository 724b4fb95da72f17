import pRetry from "p-retry";
import type { Collection } from "weaviate-client";
import { sha256 } from "../../../domain/digest.js";
import { LodeError } from "../../../domain/errors.js";
import type { Snapshot } from "../../../domain/snapshot.js";
import type { WeaviateConnection } from "./weaviate-connection.js";
import { isUnknown } from "./weaviate-errors.js";

/** One model's chunks. */
export interface ModelCollection {
	readonly model: string;
	readonly dimensions: number;
	/** In how many parts, each with an index of its own, the server keeps it. */
	readonly shards: number;
	readonly collection: Collection;
}

/** What a collection's description says, as JSON: names of models are no names of collections. */
interface Description {
	readonly lode: number;
	readonly installation: string;
	readonly model: string;
	readonly dimensions: number;
	/** False until it has answered. Weaviate lists a collection before it can be asked, on a busy machine by seconds: nobody may search in that. */
	readonly answers?: boolean;
}

interface Listed extends ModelCollection {
	readonly answers: boolean;
}

/** The version of the properties below. */
export const SCHEMA_VERSION = 2;
/** A collection is made well before anything of it is published: a list is complete for snapshots older than it by this. Milliseconds. */
const SURELY_LISTED_MS = 10_000;
/** A collection that was just made. Milliseconds. */
const ANSWERS_WITHIN_MS = 30_000;
/** Filters of up to so many matches compare every vector: exact, and as fast as the graph there. */
const EXACT_UP_TO = 40_000;

const keyed = (name: string) => ({
	name,
	dataType: "text" as const,
	tokenization: "field" as const,
	indexFilterable: true,
	indexSearchable: false,
});
/** Comes back and is never looked for: no index, which doubles the rate of inserts. */
const plain = (name: string) => ({
	name,
	dataType: "text" as const,
	indexFilterable: false,
	indexSearchable: false,
	tokenization: "field" as const,
});
const ranged = (name: string) => ({ name, dataType: "int" as const, indexFilterable: true, indexRangeFilters: true });
/** Analysed by us as in the other engine: here only the blanks are cut at. */
const searched = (name: string) => ({
	name,
	dataType: "text" as const,
	tokenization: "whitespace" as const,
	// How many chunks hold a term is asked by a filter.
	indexFilterable: true,
	indexSearchable: true,
});

const PROPERTIES = [
	...["content", "origin", "path", "digest", "life"].map(plain),
	...["kind", "language", "sourceKey", "groupKey", "originKey", "pathKey"].map(keyed),
	{ ...keyed("symbolKeys"), dataType: "text[]" as const },
	...["addedAt", "removedAt", "slice", "length"].map(ranged),
	...["terms", "pathTerms", "symbolTerms"].map(searched),
];

export class WeaviateCollections {
	#known = new Map<string, ModelCollection>();
	#listedAt = Number.NEGATIVE_INFINITY;

	constructor(private readonly connection: WeaviateConnection) {}

	/** All that the installation has now and that answer, in byte order of the models. */
	async list(): Promise<ModelCollection[]> {
		const listedAt = Date.now();
		const found = await this.#all();
		this.#known = new Map(found.flatMap(({ answers, ...known }) => (answers ? [[known.model, known]] : [])));
		this.#listedAt = listedAt;
		return [...this.#known.values()].sort((a, b) => (a.model < b.model ? -1 : 1));
	}

	async #all(): Promise<Listed[]> {
		const { installation, url } = this.connection.options;
		const found = await this.connection.request("list collections", async (client) => {
			const configs = await client.collections.listAll();
			return configs.flatMap(({ name, description, sharding }) => {
				const says = readDescription(description);
				return says?.installation === installation
					? [{ says, shards: sharding.actualCount, collection: client.collections.use(name) as Collection }]
					: [];
			});
		});
		for (const { says } of found) {
			if (says.lode === SCHEMA_VERSION) continue;
			throw new LodeError(
				"CONFIG_INVALID",
				`the collections in Weaviate at ${url} have version ${says.lode}, and this Lode knows ${SCHEMA_VERSION}`,
				{
					next:
						says.lode > SCHEMA_VERSION
							? "Run the Lode that made them, or a later one."
							: "They are older than the first release: take another LODE_INSTALLATION, and ingest again.",
				},
			);
		}
		return found.map(({ says: { model, dimensions, answers = true }, shards, collection }) => ({
			...{ model, dimensions, answers, shards, collection },
		}));
	}

	/** All that hold anything of the snapshot. */
	async of(snapshot: Snapshot): Promise<ModelCollection[]> {
		const published = Date.parse(snapshot.publishedAt);
		if (Number.isFinite(published) && published + SURELY_LISTED_MS < this.#listedAt) {
			return [...this.#known.values()].sort((a, b) => (a.model < b.model ? -1 : 1));
		}
		return this.list();
	}

	async find(model: string): Promise<ModelCollection | undefined> {
		if (!this.#known.has(model)) await this.list();
		return this.#known.get(model);
	}

	/** The model's, created where it is missing. */
	async ensure(model: string, dimensions: number, deadline?: number): Promise<ModelCollection> {
		const known = await this.find(model);
		if (known) return known;
		await this.#create(model, dimensions, deadline);
		await this.list();
		const made = this.#known.get(model);
		if (made === undefined) throw new LodeError("STORE_UNAVAILABLE", `the collection of ${model} is not there yet`);
		return made;
	}

	/**
	 * Deletes each with all that is in it, which takes no time, and makes it again, empty: other processes that know it write to it without
	 * asking, and a server makes a missing one up as it pleases.
	 */
	async clear(): Promise<void> {
		for (const { model, dimensions, collection } of await this.#all()) {
			await this.connection.request(`delete the collection of ${model}`, (client) =>
				client.collections.delete(collection.name),
			);
			await this.#create(model, dimensions);
		}
	}

	async #create(model: string, dimensions: number, deadline?: number): Promise<void> {
		const { installation } = this.connection.options;
		const says: Description = { lode: SCHEMA_VERSION, installation, model, dimensions, answers: false };
		const name = collectionName(installation, model);
		await this.connection.request(
			`create the collection of ${model}`,
			async (client, { default: weaviate }) => {
				const { configure } = weaviate;
				try {
					await client.collections.create({
						name,
						description: JSON.stringify(says),
						vectorizers: configure.vectors.selfProvided({
							vectorIndexConfig: configure.vectorIndex.hnsw({
								// Vectors have unit length: the same order as cosine, without an engine's own rounding of them.
								distanceMetric: "dot",
								flatSearchCutoff: EXACT_UP_TO,
								efConstruction: 128,
								maxConnections: 32,
								dynamicEfMin: 200,
								dynamicEfMax: 1_000,
							}),
						}),
						invertedIndex: configure.invertedIndex({ bm25k1: 1.2, bm25b: 0.75, stopwordsPreset: "none" }),
						properties: PROPERTIES as never,
					});
				} catch (error) {
					// Another process was faster.
					if (!/already exists/i.test(String(error))) throw error;
				}
			},
			deadline,
		);
		await this.connection.request(
			`await the collection of ${model}`,
			async (client) => {
				const collection = client.collections.use(name);
				await pRetry(() => collection.aggregate.overAll(), {
					retries: Number.POSITIVE_INFINITY,
					minTimeout: 20,
					maxTimeout: 500,
					maxRetryTime: ANSWERS_WITHIN_MS,
					shouldRetry: ({ error }) => isUnknown(error),
				});
				await collection.config.update({ description: JSON.stringify({ ...says, answers: true }) });
			},
			deadline,
		);
	}
}

function readDescription(text: string | undefined): Description | undefined {
	try {
		const says = JSON.parse(text ?? "") as Partial<Description>;
		if (typeof says.lode !== "number" || typeof says.model !== "string" || typeof says.dimensions !== "number")
			return undefined;
		return says as Description;
	} catch {
		return undefined;
	}
}

const collectionName = (installation: string, model: string): string =>
	`Lode_${installation.replaceAll("-", "_")}_${sha256(model).slice(0, 12)}`;
