import { setImmediate as nextTurn } from "node:timers/promises";
import { LodeError } from "../../../domain/errors.js";
import { type ChunkRecord, chunkRecordDigest } from "../../../domain/mined-file.js";
import type { Seq } from "../../../domain/snapshot.js";
import { assertOpen, openAll } from "../../sqlite/closed-seqs.js";
import type { Parameters, SqliteDatabase } from "../../sqlite/sqlite-database.js";
import { chunkTerms, symbolTail, termsChecksum } from "./chunk-terms.js";
import { recordChange } from "./memory/change-log.js";
import { FULL_TEXT_INDEXES, fullTextIndexOf, lifeSql } from "./schema.js";
import { floatBytes, signBits } from "./vector-codec.js";

/** Chunks deleted in one transaction: some 100 ms. */
const REMOVE_SLICE = 4_000;

/** Writes and deletes chunks with all that derives from them: content, vector, sign bits, full text. */
export class ChunkWriter {
	readonly #database: SqliteDatabase;

	constructor(database: SqliteDatabase) {
		this.#database = database;
	}

	/** One transaction. @throws SEQ_CLOSED, MODEL_MISMATCH */
	stage(seq: Seq, records: readonly ChunkRecord[]): void {
		// Hashing and tokenising stay outside: the write lock is held for the writes alone.
		const prepared = records.map((record) => {
			const terms = chunkTerms(record);
			return { record, terms, checksum: termsChecksum(terms), digest: Buffer.from(chunkRecordDigest(record), "hex") };
		});
		const insertChunk = this.#database.prepare(
			`INSERT INTO chunk (model_id, source_id, group_id, origin_id, path_id, language_id, kind_id, ordinal, start_line,
				end_line, added_at, removed_at, life, bits)
			VALUES (:model, :source, :group, :origin, :path, :language, :kind, :ordinal, :start, :end, :seq, NULL,
				${lifeSql(":seq", "NULL")}, :bits)
			ON CONFLICT (source_id, origin_id, group_id, ordinal, added_at) DO NOTHING`,
		);
		const insertContent = this.#database.prepare("INSERT INTO content VALUES (?, ?, ?, ?, ?, ?)");
		const insertVector = this.#database.prepare("INSERT INTO vector VALUES (?, ?)");
		const insertTerms = new Map(
			FULL_TEXT_INDEXES.map((index) => [
				index,
				this.#database.prepare(`INSERT INTO ${index.name} (rowid, text, path, symbol) VALUES (?, ?, ?, ?)`),
			]),
		);
		this.#database.transaction(() => {
			assertOpen(this.#database, seq);
			const names = new Dictionary(this.#database, "name");
			const paths = new Dictionary(this.#database, "path");
			const models = new Map<string, Model>();
			for (const { record, terms, checksum, digest } of prepared) {
				const model = models.get(record.model) ?? this.#model(record);
				models.set(record.model, model);
				checkDimensions(model, record);
				const { changes, lastInsertRowid: id } = insertChunk.run({
					model: model.id,
					source: names.id(record.source),
					group: names.id(record.group),
					origin: names.id(record.origin),
					path: paths.id(record.path),
					language: record.language === undefined ? null : names.id(record.language),
					kind: names.id(record.kind),
					ordinal: record.ordinal,
					start: record.startLine,
					end: record.endLine,
					seq,
					bits: signBits(record.vector),
				});
				if (changes === 0) continue;
				const symbol = record.symbol ?? null;
				insertContent.run([id, symbol, symbol === null ? null : symbolTail(symbol), record.text, digest, checksum]);
				insertVector.run([id, floatBytes(record.vector)]);
				insertTerms
					.get(fullTextIndexOf(record.kind))
					?.run([id, terms.text.join(" "), terms.path.join(" "), terms.symbol.join(" ")]);
			}
		});
	}

	/**
	 * Deletes the chunks of a condition over `chunk` in slices: between two of them others get the lock, and this process its turn
	 * (heartbeats). What a crash leaves is deleted by a repeat.
	 */
	async remove(where: string, parameters: Exclude<Parameters, readonly unknown[]>): Promise<Removal> {
		for (let removed = 0, emptied = false; ; await nextTurn()) {
			const slice = this.#removeSlice(where, parameters);
			removed += slice.removed;
			emptied ||= slice.emptied;
			if (slice.removed < REMOVE_SLICE) return { removed, emptied };
		}
	}

