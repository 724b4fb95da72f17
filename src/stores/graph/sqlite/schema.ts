import { hash } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import type { Seq } from "../../../domain/snapshot.js";
import { CLOSED_SEQS_SQL } from "../../sqlite/closed-seqs.js";
import type { Migration } from "../../sqlite/sqlite-database.js";
import { CHANGED_SEQS_SQL, FREED_CHANGES_SQL } from "./changed-seqs.js";

/**
 * Keys and names are long and repeat: `term` gives each a number, which made a million edges a fifth as large and three times as fast to
 * write as texts in place (measured: 106 MB and 7 s against 557 MB and 24 s). `arrival` is `edge` seen from the other end, and the one place
 * that pays for texts: names such as `len` have tens of thousands of incoming edges, of which a reader wants the first hundred in
 * order, so their order must come from the b-tree (0.1 ms instead of 40 ms). `provided.target` is there for the same reason.
 *
 * `digest` is the record's digest when it was staged and `checksum` covers it and the lifetime: only `check` reads them, to name the record
 * that was changed behind our back. Tallies never do: they are computed from the content.
 */
export const GRAPH_MIGRATIONS: readonly Migration[] = [
	{
		version: 1,
		name: "states, edges, provided names",
		sql: `
			CREATE TABLE source (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
			CREATE TABLE origin (
				id INTEGER PRIMARY KEY,
				source INTEGER NOT NULL,
				name TEXT NOT NULL,
				UNIQUE (source, name)
			) STRICT;
			CREATE TABLE term (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
			CREATE TABLE state (
				id INTEGER PRIMARY KEY,
				origin INTEGER NOT NULL,
				key INTEGER NOT NULL,
				kind TEXT NOT NULL,
				name TEXT NOT NULL,
				props TEXT NOT NULL,
				added_at INTEGER NOT NULL,
				removed_at INTEGER,
				digest BLOB NOT NULL,
				checksum BLOB NOT NULL
			) STRICT;
			CREATE UNIQUE INDEX state_identity ON state (origin, key, added_at);
			CREATE INDEX state_key ON state (key);
			CREATE INDEX state_kind_name ON state (kind, name);
			CREATE INDEX state_added ON state (added_at);
			CREATE INDEX state_removed ON state (removed_at) WHERE removed_at IS NOT NULL;
			CREATE TABLE edge (
				state INTEGER NOT NULL,
				kind TEXT NOT NULL,
				target INTEGER NOT NULL,
				PRIMARY KEY (state, kind, target)
			) STRICT, WITHOUT ROWID;
			CREATE TABLE arrival (
				target INTEGER NOT NULL,
				kind TEXT NOT NULL,
				from_key TEXT NOT NULL,
				state INTEGER NOT NULL,
				PRIMARY KEY (target, kind, from_key, state)
			) STRICT, WITHOUT ROWID;
			CREATE TABLE provided (
				state INTEGER NOT NULL,
				name INTEGER NOT NULL,
				rank INTEGER NOT NULL,
				target TEXT NOT NULL,
				PRIMARY KEY (state, name, rank)
			) STRICT, WITHOUT ROWID;
			CREATE INDEX provided_name ON provided (name, rank, target);
			${CLOSED_SEQS_SQL}
		`,
	},
	{
		version: 2,
		name: "when each source changed",
		sql: CHANGED_SEQS_SQL,
	},
];

/** Covers what may change in a row besides its content. */
export function lifetimeChecksum(digest: Uint8Array, addedAt: Seq, removedAt: Seq | null): Uint8Array {
	const life = `${addedAt} ${removedAt}`;
	const bytes = Buffer.allocUnsafe(digest.length + life.length);
	bytes.set(digest);
	bytes.write(life, digest.length, "latin1");
	// By way of a text: a buffer of its own for each costs twice as much.
	return Buffer.from(hash("sha256", bytes, "hex").slice(0, 32), "hex");
}

/** Makes the checksum available to statements, and the scratch tables of deletions and of the link step. */
export function prepareGraphConnection(raw: DatabaseSync): void {
	raw.function("lifetime_checksum", { deterministic: true }, (digest, addedAt, removedAt) =>
		lifetimeChecksum(digest as Uint8Array, Number(addedAt), removedAt === null ? null : Number(removedAt)),
	);
	raw.exec(`
		CREATE TEMP TABLE doomed_state (id INTEGER PRIMARY KEY);
		CREATE TEMP TABLE freed_term (id INTEGER PRIMARY KEY);
		CREATE TEMP TABLE freed_origin (id INTEGER PRIMARY KEY);
		${FREED_CHANGES_SQL}
		CREATE TEMP TABLE touched_name (list INTEGER, name TEXT, PRIMARY KEY (list, name)) WITHOUT ROWID;
	`);
}
