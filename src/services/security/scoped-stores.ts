import type { ArtifactStore } from "../../stores/artifacts/artifacts.port.js";
import type { GraphScope, GraphStore } from "../../stores/graph/graph.port.js";
import type { SearchFilter, VectorStore } from "../../stores/vectors/vectors.port.js";
import { onlyThese } from "./only-these.js";

/** The same for the other stores, whatever sources a question names: the catalog has told which there are, this holds where it was not asked. */

const narrow =
	(visible: ReadonlySet<string>) =>
	<T extends GraphScope | SearchFilter>(scope: T): T => ({
		...scope,
		sources: (scope.sources ?? [...visible]).filter((source) => visible.has(source)),
	});

export function scopedGraph(graph: GraphStore, visible: ReadonlySet<string>): GraphStore {
	const within = narrow(visible);
	return onlyThese<GraphStore>("graph", {
		entity: (scope, key) => graph.entity(within(scope), key),
		entities: (scope, query) => graph.entities(within(scope), query),
		entitiesByKey: (scope, keys) => graph.entitiesByKey(within(scope), keys),
		neighbours: (scope, query) => graph.neighbours(within(scope), query),
		countByKind: (scope) => graph.countByKind(within(scope)),
		changes: async (source, ...rest) => (visible.has(source) ? graph.changes(source, ...rest) : []),
	});
}

export function scopedVectors(vectors: VectorStore, visible: ReadonlySet<string>): VectorStore {
	const within = narrow(visible);
	return onlyThese<VectorStore>("vectors", {
		searchText: (text, filter, limit) => vectors.searchText(text, within(filter), limit),
		searchVector: (model, vector, filter, limit) => vectors.searchVector(model, vector, within(filter), limit),
		searchSymbol: (name, filter, limit) => vectors.searchSymbol(name, within(filter), limit),
		firstChunks: (filter, files) => vectors.firstChunks(within(filter), files),
		chunksOf: (filter, files, limit) => vectors.chunksOf(within(filter), files, limit),
		// Of hits that the others have found.
		vectorsOf: (hits) => vectors.vectorsOf(hits),
		models: (filter) => vectors.models(within(filter)),
		count: (filter) => vectors.count(within(filter)),
	});
}

export function scopedArtifacts(artifacts: ArtifactStore, visible: ReadonlySet<string>): ArtifactStore {
	return onlyThese<ArtifactStore>("artifacts", {
		root: async (snapshot, source) => (visible.has(source) ? artifacts.root(snapshot, source) : undefined),
		// By the hash of its content, which only a manifest or an entry that the reader may see tells.
		get: (object) => artifacts.get(object),
		getStream: (object) => artifacts.getStream(object),
	});
}
