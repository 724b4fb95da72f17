import { setImmediate as nextTurn } from "node:timers/promises";
import type { EntityKey } from "../../../domain/entities.js";
import type { Seq, Snapshot } from "../../../domain/snapshot.js";
import { wellFormed } from "../../../domain/well-formed.js";
import type { SqliteDatabase } from "../../sqlite/sqlite-database.js";
import { snapshotParameters, visible } from "../../sqlite/visibility.js";
import type { NameCandidate } from "../graph.port.js";
import { TextIds } from "./text-ids.js";

/** Lists of names that are kept at once: one an ingestion that is in its link step. */
const LISTS = 64;
/** States whose names are listed in one statement: other work of this process gets its turn after some ten milliseconds. */
const STATES_A_SLICE = 2_000;

/** What the link step asks: which names may lead elsewhere now, and to what. */
export class GraphLinks {
	/** By seq and source, the list of its names in a table of this connection. */
	readonly #lists = new Map<string, number>();
	#listIds = 0;
	/** Lists that have rows: those that are kept, and those that are being filled. */
	readonly #live = new Set<number>();

	constructor(
		private readonly database: SqliteDatabase,
		private readonly ids: TextIds = new TextIds(database),
	) {}

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
		if (names.length < limit) this.#forget(key);
		return names;
	}

	async #list(seq: Seq, source: string): Promise<number> {
		const list = ++this.#listIds;
		this.#live.add(list);
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
		this.#live.delete(list);
		// SQLite frees a whole table without looking at its rows.
		if (this.#live.size === 0) this.database.prepare("DELETE FROM touched_name").run();
		else this.database.prepare("DELETE FROM touched_name WHERE list = ?").run([list]);
	}

	/**
	 * Reads each name's index entries in order and leaves at the limit, so a name that thousands provide costs no more than another. The numbers of
	 * names and targets are remembered: a link state of them comes next.
	 */
	candidates(seq: Seq, source: string, base: Snapshot, names: readonly EntityKey[], limit: number): NameCandidate[] {
		if (limit <= 0) return [];
		const { database, ids } = this;
		const providers = `provided p CROSS JOIN state s ON s.id = p.state CROSS JOIN origin o ON o.id = s.origin
			WHERE p.name = t.id AND o.source = (SELECT id FROM source WHERE name = :source)
			AND (${visible("s", base)} OR s.added_at = :staging) AND (s.removed_at IS NULL OR s.removed_at <> :staging)
			ORDER BY p.rank, p.target`;
		const first = database.prepare(
			`SELECT t.text AS name, t.id, (
				SELECT json_group_array(json_array(rank, target, key))
				FROM (SELECT p.rank, p.target, s.key FROM ${providers} LIMIT :limit)
			) AS rows FROM json_each(:names) wanted CROSS JOIN term t ON t.text = wanted.value`,
		);
		const all = database.prepare(
			`SELECT p.rank, p.target FROM term t CROSS JOIN ${providers.replace("WHERE", "WHERE t.text = :name AND")}`,
		);
		const parameters = { ...snapshotParameters(base), source: wellFormed(source), staging: seq };
		const wanted = [...new Set(names.map(wellFormed))];
		return ids.reading(() => {
			const found = new Map<EntityKey, NameCandidate[]>();
			for (const row of first.all<FirstProviders>({ ...parameters, names: JSON.stringify(wanted), limit })) {
				const { name, id } = row;
				ids.learn(name, id);
				const rows = JSON.parse(row.rows) as [rank: number, target: EntityKey, key: number][];
				for (const [, target, key] of rows) ids.learn(target, key);
				const candidates = distinct(
					name,
					rows.map(([rank, target]) => ({ rank, target })),
					limit,
				);
				const cut = rows.length === limit && candidates.length < limit;
				found.set(name, cut ? distinct(name, all.iterate({ ...parameters, name }), limit) : candidates);
			}
			return wanted.flatMap((name) => found.get(name) ?? []);
		});
	}
}

interface FirstProviders {
	readonly name: EntityKey;
	readonly id: number;
	/** JSON. */
	readonly rows: string;
}

/** In their order. A target that provides a name twice counts with its first rank. */
function distinct(name: EntityKey, providers: Iterable<Omit<NameCandidate, "name">>, limit: number): NameCandidate[] {
	const found = new Map<EntityKey, NameCandidate>();
	for (const { rank, target } of providers) {
		if (!found.has(target)) found.set(target, { name, target, rank });
		if (found.size >= limit) break;
	}
	return [...found.values()];
}

const NONE = { last: null, count: 0 };
