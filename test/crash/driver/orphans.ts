import { readdirSync } from "node:fs";
import { join } from "node:path";
import { columnsOf, DATABASES, tablesOf, withRawDatabase } from "../../support/home-rows.js";

/** Records of seqs that are not published, where they lie. Empty is what it should be. */
export type Orphan = { readonly place: string; readonly seq: number };

/** What tells of a seq and is no record of it. */
const TELL_OF_IT = new Set(["ingestion", "closed_seq", "closed_below", "closed_below_except", "snapshot", "event"]);
const SEQ_COLUMNS = new Set(["added_at", "removed_at", "seq"]);

/** Every row of every table of every file, read past the stores. */
export function embeddedOrphans(home: string, published: ReadonlySet<number>): Orphan[] {
	const orphans: Orphan[] = [];
	for (const file of DATABASES) {
		withRawDatabase(home, file, (raw) => {
			for (const table of tablesOf(raw).filter((name) => !TELL_OF_IT.has(name) && !name.startsWith("sqlite_"))) {
				for (const column of columnsOf(raw, table).filter((name) => SEQ_COLUMNS.has(name))) {
					const rows = raw.prepare(`SELECT DISTINCT ${column} AS seq FROM ${table} WHERE ${column} IS NOT NULL`).all();
					for (const seq of rows.map((row) => Number(row.seq)))
						if (!published.has(seq)) orphans.push({ place: `${file} ${table}.${column}`, seq });
				}
			}
		});
	}
	return [...orphans, ...unfinished(join(home, "artifacts", "derived", "ingestions"), published)];
}

/** What an ingestion keeps in the archive while it runs. A published one's may stay for garbage collection. */
function unfinished(folder: string, published: ReadonlySet<number>): Orphan[] {
	try {
		const seqs = readdirSync(folder).filter((seq) => readdirSync(join(folder, seq)).length > 0);
		return seqs.map(Number).flatMap((seq) => (published.has(seq) ? [] : [{ place: "archive ingestions/", seq }]));
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
		throw error;
	}
}
