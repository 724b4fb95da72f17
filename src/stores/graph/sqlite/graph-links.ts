import type { EntityKey } from "../../../domain/entities.js";
import type { Seq, Snapshot } from "../../../domain/snapshot.js";
import { wellFormed } from "../../../domain/well-formed.js";
import type { SqliteDatabase } from "../../sqlite/sqlite-database.js";
import { snapshotParameters, visible } from "../../sqlite/visibility.js";
import type { NameCandidate } from "../graph.port.js";

/** What the link step asks: which names may lead elsewhere now, and to what. */
export class GraphLinks {
	constructor(private readonly database: SqliteDatabase) {}

	touchedNames(seq: Seq, source: string, after: EntityKey | undefined, limit: number): EntityKey[] {
		return this.database
			.prepare(
				`SELECT DISTINCT n.text AS name
				FROM (SELECT id, origin FROM state WHERE added_at = :seq UNION ALL SELECT id, origin FROM state WHERE removed_at = :seq) s
				JOIN origin o ON o.id = s.origin JOIN provided p ON p.state = s.id JOIN term n ON n.id = p.name
				WHERE o.source = (SELECT id FROM source WHERE name = :source) ${after === undefined ? "" : "AND n.text > :after"}
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
