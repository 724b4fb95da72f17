import { setImmediate as nextTurn } from "node:timers/promises";
import { canonicalJson } from "../../../domain/digest.js";
import { type GraphRecord, normalRecord, normalRecordDigest } from "../../../domain/entities.js";
import type { Seq, Snapshot } from "../../../domain/snapshot.js";
import { wellFormed } from "../../../domain/well-formed.js";
import { assertOpen, closeSeq, closeUpTo, openAll } from "../../sqlite/closed-seqs.js";
import type { Parameters, SqliteDatabase } from "../../sqlite/sqlite-database.js";
import { committed, snapshotParameters } from "../../sqlite/visibility.js";
import { changedStates, DELETE_FREED, forgetRemovals, NOTE_DOOMED, recordChange } from "./changed-seqs.js";
import { lifetimeChecksum } from "./schema.js";
import { TextIds } from "./text-ids.js";

/** States deleted in one transaction: others wait for the lock no longer than that takes. */
const DELETE_SLICE = 5_000;

/** CROSS keeps the order: left to itself, the planner reads the whole list again for each origin that the source has. */
const RETIRE = `
	UPDATE state SET removed_at = :seq, checksum = lifetime_checksum(digest, added_at, :seq)
	WHERE added_at < :seq AND removed_at IS NULL AND origin IN (
		SELECT o.id FROM json_each(:origins) wanted
		CROSS JOIN origin o ON o.name = wanted.value AND o.source = (SELECT id FROM source WHERE name = :source))`;

/** All writes of the graph. */
export class GraphWriter {
	readonly #ids: TextIds;

	constructor(
		private readonly database: SqliteDatabase,
		ids: TextIds = new TextIds(database),
	) {
		this.#ids = ids;
	}

	stage(seq: Seq, records: Iterable<GraphRecord>): void {
		const { database } = this;
		const insertState = database.prepare(
			`INSERT INTO state (origin, key, kind, name, props, added_at, removed_at, digest, checksum)
			VALUES (?, ?, ?, ?, ?, ?, NULL, ?, ?) ON CONFLICT DO NOTHING`,
		);
		const insertEdge = database.prepare("INSERT INTO edge (state, kind, target) VALUES (?, ?, ?)");
		const insertArrival = database.prepare("INSERT INTO arrival (target, kind, from_key, state) VALUES (?, ?, ?, ?)");
		const insertProvided = database.prepare("INSERT INTO provided (state, name, rank, target) VALUES (?, ?, ?, ?)");
		const ids = this.#ids;
		ids.within(() => {
			assertOpen(database, seq);
			const sources = new Set<string>();
			const arrivals: { target: number; kind: string; from: string; state: number }[] = [];
			for (const given of records) {
				const record = normalRecord(given);
				const digest = Buffer.from(normalRecordDigest(record), "hex");
				const { changes, lastInsertRowid: state } = insertState.run([
					ids.origin(record.source, record.origin),
					ids.term(record.key),
					record.kind,
					record.name,
					canonicalJson(record.props),
					seq,
					digest,
					lifetimeChecksum(digest, seq, null),
				]);
				if (changes === 0) continue;
				sources.add(record.source);
				for (const edge of record.edges) {
					const target = ids.term(edge.to);
					insertEdge.run([state, edge.kind, target]);
					arrivals.push({ target, kind: edge.kind, from: record.key, state });
				}
				for (const { name, rank } of record.provides) insertProvided.run([state, ids.term(name), rank, record.key]);
			}
			for (const source of sources) recordChange(database, ids.source(source), "added", seq);
			// Neighbours in the b-tree together: otherwise a large batch reads and writes its pages again and again.
			arrivals.sort((a, b) => a.target - b.target);
			for (const { target, kind, from, state } of arrivals) insertArrival.run([target, kind, from, state]);
		});
	}

	retire(seq: Seq, source: string, origins: readonly string[]): void {
		const { database } = this;
		const ids = this.#ids;
		const name = wellFormed(source);
		ids.within(() => {
			assertOpen(database, seq);
			const { changes } = database
				.prepare(RETIRE)
				.run({ seq, source: name, origins: JSON.stringify(origins.map(wellFormed)) });
			if (changes > 0) recordChange(database, ids.source(name), "removed", seq);
		});
	}

