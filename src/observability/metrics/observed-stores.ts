import type { Stores } from "../../activities/ports.js";
import type { EmbeddingCache } from "../../embeddings/embedding.port.js";
import type { Metrics } from "./metrics.js";
import { observedPort, type Told } from "./observed-port.js";

const length = (bytes: unknown): number => (bytes as Uint8Array | undefined)?.length ?? 0;

/** The stores, measured. */
export function observedStores(stores: Stores, metrics: Metrics): Stores {
	const bytes = metrics.count("storeBytes");
	const staged = metrics.count("storeStaged");
	const wrote = (count: number) => bytes({ store: "artifacts", direction: "in" }, count);
	const read = (count: number) => bytes({ store: "artifacts", direction: "out" }, count);
	const records = (store: string): Told => ({
		stage: ([, sent]) => staged({ store }, (sent as readonly unknown[]).length),
	});
	const { catalog, events, graph, vectors, artifacts } = stores;
	return {
		catalog: observedPort("catalog", catalog, metrics, {
			recordBatch: ([, record]) => staged({ store: "catalog" }, (record as { entries: unknown[] }).entries.length),
		}),
		events: observedPort("events", events, metrics, {
			append: (_, appended) => staged({ store: "events" }, (appended as readonly unknown[]).length),
		}),
		graph: observedPort("graph", graph, metrics, records("graph")),
		vectors: observedPort("vectors", vectors, metrics, records("vectors")),
		artifacts: observedPort("artifacts", artifacts, metrics, {
			put: ([objects]) => {
				staged({ store: "artifacts" }, (objects as readonly Uint8Array[]).length);
				wrote((objects as readonly Uint8Array[]).reduce((sum, object) => sum + object.length, 0));
			},
			putStream: (_, info) => {
				staged({ store: "artifacts" });
				wrote((info as { size: number }).size);
			},
			putDerived: ([, content]) => wrote(length(content)),
			putRecord: ([, content]) => wrote(length(content)),
			get: (_, content) => read(length(content)),
			getStream: (_, content) => read((content as { size: number } | undefined)?.size ?? 0),
			getDerived: (_, content) => read(length(content)),
			getRecord: (_, content) => read(length(content)),
		}),
	};
}

export function observedCache(cache: EmbeddingCache, metrics: Metrics): EmbeddingCache {
	const staged = metrics.count("storeStaged");
	return observedPort("embeddings", cache, metrics, {
		put: ([, entries]) => staged({ store: "embeddings" }, (entries as readonly unknown[]).length),
	});
}
