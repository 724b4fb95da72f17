import { compareBytes } from "../../domain/byte-order.js";
import { sameTally, sha256, type Tally, TallyBuilder } from "../../domain/digest.js";
import { graphRecordDigest } from "../../domain/entities.js";
import { originPath } from "../../domain/keys.js";
import { chunkRecordDigest } from "../../domain/mined-file.js";
import { artifactReferenceDigest, originEntryDigest } from "../../domain/origin-entry.js";
import type { Snapshot } from "../../domain/snapshot.js";
import type { ArtifactStore } from "../../stores/artifacts/artifacts.port.js";
import { readManifest } from "../../stores/artifacts/manifest.js";
import type { Catalog, OriginEntry, StoreTotals } from "../../stores/catalog/catalog.port.js";
import type { GraphStore } from "../../stores/graph/graph.port.js";
import type { VectorStore } from "../../stores/vectors/vectors.port.js";
import type { OriginTally, StoreProblem, VersionedStore } from "../../stores/versioned.port.js";

export interface VerifiableStores {
	readonly catalog: Catalog;
	readonly graph: GraphStore;
	readonly vectors: VectorStore;
	readonly artifacts: ArtifactStore;
}

export type StoreName = "catalog" | "graph" | "vectors" | "artifacts";
export type NamedProblem = StoreProblem & { readonly store: StoreName };

export interface SnapshotVerification {
	readonly stores: Record<StoreName, Tally>;
	readonly problems: NamedProblem[];
}

const PAGE = 1_000;
/** Beyond this many, more problems tell nothing new. */
const MAX_PROBLEMS = 200;

/**
 * Recomputes what is visible of the sources in a snapshot, store by store, from the content itself, and compares it with the
 * manifest in the catalog, origin by origin, and the manifest with the totals that publish wrote down.
 */
export async function verifySnapshot(
	stores: VerifiableStores,
	snapshot: Snapshot,
	sources: readonly string[],
	progress: (done: string) => void = () => {},
): Promise<SnapshotVerification> {
	const problems: NamedProblem[] = [];
	const report = (store: StoreName, source: string, record: string, problem: string): void => {
		if (problems.length < MAX_PROBLEMS) problems.push({ store, source, record, problem });
	};
	const sums = {
		catalog: new TallyBuilder(),
		graph: new TallyBuilder(),
		vectors: new TallyBuilder(),
		artifacts: new TallyBuilder(),
	};

	for (const source of sources) {
		const head = await stores.catalog.head(snapshot, source);
		const totals = await verifySource(stores, snapshot, source, report, progress);
		for (const store of ["catalog", "graph", "vectors", "artifacts"] as const) {
			sums[store].merge(totals.found[store]);
			if (head && !sameTally(totals.expected[store], head.totals[store])) {
				report(
					"catalog",
					source,
					`totals of ${store} in ingestion ${head.ingestion}`,
					"differ from the sum of its entries",
				);
			}
		}
		if (!head && totals.expected.catalog.count > 0)
			report("catalog", source, "head", "entries are visible, but no ingestion is published");
	}
	for (const name of ["catalog", "graph", "vectors"] as const) {
		progress(`${name}: checking the engine`);
		for (const problem of await stores[name].check()) {
			if (problem.source === undefined || sources.includes(problem.source)) {
				if (problems.length < MAX_PROBLEMS) problems.push({ store: name, ...problem });
			}
		}
	}
	const built = Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, sum.build()]));
	return { stores: built as Record<StoreName, Tally>, problems };
}

type Report = (store: StoreName, source: string, record: string, problem: string) => void;

