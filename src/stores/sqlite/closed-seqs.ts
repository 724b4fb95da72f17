import { LodeError } from "../../domain/errors.js";
import type { Seq } from "../../domain/snapshot.js";
import type { SqliteDatabase } from "./sqlite-database.js";

/**
 * Which seqs a store refuses: those closed one by one by discard, and all up to a mark but its exceptions, so that the list does not
 * grow for ever. Put this text in a migration of the store.
 */
export const CLOSED_SEQS_SQL = `
	CREATE TABLE closed_seq (seq INTEGER PRIMARY KEY) STRICT;
	CREATE TABLE closed_below (id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER NOT NULL) STRICT;
	CREATE TABLE closed_below_except (seq INTEGER PRIMARY KEY) STRICT;
	INSERT INTO closed_below VALUES (1, 0);
`;

const IS_CLOSED = `
	SELECT EXISTS (SELECT 1 FROM closed_seq WHERE seq = :seq)
		OR (:seq <= (SELECT seq FROM closed_below) AND NOT EXISTS (SELECT 1 FROM closed_below_except WHERE seq = :seq)) AS closed`;

/** Call it in the transaction of the write that it guards, or a discard may come between. @throws SEQ_CLOSED */
export function assertOpen(database: SqliteDatabase, seq: Seq): void {
	if (database.prepare(IS_CLOSED).get<{ closed: number }>({ seq })?.closed !== 1) return;
	throw new LodeError("SEQ_CLOSED", `The ${database.role} store takes no more writes for seq ${seq}: it was closed`);
}

/** Closes one seq, any number of times. Call it in the transaction that deletes the seq's records. */
export function closeSeq(database: SqliteDatabase, seq: Seq): void {
	database.transaction(() => {
		database.prepare("INSERT INTO closed_seq (seq) VALUES (?) ON CONFLICT DO NOTHING").run([seq]);
	});
}

/** Opens every seq again. Call it in the transaction that deletes all records. */
export function openAll(database: SqliteDatabase): void {
	database.transaction(() => {
		for (const table of ["closed_seq", "closed_below_except"]) database.prepare(`DELETE FROM ${table}`).run();
		database.prepare("UPDATE closed_below SET seq = 0").run();
	});
}

/** Closes every seq up to `upTo` but those in `open`. A seq that is closed already stays so. */
export function closeUpTo(database: SqliteDatabase, upTo: Seq, open: readonly Seq[]): void {
	database.transaction(() => {
		const before = database.prepare("SELECT seq FROM closed_below").get<{ seq: number }>()?.seq ?? 0;
		const stillOpen = JSON.stringify(open);
		database
			.prepare(
				`DELETE FROM closed_below_except WHERE seq IN (SELECT seq FROM closed_seq)
					OR (seq <= :upTo AND seq NOT IN (SELECT value FROM json_each(:stillOpen)))`,
			)
			.run({ upTo, stillOpen });
		if (upTo <= before) return;
		database
			.prepare(
				`INSERT INTO closed_below_except
				SELECT DISTINCT value FROM json_each(:stillOpen)
				WHERE value > :before AND value <= :upTo AND value NOT IN (SELECT seq FROM closed_seq)`,
			)
			.run({ stillOpen, before, upTo });
		database.prepare("UPDATE closed_below SET seq = ?").run([upTo]);
		database.prepare("DELETE FROM closed_seq WHERE seq <= ?").run([upTo]);
	});
}
