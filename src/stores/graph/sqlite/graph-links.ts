import { setImmediate as nextTurn } from "node:timers/promises";
import type { EntityKey } from "../../../domain/entities.js";
import type { Seq, Snapshot } from "../../../domain/snapshot.js";
import { wellFormed } from "../../../domain/well-formed.js";
import type { SqliteDatabase } from "../../sqlite/sqlite-database.js";
import { snapshotParameters, visible } from "../../sqlite/visibility.js";
import type { NameCandidate } from "../graph.port.js";

/** Lists of names that are kept at once: one an ingestion that is in its link step. */
const LISTS = 64;
/** States whose names are listed in one statement: other work of this process gets its turn after some ten milliseconds. */
const STATES_A_SLICE = 2_000;

/** What the link step asks: which names may lead elsewhere now, and to what. */
export class GraphLinks {
	/** By seq and source, the list of its names in a table of this connection. */
	readonly #lists = new Map<string, number>();
	#listIds = 0;

	constructor(private readonly database: SqliteDatabase) {}

	/**
	 * To order an ingestion's names is to read all of them: they are listed with the first question, and a later page costs what it answers. The
	 * table lies in a file where it grows (see sqlite-database.ts), so memory does not follow the number of names.
	 */
	async touchedNames(seq: Seq, source: string, after: EntityKey | undefined, limit: number): Promise<EntityKey[]> {
		const key = `${seq} ${source}`;
		// Between the first question and the last nothing is staged: a first one is always answered anew.
		const known = after === undefined ? undefined : this.#lists.get(key);
		const list = known ?? (await this.#list(seq, source));
		if (known === undefined) this.#keep(key, list);
		const names = this.database
			.prepare(
				`SELECT name FROM touched_name WHERE list = :list ${after === undefined ? "" : "AND name > :after"}
				ORDER BY name LIMIT :limit`,
			)
			.all<{ name: EntityKey }>({ list, limit, ...(after === undefined ? {} : { after: wellFormed(after) }) })
			.map((row) => row.name);
		if (names.length === 0) this.#forget(key);
		return names;
	}

	async #list(seq: Seq, source: string): Promise<number> {
		const list = ++this.#listIds;
		try {
			await this.#fill(list, seq, source);
			return list;
		} catch (error) {
			this.#drop(list);
			throw error;
		}
	}

	async #fill(list: number, seq: Seq, source: string): Promise<void> {
		for (const when of ["added_at", "removed_at"] as const) {
			const slice = `SELECT id, origin FROM state WHERE ${when} = :seq AND id > :after ORDER BY id LIMIT ${STATES_A_SLICE}`;
			const bounds = this.database.prepare(`SELECT max(id) AS last, count(*) AS count FROM (${slice})`);
			const insert = this.database.prepare(
				`INSERT OR IGNORE INTO touched_name (list, name)
				SELECT :list, n.text FROM (${slice}) s
				CROSS JOIN origin o ON o.id = s.origin AND o.source = (SELECT id FROM source WHERE name = :source)
				CROSS JOIN provided p ON p.state = s.id CROSS JOIN term n ON n.id = p.name`,
			);
			for (let after = Number.MIN_SAFE_INTEGER; ; await nextTurn()) {
				const { last, count } = bounds.get<{ last: number | null; count: number }>({ seq, after }) ?? NONE;
				if (last === null) break;
				insert.run({ list, seq, source: wellFormed(source), after });
				if (count < STATES_A_SLICE) break;
				after = last;
			}
		}
	}

	#keep(key: string, list: number): void {
		this.#forget(key);
		this.#lists.set(key, list);
		const oldest = this.#lists.keys().next().value;
		// One whose link step ended half-way.
		if (this.#lists.size > LISTS && oldest !== undefined) this.#forget(oldest);
	}

	#forget(key: string): void {
		const list = this.#lists.get(key);
		this.#lists.delete(key);
		if (list !== undefined) this.#drop(list);
	}

	#drop(list: number): void {
		this.database.prepare("DELETE FROM touched_name WHERE list = ?").run([list]);
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

const NONE = { last: null, count: 0 };
