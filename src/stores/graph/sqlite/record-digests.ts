import { sha256 } from "../../../domain/digest.js";
import type { Seq } from "../../../domain/snapshot.js";
import type { SqliteDatabase } from "../../sqlite/sqlite-database.js";

/** Of a stored record, worked out from its content. */
export interface RecordDigest {
	readonly originId: number;
	readonly addedAt: Seq;
	readonly digest: string;
}

/**
 * The parts of `normalRecordText`: SQLite's JSON escapes as JavaScript's does, and its order of texts is that of their bytes. A text whose row is
 * missing is empty, so that the digest tells.
 */
const PARTS = `
	SELECT s.origin AS originId, s.added_at AS addedAt, s.props,
		json_array(coalesce(c.name, ''), coalesce(o.name, ''), coalesce(k.text, ''), s.kind, s.name) AS head,
		(SELECT json_group_array(e.kind || ' ' || coalesce(t.text, '') ORDER BY e.kind, t.text)
			FROM edge e LEFT JOIN term t ON t.id = e.target WHERE e.state = s.id) AS edges,
		(SELECT json_group_array(p.rank || ' ' || coalesce(n.text, '') ORDER BY p.rank, n.text)
			FROM provided p LEFT JOIN term n ON n.id = p.name WHERE p.state = s.id) AS provides
	FROM json_each(?) wanted CROSS JOIN state s ON s.id = wanted.value
	LEFT JOIN origin o ON o.id = s.origin LEFT JOIN source c ON c.id = o.source LEFT JOIN term k ON k.id = s.key`;

interface Parts extends Omit<RecordDigest, "digest"> {
	readonly head: string;
	readonly props: string;
	readonly edges: string;
	readonly provides: string;
}

/**
 * The digests of stored records, without making objects of their edges and names only to write them as text again: what a verification does with
 * every record. The same as `normalRecordDigest` of what `GraphRecords.load` gives.
 */
export function recordDigests(database: SqliteDatabase, ids: readonly number[]): RecordDigest[] {
	return database
		.prepare(PARTS)
		.all<Parts>([JSON.stringify(ids)])
		.map(({ originId, addedAt, head, props, edges, provides }) => ({
			originId,
			addedAt,
			digest: sha256(`${head.slice(0, -1)},${props},${edges},${provides}]`),
		}));
}
