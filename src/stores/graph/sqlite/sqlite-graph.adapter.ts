import { highestSeq } from "../../sqlite/highest-seq.js";
import { openDatabase } from "../../sqlite/sqlite-database.js";
import type { GraphStore } from "../graph.port.js";
import { checkGraph } from "./graph-check.js";
import { GraphEntities } from "./graph-entities.js";
import { GraphLinks } from "./graph-links.js";
import { NeighbourSearch } from "./graph-neighbours.js";
import { GraphRecords } from "./graph-records.js";
import { GraphWriter } from "./graph-writer.js";
import { GRAPH_MIGRATIONS, prepareGraphConnection } from "./schema.js";
import { TextIds } from "./text-ids.js";

export interface SqliteGraphOptions {
	/** The database file; its folder is created where it is missing. */
	readonly path: string;
	/** See `OpenOptions` of sqlite-database. */
	readonly mapped?: boolean;
}

/**
 * The knowledge graph in one SQLite file. Any number of processes may have it open. What `stage` and `retire` wrote is on disk when they
 * return, because a publication that survives a power cut must not refer to records that did not.
 * @throws PERMISSION_DENIED, DISK_FULL, STORE_CORRUPT, STORE_UNAVAILABLE
 */
export function createSqliteGraphStore(options: SqliteGraphOptions): GraphStore {
	const database = openDatabase({
		path: options.path,
		role: "graph",
		synchronous: "FULL",
		mapped: options.mapped,
		prepareConnection: prepareGraphConnection,
		migrations: GRAPH_MIGRATIONS,
	});
	const ids = new TextIds(database);
	const writer = new GraphWriter(database, ids);
	const records = new GraphRecords(database);
	const entities = new GraphEntities(database);
	const links = new GraphLinks(database, ids);

	return {
		capabilities: { refusesClosedSeq: true },

		stage: async (seq, batch) => writer.stage(seq, batch),
		retire: async (seq, source, origins) => writer.retire(seq, source, origins),
		discard: (seq) => writer.discard(seq),
		collect: (source, horizon, open) => writer.collect(source, horizon, open),
		dropSource: (source) => writer.dropSource(source),

		staged: (seq, source, origins) => records.staged(seq, source, origins),
		tally: (snapshot, source) => records.tally(snapshot, source),
		tallies: (snapshot, source, after, limit) => records.tallies(snapshot, source, after, limit),
		records: (snapshot, source, origin) => records.records(snapshot, source, origin),
		highestSeq: async () => highestSeq(database, "state", ["added_at", "removed_at"]),
		check: () => checkGraph(database, records),

		entity: async (scope, key) => entities.byKey(scope, [key])[0],
		entities: async (scope, query) => entities.find(scope, query),
		entitiesByKey: async (scope, keys) => entities.byKey(scope, keys),
		neighbours: async (scope, query) => database.read(() => new NeighbourSearch(database, scope, query).run()),
		countByKind: async (scope) => entities.countByKind(scope),
		changes: async (source, from, to, after, limit) => entities.changes(source, from, to, after, limit),

		touchedNames: (seq, source, after, limit) => links.touchedNames(seq, source, after, limit),
		candidates: async (seq, source, base, names, limit) => links.candidates(seq, source, base, names, limit),

		clear: async () => writer.clear(),
		close: async () => database.close(),
	};
}
