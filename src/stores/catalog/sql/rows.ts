import type { Insertable, Selectable } from "kysely";
import { canonicalJson, type Json } from "../../../domain/digest.js";
import { LodeError } from "../../../domain/errors.js";
import { type Group, groupSchema } from "../../../domain/group.js";
import type { Snapshot } from "../../../domain/snapshot.js";
import type { Ingestion, Source } from "../catalog.port.js";
import type { CatalogTables } from "./catalog-tables.js";

export type IngestionRow = Selectable<CatalogTables["ingestion"]>;
export type SnapshotRow = Selectable<CatalogTables["snapshot"]>;

/** Parses a JSON text that this catalog wrote. @throws STORE_CORRUPT */
export function parseJson<T>(text: string, of: string): T {
	try {
		return JSON.parse(text) as T;
	} catch (error) {
		throw new LodeError("STORE_CORRUPT", `The catalog's ${of} is damaged`, {
			next: "Run `lode verify` to see what is damaged.",
			cause: error,
		});
	}
}

export const jsonText = (value: unknown): string => canonicalJson(value as Json);

export function toSource(row: Selectable<CatalogTables["source"]>): Source {
	const { id, kind, address, branch, policy, created_at, removing } = row;
	return { id, kind, address, branch, policy, createdAt: created_at, ...(removing === 1 && { removing: true }) };
}

export function toGroup(row: Selectable<CatalogTables["source_group"]>): Group {
	const of = `group ${row.name} of ${row.source}`;
	const definition = groupSchema.safeParse(parseJson<unknown>(row.definition, of));
	if (definition.success) return definition.data;
	throw new LodeError("STORE_CORRUPT", `The catalog's ${of} is damaged`, { cause: definition.error });
}

export function toSnapshot(row: SnapshotRow): Snapshot {
	return {
		number: row.number,
		seq: row.seq,
		excluding: parseJson<number[]>(row.excluding, `snapshot ${row.number}`),
		publishedAt: row.published_at,
	};
}

export function toIngestion(row: IngestionRow): Ingestion {
	const json = <T>(text: string | null): T | undefined =>
		text === null ? undefined : parseJson<T>(text, `ingestion ${row.id}`);
	return {
		id: row.id,
		seq: row.seq,
		source: row.source,
		commit: row.commit_id,
		baseCommit: row.base_commit ?? undefined,
		baseSeq: row.base_seq ?? undefined,
		recipe: row.recipe,
		status: row.status,
		workflowId: row.workflow_id,
		runId: row.run_id,
		startedAt: row.started_at,
		endedAt: row.ended_at ?? undefined,
		snapshot: row.snapshot ?? undefined,
		stats: json(row.stats),
		failure: json(row.failure),
		totals: json(row.totals),
	};
}

export function snapshotRow(snapshot: Snapshot, ingestion: number): Insertable<CatalogTables["snapshot"]> {
	return {
		number: snapshot.number,
		seq: snapshot.seq,
		excluding: jsonText(snapshot.excluding),
		published_at: snapshot.publishedAt,
		ingestion,
	};
}
