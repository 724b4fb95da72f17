import { fileOrigin, originPath } from "../../domain/keys.js";
import type { OriginEntry } from "../../domain/origin-entry.js";
import type { Snapshot } from "../../domain/snapshot.js";
import type { Catalog, Ingestion, IngestionStatus } from "../../stores/catalog/catalog.port.js";
import type { ArchivedFile } from "./lode-view.js";
import { numberedCursor, type Page, type PageRequest, pageOf } from "./page.js";

/** How far back a list of ingestions reaches. */
const MOST_INGESTIONS = 20_000;

/** Newest first; a cursor is a seq. `upTo`: without those that began after the snapshot. */
export async function ingestionPage(
	catalog: Pick<Catalog, "ingestions">,
	filter: { readonly source?: string; readonly status?: readonly IngestionStatus[] },
	{ after, first }: PageRequest,
	upTo: Snapshot | undefined,
): Promise<Page<Ingestion>> {
	const before = numberedCursor(after, Number.MAX_SAFE_INTEGER) ?? Number.MAX_SAFE_INTEGER;
	// The catalog lists from the newest on: what lies before the cursor is read and passed over.
	for (let limit = Math.max(200, first + 1); ; limit *= 4) {
		const newest = await catalog.ingestions({ ...filter, limit: Math.min(limit, MOST_INGESTIONS) });
		const found = newest.filter(({ seq }) => seq < before && (upTo === undefined || seq <= upTo.seq));
		if (found.length > first || newest.length < limit || limit >= MOST_INGESTIONS) {
			return pageOf(found, first, ({ seq }) => String(seq));
		}
	}
}

/** By path in byte order; a cursor is a path. */
export async function filePage(
	catalog: Pick<Catalog, "entries">,
	snapshot: Snapshot,
	source: string,
	folder: string | undefined,
	{ after, first }: PageRequest,
): Promise<Page<ArchivedFile>> {
	const prefix = folder === undefined || folder === "" ? "" : `${folder.replace(/\/+$/, "")}/`;
	const start = fileOrigin(after ?? prefix);
	const entries = await catalog.entries(snapshot, source, start, first + 1);
	const files = entries.flatMap((entry) => {
		const path = originPath(entry.origin);
		return path?.startsWith(prefix) ? (archivedFile(source, entry) ?? []) : [];
	});
	return pageOf(files, first, ({ path }) => path);
}

/** Undefined for what is no file with bytes. */
export function archivedFile(source: string, { origin, file }: OriginEntry): ArchivedFile | undefined {
	const path = originPath(origin);
	if (path === undefined || file === undefined) return undefined;
	const { artifact: object, size, mode, mediaType, language = null, chunks, skips } = file;
	return { source, path, object, size, mode, mediaType, language, chunks, skips };
}