	/** In one transaction: SQLite frees whole tables without looking at their rows. */
	clear(): void {
		this.#database.transaction(() => {
			// The command of FTS5 for a table that holds no text (https://sqlite.org/fts5.html, "The 'delete-all' Command").
			for (const { name } of FULL_TEXT_INDEXES)
				this.#database.prepare(`INSERT INTO ${name} (${name}) VALUES ('delete-all')`).run();
			for (const table of ["vector", "content", "chunk", "model", "name", "path"])
				this.#database.prepare(`DELETE FROM ${table}`).run();
			recordChange(this.#database, undefined);
			openAll(this.#database);
		});
	}

	#removeSlice(where: string, parameters: Exclude<Parameters, readonly unknown[]>): Removal {
		return this.#database.transaction(() => {
			const ids = this.#database
				.prepare(`SELECT id FROM chunk WHERE ${where} LIMIT ${REMOVE_SLICE}`)
				.all<{ id: number }>(parameters)
				.map((row) => row.id);
			if (ids.length === 0) return { removed: 0, emptied: false };
			const list = JSON.stringify(ids);
			for (const { name } of FULL_TEXT_INDEXES) {
				this.#database.prepare(`DELETE FROM ${name} WHERE rowid IN (SELECT value FROM json_each(?))`).run([list]);
			}
			for (const table of ["vector", "content"]) {
				this.#database.prepare(`DELETE FROM ${table} WHERE id IN (SELECT value FROM json_each(?))`).run([list]);
			}
			const deleted = this.#database
				.prepare(
					`DELETE FROM chunk WHERE id IN (SELECT value FROM json_each(?))
					RETURNING source_id, origin_id, group_id, path_id, model_id`,
				)
				.all<Place>([list]);
			recordChange(this.#database, ids);
			return { removed: ids.length, emptied: this.#areEmpty(deleted) };
		});
	}

	/** Whether one of the places has no chunk any more. */
	#areEmpty(places: readonly Place[]): boolean {
		const distinct = new Set(
			places.map((each) => [each.source_id, each.origin_id, each.group_id, each.path_id, each.model_id].join()),
		);
		return (
			this.#database
				.prepare(
					`SELECT 1 FROM json_each(?) p WHERE NOT EXISTS (
						SELECT 1 FROM chunk c WHERE c.source_id = json_extract(p.value, '$[0]') AND c.origin_id = json_extract(p.value, '$[1]')
							AND c.group_id = json_extract(p.value, '$[2]') AND c.path_id = json_extract(p.value, '$[3]')
							AND c.model_id = json_extract(p.value, '$[4]')
					) LIMIT 1`,
				)
				.get([`[${[...distinct].map((place) => `[${place}]`).join()}]`]) !== undefined
		);
	}

	/** The first vector of a model settles its dimensions. */
	#model(record: ChunkRecord): Model {
		this.#database
			.prepare("INSERT INTO model (text, dimensions) VALUES (?, ?) ON CONFLICT DO NOTHING")
			.run([record.model, record.vector.length]);
		return this.#database
			.prepare("SELECT id, dimensions FROM model WHERE text = ?")
			.get<Model>([record.model]) as Model;
	}
}

/** How many chunks went, and whether with the last one of a file, a group or a model: names may then be without use. */
interface Removal {
	readonly removed: number;
	readonly emptied: boolean;
}

interface Place {
	readonly source_id: number;
	readonly origin_id: number;
	readonly group_id: number;
	readonly path_id: number;
	readonly model_id: number;
}

interface Model {
	readonly id: number;
	readonly dimensions: number;
}

function checkDimensions(model: Model, record: ChunkRecord): void {
	if (record.vector.length === model.dimensions && model.dimensions > 0) return;
	throw new LodeError(
		"MODEL_MISMATCH",
		`Cannot store ${record.origin} chunk ${record.ordinal}: its vector has ${record.vector.length} dimensions, ${record.model} has ${model.dimensions}`,
		{ next: "Give the other model another id, or re-index the group." },
	);
}

/** Ids of texts in a dictionary table, remembered for the length of one transaction. */
class Dictionary {
	readonly #ids = new Map<string, number>();
	readonly #database: SqliteDatabase;
	readonly #table: "name" | "path";

	constructor(database: SqliteDatabase, table: "name" | "path") {
		this.#database = database;
		this.#table = table;
	}

	id(text: string): number {
		const known = this.#ids.get(text);
		if (known !== undefined) return known;
		const found = this.#database.prepare(`SELECT id FROM ${this.#table} WHERE text = ?`).get<{ id: number }>([text]);
		const id =
			found?.id ?? this.#database.prepare(`INSERT INTO ${this.#table} (text) VALUES (?)`).run([text]).lastInsertRowid;
		this.#ids.set(text, id);
		return id;
	}
}
