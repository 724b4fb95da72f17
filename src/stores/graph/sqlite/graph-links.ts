import type { EntityKey } from "../../../domain/entities.js";
import type { Seq, Snapshot } from "../../../domain/snapshot.js";
import { wellFormed } from "../../../domain/well-formed.js";
import type { SqliteDatabase } from "../../sqlite/sqlite-database.js";
import { snapshotParameters, visible } from "../../sqlite/visibility.js";
import type { NameCandidate } from "../graph.port.js";

/** Lists of names that are kept at once: one an ingestion that is in its link step. */
const LISTS = 64;

/** The names of one ingestion in order, as far as they were asked for. */
interface NameList {
	readonly id: number;
	/** The last name that was answered, and its place. */
	name: EntityKey;
	place: number;
}

/** What the link step asks: which names may lead elsewhere now, and to what. */
export class GraphLinks {
	readonly #lists = new Map<string, NameList>();
	#listIds = 0;

	constructor(private readonly database: SqliteDatabase) {}

	/**
	 * To sort an ingestion's names is to read all of them: where they do not fit into the first page they are put in order once, in a table
	 * of this connection, and a later page costs what it answers. Any other question is answered anew.
	 */
	touchedNames(seq: Seq, source: string, after: EntityKey | undefined, limit: number): EntityKey[] {
		const key = `${seq} ${source}`;
		const list = this.#lists.get(key);
		if (after === undefined) {
			if (list) this.#forget(key, list);
			const first = this.#select(seq, source, undefined, limit);
			const last = first.at(-1);
			if (last !== undefined && first.length === limit) this.#keep(key, seq, source, last, limit);
			return first;
		}
		if (list?.name !== after) return this.#select(seq, source, after, limit);
		const page = this.database
			.prepare(
				`SELECT n.text AS name FROM touched_name t JOIN term n ON n.id = t.name
				WHERE t.list = ? AND t.place > ? ORDER BY t.place LIMIT ?`,
			)
			.all<{ name: EntityKey }>([list.id, list.place, limit])
			.map((row) => row.name);
		const last = page.at(-1);
		if (last === undefined || page.length < limit) this.#forget(key, list);
		else Object.assign(list, { name: last, place: list.place + page.length });
		return page;
	}

	#select(seq: Seq, source: string, after: EntityKey | undefined, limit: number): EntityKey[] {
		return this.database
			.prepare(
				`SELECT DISTINCT n.text AS name ${TOUCHED} ${after === undefined ? "" : "AND n.text > :after"}
				ORDER BY n.text LIMIT :limit`,
			)
			.all<{ name: EntityKey }>({
				seq,
				source: wellFormed(source),
				limit,
				...(after === undefined ? {} : { after: wellFormed(after) }),
			})
			.map((row) => row.name);
	}

	#keep(key: string, seq: Seq, source: string, name: EntityKey, place: number): void {
		const id = ++this.#listIds;
		this.database
			.prepare(
				`INSERT INTO touched_name (list, place, name)
				SELECT :list, row_number() OVER (ORDER BY text), id FROM (SELECT DISTINCT n.id, n.text ${TOUCHED})`,
			)
			.run({ list: id, seq, source: wellFormed(source) });
		this.#lists.set(key, { id, name, place });
		// One whose link step ended half-way.
		for (const [other, oldest] of this.#lists) {
			if (this.#lists.size <= LISTS) break;
			this.#forget(other, oldest);
		}
	}

	#forget(key: string, { id }: NameList): void {
		this.#lists.delete(key);
		this.database.prepare("DELETE FROM touched_name WHERE list = ?").run([id]);
	}

	/** Reads each name's index entries in order and leaves at the limit, so a name that thousands provide costs no more than another. */
	candidates(seq: Seq, source: string, base: Snapshot, names: readonly EntityKey[], limit: number): NameCandidate[] {
		const { database } = this;
		const providers = database.prepare(
			`SELECT p.rank, p.target FROM provided p
			CROSS JOIN state s ON s.id = p.state CROSS JOIN origin o ON o.id = s.origin
			WHERE p.name = (SELECT id FROM term WHERE text = :name) AND o.source = (SELECT id FROM source WHERE name = :source)
			AND (${visible("s", base)} OR s.added_at = :staging) AND (s.removed_at IS NULL OR s.removed_at <> :staging)
			ORDER BY p.rank, p.target`,
		);
		const parameters = { ...snapshotParameters(base), source: wellFormed(source), staging: seq };
		return database.read(() =>
			[...new Set(names.map(wellFormed))].flatMap((name) => {
				const found = new Map<EntityKey, NameCandidate>();
				if (limit <= 0) return [];
				for (const { rank, target } of providers.iterate<Omit<NameCandidate, "name">>({ ...parameters, name })) {
					// A target that provides a name twice counts with its first rank.
					if (!found.has(target)) found.set(target, { name, target, rank });
					if (found.size >= limit) break;
				}
				return [...found.values()];
			}),
		);
	}
}

const TOUCHED = `
	FROM (SELECT id, origin FROM state WHERE added_at = :seq UNION ALL SELECT id, origin FROM state WHERE removed_at = :seq) s
	JOIN origin o ON o.id = s.origin JOIN provided p ON p.state = s.id JOIN term n ON n.id = p.name
	WHERE o.source = (SELECT id FROM source WHERE name = :source)`;