	/** Once it is closed nobody writes for the seq, so the rest may go in slices and be taken up again after a crash. */
	async discard(seq: Seq): Promise<void> {
		const { database } = this;
		database.transaction(() => {
			closeSeq(database, seq);
			database
				.prepare(
					`UPDATE state SET removed_at = NULL, checksum = lifetime_checksum(digest, added_at, NULL)
					WHERE removed_at = ?`,
				)
				.run([seq]);
			forgetRemovals(database, seq);
		});
		await this.#deleteStates("SELECT id FROM state WHERE added_at = :seq", { seq });
	}

	async collect(source: string, horizon: Snapshot, open: readonly Seq[]): Promise<number> {
		closeUpTo(this.database, horizon.seq, open);
		return await this.#deleteStates(`SELECT s.id ${changedStates("removed", committed("c.seq", horizon))}`, {
			...snapshotParameters(horizon),
			source: wellFormed(source),
		});
	}

	async dropSource(source: string): Promise<void> {
		await this.#deleteStates(
			`SELECT s.id FROM origin o JOIN state s ON s.origin = o.id
			WHERE o.source = (SELECT id FROM source WHERE name = :source)`,
			{ source: wellFormed(source) },
		);
	}

	/** In one transaction: SQLite frees whole tables without looking at their rows. */
	clear(): void {
		const { database } = this;
		this.#ids.forget();
		database.transaction(() => {
			for (const table of ["provided", "arrival", "edge", "state", "changed_seq", "term", "origin", "source"])
				database.prepare(`DELETE FROM ${table}`).run();
			openAll(database);
		});
	}

	/** Deletes the states that the query selects, with all that belongs to them and the texts that nothing else uses. */
	async #deleteStates(query: string, parameters: Parameters): Promise<number> {
		const { database } = this;
		for (let deleted = 0; ; ) {
			this.#ids.forget();
			const slice = database.transaction(() => {
				const found = database
					.prepare(`INSERT INTO doomed_state ${query} LIMIT ${DELETE_SLICE}`)
					.run(parameters).changes;
				if (found > 0) for (const sql of DELETE_DOOMED) database.prepare(sql).run();
				return found;
			});
			deleted += slice;
			if (slice < DELETE_SLICE) return deleted;
			await nextTurn();
		}
	}
}

const DOOMED = "(SELECT id FROM doomed_state)";
const DELETE_DOOMED = [
	`INSERT OR IGNORE INTO freed_term SELECT key FROM state WHERE id IN ${DOOMED}`,
	`INSERT OR IGNORE INTO freed_term SELECT target FROM edge WHERE state IN ${DOOMED}`,
	`INSERT OR IGNORE INTO freed_term SELECT name FROM provided WHERE state IN ${DOOMED}`,
	`INSERT OR IGNORE INTO freed_origin SELECT origin FROM state WHERE id IN ${DOOMED}`,
	...NOTE_DOOMED,
	`DELETE FROM arrival WHERE (target, kind, from_key, state) IN (
		SELECT e.target, e.kind, k.text, e.state FROM doomed_state d
		CROSS JOIN edge e ON e.state = d.id CROSS JOIN state s ON s.id = e.state CROSS JOIN term k ON k.id = s.key)`,
	`DELETE FROM edge WHERE state IN ${DOOMED}`,
	`DELETE FROM provided WHERE state IN ${DOOMED}`,
	`DELETE FROM state WHERE id IN ${DOOMED}`,
	...DELETE_FREED,
	`DELETE FROM term WHERE id IN (SELECT id FROM freed_term)
		AND NOT EXISTS (SELECT 1 FROM state WHERE key = term.id)
		AND NOT EXISTS (SELECT 1 FROM arrival WHERE target = term.id)
		AND NOT EXISTS (SELECT 1 FROM provided WHERE name = term.id)`,
	`DELETE FROM origin WHERE id IN (SELECT id FROM freed_origin) AND NOT EXISTS (SELECT 1 FROM state WHERE origin = origin.id)`,
	"DELETE FROM source WHERE NOT EXISTS (SELECT 1 FROM origin WHERE source = source.id)",
	"DELETE FROM doomed_state",
	"DELETE FROM freed_term",
	"DELETE FROM freed_origin",
];
