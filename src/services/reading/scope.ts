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

/**
 * An old version may expire while it is read, and be collected from under its reader: what was found of it, or not found, is given only where it is
 * still kept. @throws SNAPSHOT_EXPIRED, else as `answer`
 */
export async function whileKept<T>(
	catalog: Pick<Catalog, "snapshot">,
	{ snapshot, sources }: ReadingScope,
	answer: () => Promise<T>,
): Promise<T> {
	try {
		return await answer();
	} finally {
		await catalog.snapshot({ by: "number", number: snapshot.number }, sources);
	}
}

/** What of two snapshots expires first. */
export const older = (one: Snapshot, other: Snapshot): Snapshot => (one.number < other.number ? one : other);

/** A source's id, or a unique beginning of it, or its address. */
export async function sourceId(catalog: Pick<Catalog, "sources">, wanted: string): Promise<string> {
	return matchSource(await readableSources(catalog), wanted).id;
}
