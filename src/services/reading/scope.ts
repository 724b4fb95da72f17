import { LodeError } from "../../domain/errors.js";
import type { Snapshot } from "../../domain/snapshot.js";
import type { Catalog } from "../../stores/catalog/catalog.port.js";
import { parseAt } from "../at.js";
import { readableSources, unknownSource } from "../recipe.js";

export interface ReadingScope {
	readonly sources: readonly string[];
	readonly snapshot: Snapshot;
}

type ScopeCatalog = Pick<Catalog, "sources" | "snapshot">;

/**
 * The sources in scope and one snapshot for all of them; sources that are being removed are out of sight.
 * @throws NOTHING_PUBLISHED, SOURCE_NOT_FOUND, USAGE, SNAPSHOT_NOT_FOUND, SNAPSHOT_EXPIRED
 */
export async function readingScope(
	catalog: ScopeCatalog,
	source: string | undefined,
	at: string | undefined,
): Promise<ReadingScope> {
	const sources =
		source === undefined ? (await readableSources(catalog)).map(({ id }) => id) : [await sourceId(catalog, source)];
	if (sources.length === 0) {
		throw new LodeError("NOTHING_PUBLISHED", "nothing is ingested yet", { next: "lode ingest PATH_OR_URL" });
	}
	return { sources, snapshot: await catalog.snapshot(parseAt(at, source && sources[0]), sources) };
}

/** A source's id, or a unique beginning of it, or its address. */
export async function sourceId(catalog: Pick<Catalog, "sources">, wanted: string): Promise<string> {
	const all = await readableSources(catalog);
	const exact = all.find(({ id }) => id === wanted);
	if (exact) return exact.id;
	const matching = all.filter(({ id, address }) => address === wanted || id.startsWith(wanted));
	if (matching.length === 1 && matching[0]) return matching[0].id;
	if (matching.length > 1) {
		throw new LodeError("USAGE", `${wanted} is the beginning or the address of ${matching.length} sources`, {
			next: `name one of them: ${matching.map(({ id, branch }) => (branch ? `${id} (${branch})` : id)).join(", ")}`,
		});
	}
	throw unknownSource(wanted);
}
