import { EMPTY_TALLY, sameTally, sha256, TallyBuilder } from "../../../domain/digest.js";
import { artifactReferenceDigest, type OriginEntry } from "../../../domain/origin-entry.js";
import type { StoreTotals } from "../catalog.port.js";

export const EMPTY_TOTALS: StoreTotals = {
	catalog: EMPTY_TALLY,
	graph: EMPTY_TALLY,
	vectors: EMPTY_TALLY,
	artifacts: EMPTY_TALLY,
};
const STORES = ["catalog", "graph", "vectors", "artifacts"] as const;

/** Sums what entries say of every store. */
export class TotalsBuilder {
	readonly #catalog = new TallyBuilder();
	readonly #graph = new TallyBuilder();
	readonly #vectors = new TallyBuilder();
	readonly #artifacts = new TallyBuilder();

	/** `content` is the entry's canonical JSON. */
	add(entry: OriginEntry, content: string): this {
		this.#catalog.add(sha256(content));
		this.#graph.merge(entry.graph);
		this.#vectors.merge(entry.vectors);
		// A submodule's content lies in another repository: the archive's manifest does not have it.
		if (entry.file && entry.file.mode !== "submodule")
			this.#artifacts.add(artifactReferenceDigest(entry.origin, entry.file));
		return this;
	}

	merge(totals: StoreTotals): this {
		this.#catalog.merge(totals.catalog);
		this.#graph.merge(totals.graph);
		this.#vectors.merge(totals.vectors);
		this.#artifacts.merge(totals.artifacts);
		return this;
	}

	subtract(totals: StoreTotals): this {
		this.#catalog.subtract(totals.catalog);
		this.#graph.subtract(totals.graph);
		this.#vectors.subtract(totals.vectors);
		this.#artifacts.subtract(totals.artifacts);
		return this;
	}

	build(): StoreTotals {
		return {
			catalog: this.#catalog.build(),
			graph: this.#graph.build(),
			vectors: this.#vectors.build(),
			artifacts: this.#artifacts.build(),
		};
	}
}

/** The stores in which two totals differ. */
export function differingStores(a: StoreTotals, b: StoreTotals): string[] {
	return STORES.filter((store) => !sameTally(a[store], b[store]));
}
