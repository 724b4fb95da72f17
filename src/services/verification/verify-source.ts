import { compareBytes } from "../../domain/byte-order.js";
import { sameTally, type Tally, TallyBuilder } from "../../domain/digest.js";
import { originPath } from "../../domain/keys.js";
import { artifactReferenceDigest, minedKeys, originEntryDigest } from "../../domain/origin-entry.js";
import type { Snapshot } from "../../domain/snapshot.js";
import { readManifest } from "../../stores/artifacts/manifest.js";
import type { OriginEntry, StoreTotals } from "../../stores/catalog/catalog.port.js";
import type { OriginTally, VersionedStore } from "../../stores/versioned.port.js";
import { isDamage, type StoreName } from "./findings.js";
import { type VerifiableStores, type VerificationContext, verifyMined, verifyObject } from "./verify-object.js";

const PAGE = 1_000;

type RecordStore = "graph" | "vectors";
type FileOfEntry = NonNullable<OriginEntry["file"]>;

/** One source in one snapshot: the entries of the catalog against what each store shows of their origins. */
export async function verifySource(
	stores: VerifiableStores,
	snapshot: Snapshot,
	source: string,
	context: VerificationContext,
): Promise<{ expected: StoreTotals; found: StoreTotals }> {
	return await new SourceVerification(stores, snapshot, source, context).run();
}

class SourceVerification {
	readonly #expected = newSums();
	readonly #found = newSums();
	readonly #cursors: Record<RecordStore, TallyCursor>;
	/** Paths of the archive's manifest that no entry has claimed yet; undefined where it cannot be read. */
	#listed: Map<string, string> | undefined = new Map();