async function verifySource(
	stores: VerifiableStores,
	snapshot: Snapshot,
	source: string,
	report: Report,
	progress: (done: string) => void,
): Promise<{ expected: StoreTotals; found: StoreTotals }> {
	const { catalog, artifacts } = stores;
	const expected = {
		catalog: new TallyBuilder(),
		graph: new TallyBuilder(),
		vectors: new TallyBuilder(),
		artifacts: new TallyBuilder(),
	};
	const found = { graph: new TallyBuilder(), vectors: new TallyBuilder(), artifacts: new TallyBuilder() };
	const graph = new TallyCursor(stores.graph, snapshot, source);
	const vectors = new TallyCursor(stores.vectors, snapshot, source);
	const root = await artifacts.root(snapshot, source);
	const listed = new Map<string, string>();
	if (root) for await (const file of readManifest(artifacts, root.object)) listed.set(file.path, file.object);

	let after: string | undefined;
	let checked = 0;
	for (;;) {
		const entries = await catalog.entries(snapshot, source, after, PAGE);
		for (const entry of entries) {
			expected.catalog.add(originEntryDigest(entry));
			expected.graph.merge(entry.graph);
			expected.vectors.merge(entry.vectors);
			await compare("graph", graph, entry, found.graph);
			await compare("vectors", vectors, entry, found.vectors);
			if (entry.file && entry.file.mode !== "submodule") {
				const reference = artifactReferenceDigest(entry.origin, entry.file);
				expected.artifacts.add(reference);
				if (await artifactIsIntact(entry, entry.file)) found.artifacts.add(reference);
			}
		}
		checked += entries.length;
		progress(`${source}: ${checked} origins`);
		const last = entries.at(-1);
		if (!last) break;
		after = last.origin;
	}
	await rest("graph", graph, found.graph);
	await rest("vectors", vectors, found.vectors);
	for (const path of listed.keys())
		report("artifacts", source, `file:${path}`, "is in the archive's manifest, not in the catalog");
	return {
		expected: buildAll(expected),
		found: buildAll({ ...found, catalog: expected.catalog }),
	};

	async function compare(name: "graph" | "vectors", cursor: TallyCursor, entry: OriginEntry, sum: TallyBuilder) {
		for (
			let next = await cursor.peek();
			next && compareBytes(next.origin, entry.origin) < 0;
			next = await cursor.peek()
		) {
			report(name, source, next.origin, `${next.tally.count} records that the catalog does not know`);
			sum.merge(next.tally);
			cursor.skip();
		}
		const next = await cursor.peek();
		const tally = next?.origin === entry.origin ? next.tally : undefined;
		if (tally) {
			sum.merge(tally);
			cursor.skip();
		}
		if (tally ? !sameTally(tally, entry[name]) : entry[name].count > 0) {
			await explain(stores, snapshot, source, name, entry, tally, report);
		}
	}

	async function rest(name: "graph" | "vectors", cursor: TallyCursor, sum: TallyBuilder) {
		for (let next = await cursor.peek(); next; next = await cursor.peek()) {
			report(name, source, next.origin, `${next.tally.count} records that the catalog does not know`);
			sum.merge(next.tally);
			cursor.skip();
		}
	}

	async function artifactIsIntact(entry: OriginEntry, file: NonNullable<OriginEntry["file"]>): Promise<boolean> {
		const path = originPath(entry.origin) as string;
		const object = listed.get(path);
		listed.delete(path);
		if (object !== file.artifact) {
			report(
				"artifacts",
				source,
				entry.origin,
				object ? "the manifest names other bytes" : "is not in the archive's manifest",
			);
			return false;
		}
		try {
			const bytes = await artifacts.get(file.artifact);
			if (bytes && sha256(bytes) === file.artifact) return true;
			report("artifacts", source, entry.origin, `object ${file.artifact} is ${bytes ? "damaged" : "missing"}`);
		} catch (error) {
			report("artifacts", source, entry.origin, `object ${file.artifact}: ${(error as Error).message}`);
		}
		return false;
	}
}

/** Says which records of an origin differ, as far as the origin's own records can tell. */
async function explain(
	stores: VerifiableStores,
	snapshot: Snapshot,
	source: string,
	name: "graph" | "vectors",
	entry: OriginEntry,
	tally: Tally | undefined,
	report: Report,
): Promise<void> {
	const problem = `${tally?.count ?? 0} records, the manifest says ${entry[name].count}`;
	const same = tally?.count === entry[name].count;
	const records =
		name === "graph"
			? (await stores.graph.records(snapshot, source, entry.origin)).map((record) => [
					record.key,
					graphRecordDigest(record),
				])
			: (await stores.vectors.records(snapshot, source, entry.origin)).map((record) => [
					`chunk ${record.ordinal} (lines ${record.startLine} to ${record.endLine})`,
					chunkRecordDigest(record),
				]);
	const only = records.length === 1 ? ` ${records[0]?.[0]}` : "";
	report(name, source, `${entry.origin}${only}`, same ? "content differs from what was staged" : problem);
}

function buildAll(builders: Record<StoreName, TallyBuilder>): StoreTotals {
	return {
		catalog: builders.catalog.build(),
		graph: builders.graph.build(),
		vectors: builders.vectors.build(),
		artifacts: builders.artifacts.build(),
	};
}

/** Walks a store's tallies by origin, a page at a time. */
class TallyCursor {
	#page: OriginTally[] = [];
	#at = 0;
	#after: string | undefined;
	#ended = false;

	constructor(
		private readonly store: VersionedStore,
		private readonly snapshot: Snapshot,
		private readonly source: string,
	) {}

	async peek(): Promise<OriginTally | undefined> {
		if (this.#at >= this.#page.length && !this.#ended) {
			this.#page = await this.store.tallies(this.snapshot, this.source, this.#after, PAGE);
			this.#at = 0;
			this.#after = this.#page.at(-1)?.origin;
			this.#ended = this.#page.length === 0;
		}
		return this.#page[this.#at];
	}

	skip(): void {
		this.#at += 1;
	}
}
