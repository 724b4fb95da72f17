import { LodeError } from "../../domain/errors.js";
import type { Snapshot } from "../../domain/snapshot.js";
import type { Catalog } from "../../stores/catalog/catalog.port.js";
import { parseAt } from "../at.js";
import { readableSources } from "../recipe.js";
import { matchSource } from "./match-source.js";

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
	return matchSource(await readableSources(catalog), wanted).id;
}
