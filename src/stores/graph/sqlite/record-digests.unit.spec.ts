import fc from "fast-check";
import { expect, test } from "vitest";
import { EDGE_KINDS, ENTITY_KINDS, type GraphRecord, graphRecordDigest } from "../../../domain/entities.js";
import { openDatabase } from "../../sqlite/sqlite-database.js";
import { GraphRecords } from "./graph-records.js";
import { GraphWriter } from "./graph-writer.js";
import { recordDigests } from "./record-digests.js";
import { GRAPH_MIGRATIONS, prepareGraphConnection } from "./schema.js";

/** Every escape of JSON, NUL, what is no character, and texts whose order by UTF-16 is not that by bytes. */
const text = fc.oneof(
	fc.string({ unit: "binary" }),
	fc.string(),
	fc.constantFrom("\0", "a\0b", "\ud800", "\u{10000}", "\uffff", "\u2028", '"\\/\b\f\n\r\t\x7f\x1f'),
);

const record = fc.record<GraphRecord>({
	source: text,
	origin: fc.nat(1_000_000).map((n) => `file:${n}`),
	key: text,
	kind: fc.constantFrom(...ENTITY_KINDS),
	name: text,
	props: fc.dictionary(text, fc.jsonValue({ maxDepth: 2 })) as fc.Arbitrary<GraphRecord["props"]>,
	edges: fc.array(fc.record({ kind: fc.constantFrom(...EDGE_KINDS), to: text })),
	provides: fc.array(fc.record({ name: text, rank: fc.nat(20) })),
});

test("what SQLite puts together of a record has the digest that was staged", () => {
	const database = openDatabase({
		path: ":memory:",
		role: "graph",
		synchronous: "FULL",
		prepareConnection: prepareGraphConnection,
		migrations: GRAPH_MIGRATIONS,
	});
	const writer = new GraphWriter(database);
	let seq = 0;
	fc.assert(
		fc.property(record, (each) => {
			writer.stage(++seq, [each]);
			const ids = database
				.prepare("SELECT id FROM state WHERE added_at = ?")
				.all<{ id: number }>([seq])
				.map(({ id }) => id);
			expect(recordDigests(database, ids)).toMatchObject([{ addedAt: seq, digest: graphRecordDigest(each) }]);
			const [loaded] = new GraphRecords(database).load(ids);
			expect(loaded && graphRecordDigest(loaded.record)).toBe(graphRecordDigest(each));
		}),
		{ numRuns: 500 },
	);
	database.close();
});
