import { canonicalJson, sha256 } from "../../../domain/digest.js";
import { errorCode, LodeError } from "../../../domain/errors.js";
import type { Seq, Snapshot } from "../../../domain/snapshot.js";
import { assertOpen, CLOSED_SEQS_SQL, closeSeq, closeUpTo } from "../../sqlite/closed-seqs.js";
import { highestSeq } from "../../sqlite/highest-seq.js";
import { schemaProblems } from "../../sqlite/schema-check.js";
import { type Migration, openDatabase, type SqliteDatabase } from "../../sqlite/sqlite-database.js";
import { committed, snapshotParameters } from "../../sqlite/visibility.js";
import type { StoreProblem } from "../../versioned.port.js";
import type { ManifestRoot } from "../artifacts.port.js";

interface RootRow {
	readonly seq: number;
	readonly source: string;
	readonly commit_id: string;
	readonly object: string;
	readonly checksum: string;
}

const MIGRATIONS: readonly Migration[] = [
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
];

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
			cacheMb: 4,
			migrations: MIGRATIONS,
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

	highestSeq(): Seq {
		return highestSeq(this.#database, "root", ["seq"]);
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

	/** Damage is an answer, not an error: one damaged root does not hide the others. */
	check(): StoreProblem[] {
		const problems: StoreProblem[] = [];
		const parts = [
			() => {
				problems.push(...schemaProblems(this.#database, MIGRATIONS));
			},
			() => {
				for (const { integrity_check: line } of this.#database
					.prepare("PRAGMA integrity_check(20)")
					.all<{ integrity_check: string }>())
					if (line !== "ok") problems.push({ record: "artifact roots database", problem: line });
			},
			() => {
				for (const row of this.#database.prepare("SELECT * FROM root ORDER BY seq, source").all<RootRow>()) {
					if (isAsStaged(row)) continue;
					const problem = "is not the one that was staged";
					problems.push({ source: row.source, record: `root at seq ${row.seq}`, problem });
				}
			},
		];
		for (const part of parts) {
			try {
				part();
			} catch (error) {
				if (errorCode(error) !== "STORE_CORRUPT") throw error;
				problems.push({ record: "artifact roots database", problem: (error as Error).message });
			}
		}
		return problems;
	}

	close(): void {
		this.#database.close();
	}
}

const checksum = (seq: Seq, { source, commit, object }: ManifestRoot): string =>
	sha256(canonicalJson([seq, source, commit, object]));

const rootOf = ({ source, commit_id: commit, object }: RootRow): ManifestRoot => ({ source, commit, object });

const isAsStaged = (row: RootRow): boolean => checksum(row.seq, rootOf(row)) === row.checksum;

function toRoot(row: RootRow): ManifestRoot {
	if (isAsStaged(row)) return rootOf(row);
	throw new LodeError(
		"STORE_CORRUPT",
		`The manifest root of ${row.source} at seq ${row.seq} is not the one that was staged`,
		{
			next: "Ingest the source again, or restore the archive from a backup.",
		},
	);
}
