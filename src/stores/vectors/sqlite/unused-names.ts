import { setImmediate as nextTurn } from "node:timers/promises";
import type { SqliteDatabase } from "../../sqlite/sqlite-database.js";

/** Chunks looked at in one turn: some 20 ms. */
const CHUNKS = 20_000;
/** Names looked at, or deleted in one transaction. */
const NAMES = 5_000;

const ROLES = {
	name: ["source_id", "group_id", "origin_id", "kind_id", "language_id"],
	path: ["path_id"],
	model: ["model_id"],
} as const;
type Table = keyof typeof ROLES;
const COLUMNS = Object.values(ROLES).flat();

/**
 * Deletes names, paths and models that no chunk refers to. One pass over all chunks, because no index leads from a name to them: it holds no
 * lock, and the event loop gets its turns. A chunk never changes to what it refers and later ones have higher ids, so what came meanwhile is
 * found in the transaction that deletes. What a crash leaves is deleted by the next one.
 */
export async function removeUnusedNames(database: SqliteDatabase): Promise<void> {
	const used = new UsedIds(database);
	while (used.read()) await nextTurn();
	for (const table of Object.keys(ROLES) as Table[]) {
		// The newest model stays: an index in memory knows models by id, and SQLite gives the highest one again.
		const within = table === "model" ? "AND id < (SELECT max(id) FROM model)" : "";
		const page = database.prepare(`SELECT id FROM ${table} WHERE id > ? ${within} ORDER BY id LIMIT ${NAMES}`);
		for (let after: number | undefined = 0; after !== undefined; await nextTurn()) {
			const ids: number[] = page.all<{ id: number }>([after]).map(({ id }) => id);
			after = ids.length < NAMES ? undefined : ids.at(-1);
			if (ids.every((id) => used.has(table, id))) continue;
			database.transaction(() => {
				while (used.read());
				const unused = JSON.stringify(ids.filter((id) => !used.has(table, id)));
				database.prepare(`DELETE FROM ${table} WHERE id IN (SELECT value FROM json_each(?))`).run([unused]);
			});
		}
	}
}

/** The ids that chunks refer to, as far as they were read. */
class UsedIds {
	readonly #ids: Record<Table, Set<number>> = { name: new Set(), path: new Set(), model: new Set() };
	readonly #database: SqliteDatabase;
	#last = 0;

	constructor(database: SqliteDatabase) {
		this.#database = database;
	}

	has(table: Table, id: number): boolean {
		return this.#ids[table].has(id);
	}

	/** Reads on; false where there were no more. */
	read(): boolean {
		const { last } = this.#database
			.prepare(`SELECT max(id) AS last FROM (SELECT id FROM chunk WHERE id > ? ORDER BY id LIMIT ${CHUNKS})`)
			.get<{ last: number | null }>([this.#last]) ?? { last: null };
		if (last === null) return false;
		// Chunks of a file lie together and differ in little: few rows leave SQLite.
		const rows = this.#database
			.prepare(`SELECT DISTINCT ${COLUMNS.join(", ")} FROM chunk NOT INDEXED WHERE id > ? AND id <= ?`)
			.all<Record<(typeof COLUMNS)[number], number | null>>([this.#last, last]);
		for (const row of rows)
			for (const table of Object.keys(ROLES) as Table[])
				for (const column of ROLES[table]) {
					const id = row[column];
					if (id !== null) this.#ids[table].add(id);
				}
		this.#last = last;
		return true;
	}
}
