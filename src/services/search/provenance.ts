import { fileOrigin } from "../../domain/keys.js";
import type { Snapshot } from "../../domain/snapshot.js";
import type { Catalog } from "../../stores/catalog/catalog.port.js";
import type { ChunkHit } from "../../stores/vectors/vectors.port.js";

/** Where a hit comes from, link by link. */
export interface Provenance {
	readonly chunk: { readonly ordinal: number; readonly group: string };
	readonly file: {
		readonly path: string;
		/** SHA-256 of its bytes: the address in the archive. Null where the catalog lost it. */
		readonly artifact: string | null;
		/** The source's own id of its content. */
		readonly blob: string | null;
	};
	/** The commit whose ingestion brought this version of the chunk; it may be older than the one that the snapshot shows. */
	readonly commit: string | null;
	readonly ingestion: string;
	readonly workflowId: string | null;
	readonly runId: string | null;
	readonly model: string;
}

/** One question a source, and one an ingestion that brought any of the hits. */
export async function provenances(
	catalog: Pick<Catalog, "entriesOf" | "ingestion">,
	snapshot: Snapshot,
	hits: readonly ChunkHit[],
): Promise<Provenance[]> {
	const paths = new Map<string, Set<string>>();
	for (const { source, path } of hits) paths.set(source, (paths.get(source) ?? new Set()).add(fileOrigin(path)));
	const ids = [...new Set(hits.map(({ addedAt }) => ingestionId(addedAt)))];
	const [entries, ingestions] = await Promise.all([
		Promise.all(
			[...paths].map(async ([source, origins]) =>
				(await catalog.entriesOf(snapshot, source, [...origins])).map(
					({ origin, file }) => [`${source}\0${origin}`, file] as const,
				),
			),
		),
		Promise.all(ids.map(async (id) => [id, await catalog.ingestion(id)] as const)),
	]);
	const files = new Map(entries.flat());
	const byId = new Map(ingestions);
	return hits.map(({ source, path, ordinal, group, addedAt, model }) => {
		const file = files.get(`${source}\0${fileOrigin(path)}`);
		const id = ingestionId(addedAt);
		const ingestion = byId.get(id);
		return {
			chunk: { ordinal, group },
			file: { path, artifact: file?.artifact ?? null, blob: file?.blob ?? null },
			commit: ingestion?.commit ?? null,
			ingestion: id,
			workflowId: ingestion?.workflowId ?? null,
			runId: ingestion?.runId ?? null,
			model,
		};
	});
}

const ingestionId = (seq: number): string => `ing-${seq}`;