	constructor(
		private readonly stores: VerifiableStores,
		private readonly snapshot: Snapshot,
		private readonly source: string,
		private readonly context: VerificationContext,
	) {
		this.#cursors = {
			graph: new TallyCursor(stores.graph, snapshot, source),
			vectors: new TallyCursor(stores.vectors, snapshot, source),
		};
	}

	async run(): Promise<{ expected: StoreTotals; found: StoreTotals }> {
		const { source } = this;
		const { findings } = this.context;
		const listed = await findings.part("artifacts", source, `manifest of ${source}`, () => this.#readManifest());
		if (!listed) this.#listed = undefined;
		// Where the entries cannot be read to their end, what the other stores hold besides them is no finding.
		if (await findings.part("catalog", source, `entries of ${source}`, () => this.#compareEntries())) {
			for (const name of ["graph", "vectors"] as const) await this.#unknownBefore(name, undefined);
			for (const path of this.#listed?.keys() ?? [])
				this.#report("artifacts", `file:${path}`, "is in the archive's manifest, not in the catalog");
		}
		return { expected: totalsOf(this.#expected), found: totalsOf(this.#found) };
	}

	#report(store: StoreName, record: string, problem: string): void {
		this.context.findings.add(store, this.source, record, problem);
	}

	async #readManifest(): Promise<void> {
		const root = await this.stores.artifacts.root(this.snapshot, this.source);
		if (!root) return;
		for await (const file of readManifest(this.stores.artifacts, root.object))
			this.#listed?.set(file.path, file.object);
	}

	async #compareEntries(): Promise<void> {
		let after: string | undefined;
		for (let checked = 0; ; ) {
			const entries = await this.stores.catalog.entries(this.snapshot, this.source, after, PAGE);
			for (const entry of entries) await this.#compareEntry(entry);
			checked += entries.length;
			this.context.progress(`${this.source}: ${checked} origins`);
			after = entries.at(-1)?.origin;
			if (after === undefined) return;
		}
	}

	async #compareEntry(entry: OriginEntry): Promise<void> {
		this.#expected.graph.merge(entry.graph);
		this.#expected.vectors.merge(entry.vectors);
		const digest = originEntryDigest(entry);
		this.#expected.catalog.add(digest);
		this.#found.catalog.add(digest);
		for (const name of ["graph", "vectors"] as const) await this.#compareRecords(name, entry);
		const { file } = entry;
		if (!file) return;
		for (const key of minedKeys(file)) await verifyMined(this.stores, this.source, entry.origin, key, this.context);
		if (file.mode === "submodule") return;
		const reference = artifactReferenceDigest(entry.origin, file);
		this.#expected.artifacts.add(reference);
		if (await this.#artifactIsIntact(entry.origin, file)) this.#found.artifacts.add(reference);
	}

	async #compareRecords(name: RecordStore, entry: OriginEntry): Promise<void> {
		if (!(await this.#unknownBefore(name, entry.origin))) return;
		const cursor = this.#cursors[name];
		const next = await cursor.peek();
		const tally = next?.origin === entry.origin ? next.tally : undefined;
		if (tally) {
			this.#found[name].merge(tally);
			cursor.skip();
		}
		if (tally ? !sameTally(tally, entry[name]) : entry[name].count > 0) await this.#explain(name, entry, tally);
	}

	/** Reports what a store has of origins before this one (undefined: up to its end). False where it can be read no further. */
	async #unknownBefore(name: RecordStore, origin: string | undefined): Promise<boolean> {
		const cursor = this.#cursors[name];
		if (cursor.broken) return false;
		const read = await this.context.findings.part(name, this.source, `records of ${this.source}`, async () => {
			for (let next = await cursor.peek(); next; next = await cursor.peek()) {
				if (origin !== undefined && compareBytes(next.origin, origin) >= 0) return;
				this.#report(name, next.origin, `${next.tally.count} records that the catalog does not know`);
				this.#found[name].merge(next.tally);
				cursor.skip();
			}
		});
		cursor.broken = !read;
		return read;
	}

	/** Says which records of an origin differ, as far as the origin's own records can tell. */
	async #explain(name: RecordStore, entry: OriginEntry, tally: Tally | undefined): Promise<void> {
		const problem = `${tally?.count ?? 0} records, the manifest says ${entry[name].count}`;
		const same = tally?.count === entry[name].count;
		let names: string[] = [];
		try {
			names = await this.#recordsOf(name, entry.origin);
		} catch (error) {
			if (!isDamage(error)) throw error;
		}
		const only = names.length === 1 ? ` ${names[0]}` : "";
		this.#report(name, `${entry.origin}${only}`, same ? "content differs from what was staged" : problem);
	}

	async #recordsOf(name: RecordStore, origin: string): Promise<string[]> {
		const { graph, vectors } = this.stores;
		if (name === "graph") return (await graph.records(this.snapshot, this.source, origin)).map(({ key }) => key);
		return (await vectors.records(this.snapshot, this.source, origin)).map(
			({ ordinal, startLine, endLine }) => `chunk ${ordinal} (lines ${startLine} to ${endLine})`,
		);
	}

	async #artifactIsIntact(origin: string, file: FileOfEntry): Promise<boolean> {
		const path = originPath(origin) as string;
		const object = this.#listed?.get(path);
		this.#listed?.delete(path);
		if (this.#listed && object !== file.artifact) {
			const problem = object ? "the manifest names other bytes" : "is not in the archive's manifest";
			this.#report("artifacts", origin, problem);
			return false;
		}
		return await verifyObject(this.stores, file.artifact, this.source, origin, this.context);
	}
}

type Sums = Record<StoreName, TallyBuilder>;

const newSums = (): Sums => ({
	catalog: new TallyBuilder(),
	graph: new TallyBuilder(),
	vectors: new TallyBuilder(),
	artifacts: new TallyBuilder(),
});

const totalsOf = ({ catalog, graph, vectors, artifacts }: Sums): StoreTotals => ({
	catalog: catalog.build(),
	graph: graph.build(),
	vectors: vectors.build(),
	artifacts: artifacts.build(),
});

/** Walks a store's tallies by origin, a page at a time. */
class TallyCursor {
	/** It threw once: it is not asked again. */
	broken = false;
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
