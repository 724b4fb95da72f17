import type { GraphStore } from "../graph.port.js";
import { checkDgraph } from "./dgraph-check.js";
import { DgraphConnection, type DgraphOptions } from "./dgraph-client.js";
import { DgraphDeleter } from "./dgraph-deleter.js";
import { DgraphEntities } from "./dgraph-entities.js";
import { DgraphGuard } from "./dgraph-guard.js";
import { DgraphLinks } from "./dgraph-links.js";
import { NeighbourSearch } from "./dgraph-neighbours.js";
import { DgraphRecords } from "./dgraph-records.js";
import { migrateDgraph } from "./dgraph-schema.js";
import { highestDgraphSeq } from "./dgraph-seqs.js";
import { DgraphWriter } from "./dgraph-writer.js";
import { GraphIds } from "./graph-ids.js";

/**
 * The knowledge graph in Dgraph. Any number of processes may use an installation at once.
 * @throws PERMISSION_DENIED, CONFIG_INVALID, STORE_CORRUPT, STORE_UNAVAILABLE
 */
export function createDgraphGraphStore(options: DgraphOptions): GraphStore {
	const connection = new DgraphConnection(options);
	const ids = new GraphIds(options.installation);
	const guard = new DgraphGuard(connection, ids);
	const writer = new DgraphWriter(connection, ids, guard);
	const deleter = new DgraphDeleter(connection, ids, guard);
	const records = new DgraphRecords(connection, ids);
	const entities = new DgraphEntities(connection, ids, records);
	const links = new DgraphLinks(connection, ids);
	let ready: Promise<unknown> | undefined;
	/** Makes sure of the schema once; what failed is tried again by the next call. */
	const after = async <T>(work: () => Promise<T>): Promise<T> => {
		ready ??= migrateDgraph(connection).catch((error: unknown) => {
			ready = undefined;
			throw error;
		});
		await ready;
		return work();
	};

	return {
		capabilities: { refusesClosedSeq: true },

		stage: (seq, batch) => after(() => writer.stage(seq, batch)),
		retire: (seq, source, origins) => after(() => writer.retire(seq, source, origins)),
		discard: (seq) => after(() => deleter.discard(seq)),
		collect: (source, horizon, open) => after(() => deleter.collect(source, horizon, open)),
		dropSource: (source) => after(() => deleter.dropSource(source)),

		staged: (seq, source, origins) => after(() => records.staged(seq, source, origins)),
		tally: (snapshot, source) => after(() => records.tally(snapshot, source)),
		tallies: (snapshot, source, last, limit) => after(() => records.tallies(snapshot, source, last, limit)),
		records: (snapshot, source, origin) => after(() => records.records(snapshot, source, origin)),
		highestSeq: () => after(() => highestDgraphSeq(connection, ids)),
		check: () => after(() => checkDgraph(connection, ids, records)),

		entity: async (scope, key) => (await after(() => entities.byKey(scope, [key])))[0],
		entities: (scope, query) => after(() => entities.find(scope, query)),
		entitiesByKey: (scope, keys) => after(() => entities.byKey(scope, keys)),
		neighbours: (scope, query) => after(() => new NeighbourSearch(connection, ids, scope, query).run()),
		countByKind: (scope) => after(() => entities.countByKind(scope)),
		changes: (source, from, to, last, limit) => after(() => entities.changes(source, from, to, last, limit)),

		touchedNames: (seq, source, last, limit) => after(() => links.touchedNames(seq, source, last, limit)),
		candidates: (seq, source, base, names, limit) => after(() => links.candidates(seq, source, base, names, limit)),

		clear: () => after(() => deleter.clear()),
		close: () => connection.close(),
	};
}
