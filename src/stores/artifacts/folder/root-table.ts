import { canonicalJson, sha256 } from "../../../domain/digest.js";
import { LodeError } from "../../../domain/errors.js";
import type { Seq, Snapshot } from "../../../domain/snapshot.js";
import { assertOpen, CLOSED_SEQS_SQL, closeSeq, closeUpTo } from "../../sqlite/closed-seqs.js";
import { openDatabase, type SqliteDatabase } from "../../sqlite/sqlite-database.js";
import { committed, snapshotParameters } from "../../sqlite/visibility.js";
import type { ManifestRoot } from "../artifacts.port.js";

interface RootRow {
	readonly seq: number;
	readonly source: string;
	readonly commit_id: string;
	readonly object: string;
	readonly checksum: string;
}

/**
 * The roots of manifests. A small database beside the files, because files alone cannot check that a seq is open and write in one step
 * against another process.
 */
export class RootTable {
	readonly #database: SqliteDatabase;

	constructor(path: string) {
		this.#database = openDatabase({
			path,
			role: "artifact roots",
			synchronous: "FULL",
			migrations: [
				{
					version: 1,
					name: "roots",
					sql: `
						CREATE TABLE root (
							source TEXT NOT NULL,
							seq INTEGER NOT NULL,
							commit_id TEXT NOT NULL,
							object TEXT NOT NULL,
							checksum TEXT NOT NULL,
							PRIMARY KEY (source, seq)
						) STRICT, WITHOUT ROWID;
						CREATE INDEX root_seq ON root (seq);
						${CLOSED_SEQS_SQL}
					`,
				},
			],
		});
	}

	stage(seq: Seq, root: ManifestRoot): void {
		this.#database.transaction(() => {
			assertOpen(this.#database, seq);
			this.#database
				.prepare("INSERT OR REPLACE INTO root (source, seq, commit_id, object, checksum) VALUES (?, ?, ?, ?, ?)")
				.run([root.source, seq, root.commit, root.object, checksum(seq, root)]);
		});
	}

	staged(seq: Seq): ManifestRoot | undefined {
		const row = this.#database.prepare("SELECT * FROM root WHERE seq = ? ORDER BY source LIMIT 1").get<RootRow>([seq]);
		return row && toRoot(row);
	}

	/** Ingestions of one source follow each other, so the last one that a snapshot has is the one with the highest seq. */
	at(snapshot: Snapshot, source: string): ManifestRoot | undefined {
		const row = this.#database
			.prepare(`SELECT * FROM root WHERE source = :source AND ${committed("seq", snapshot)} ORDER BY seq DESC LIMIT 1`)
			.get<RootRow>({ ...snapshotParameters(snapshot), source });
		return row && toRoot(row);
	}

	all(): { seq: Seq; root: ManifestRoot }[] {
		return this.#database
			.prepare("SELECT * FROM root ORDER BY seq, source")
			.all<RootRow>()
			.map((row) => ({ seq: row.seq, root: toRoot(row) }));
	}

	discard(seq: Seq): void {
		this.#database.transaction(() => {
			closeSeq(this.#database, seq);
			this.#database.prepare("DELETE FROM root WHERE seq = ?").run([seq]);
		});
	}

	collect(source: string, horizon: Snapshot, open: readonly Seq[]): number {
		return this.#database.transaction(() => {
			closeUpTo(this.#database, horizon.seq, open);
			return this.#database
				.prepare(
					`DELETE FROM root WHERE source = :source AND ${committed("seq", horizon)} AND seq < (
						SELECT max(seq) FROM root WHERE source = :source AND ${committed("seq", horizon)})`,
				)
				.run({ ...snapshotParameters(horizon), source }).changes;
		});
	}

	drop(source: string): void {
		this.#database.transaction(() => {
			this.#database.prepare("DELETE FROM root WHERE source = ?").run([source]);
		});
	}

	close(): void {
		this.#database.close();
	}
}

const checksum = (seq: Seq, { source, commit, object }: ManifestRoot): string =>
	sha256(canonicalJson([seq, source, commit, object]));

function toRoot(row: RootRow): ManifestRoot {
	const root = { source: row.source, commit: row.commit_id, object: row.object };
	if (checksum(row.seq, root) === row.checksum) return root;
	throw new LodeError(
		"STORE_CORRUPT",
		`The manifest root of ${row.source} at seq ${row.seq} is not the one that was staged`,
		{
			next: "Ingest the source again, or restore the archive from a backup.",
		},
	);
}
