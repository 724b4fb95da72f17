import type { ChunkHit } from "../vectors.port.js";
import { or, where } from "./chunk-filter.js";
import type { KnownChunk } from "./known-chunks.js";
import type { ModelCollection } from "./weaviate-collections.js";
import type { WeaviateConnection } from "./weaviate-connection.js";

/** Numbers about a whole collection that shift a ranking a little, if at all, when they are this old. Milliseconds. */
const KEPT_MS = 30_000;
/** The same where nothing was published since. */
const KEPT_UNCHANGED_MS = 600_000;
const MAX_KEPT = 10_000;
const [K1, B] = [1.2, 0.75];
/** Of a term that more than half of all chunks hold: it may not count against a chunk. */
const LEAST_IDF = 1e-6;

/** A chunk and what a ranking gave it: the hit's own score says nothing. Hits are made of the few that are wanted. */
export interface RankedChunk {
	readonly hit: ChunkHit;
	readonly score: number;
}

interface Kept<T> {
	readonly value: Promise<T>;
	readonly at: number;
	readonly snapshot: number;
}

interface Size {
	readonly chunks: number;
	readonly averageLength: number;
}

/** What BM25 has to know of a collection. */
export class TextStatistics {
	readonly #sizes = new Map<string, Kept<Size>>();
	readonly #counts = new Map<string, Kept<number>>();

	constructor(private readonly connection: WeaviateConnection) {}

	size(model: ModelCollection, snapshot: number): Promise<Size> {
		return this.#keep(this.#sizes, model.collection.name, snapshot, async () => {
			const { properties } = await this.connection.request("measure the text", () =>
				model.collection.aggregate.overAll({
					returnMetrics: model.collection.metrics.aggregate("length" as never).integer(["count", "mean"]) as never,
				}),
			);
			// Of what has a length: chunks, and not what else lies beside them (RemovalMark).
			const { count, mean } = ((properties as Record<string, object> | undefined)?.length ?? {}) as {
				count?: number;
				mean?: number;
			};
			return { chunks: count ?? 0, averageLength: mean ?? 1 };
		});
	}

	/** How many chunks hold each term, in every version. `snapshot`: the number of the one that is searched; seqs do not tell: a lower one may be published later. */
	async counts(model: ModelCollection, snapshot: number, terms: readonly string[]): Promise<Map<string, number>> {
		const counted = await Promise.all(
			terms.map(async (term) => {
				const count = await this.#keep(this.#counts, `${model.collection.name} ${term}`, snapshot, async () => {
					const filters = or(
						...(["terms", "pathTerms", "symbolTerms"] as const).map((property) => where(model, property).equal(term)),
					);
					const { totalCount } = await this.connection.request("count a term", () =>
						model.collection.aggregate.overAll({ filters }),
					);
					return totalCount;
				});
				// A word that nobody had written is looked for again: it may have come since.
				if (count === 0) this.#counts.delete(`${model.collection.name} ${term}`);
				return [term, count] as const;
			}),
		);
		return new Map(counted);
	}

	#keep<T>(kept: Map<string, Kept<T>>, key: string, snapshot: number, ask: () => Promise<T>): Promise<T> {
		const known = kept.get(key);
		const now = Date.now();
		if (known !== undefined && now - known.at < (known.snapshot === snapshot ? KEPT_UNCHANGED_MS : KEPT_MS))
			return known.value;
		if (kept.size >= MAX_KEPT) kept.clear();
		const value = ask();
		kept.set(key, { value, at: now, snapshot });
		value.catch(() => kept.delete(key));
		return value;
	}
}

/**
 * BM25 over weighted columns as SQLite's FTS5 computes it (https://sqlite.org/fts5.html, "The bm25() function"), so that both engines put the
 * same chunks first. Weaviate weighs its properties otherwise: its ranking gives the candidates.
 */
export function rankText(
	chunks: readonly KnownChunk[],
	terms: readonly string[],
	counts: ReadonlyMap<string, number>,
	{ chunks: total, averageLength }: Size,
): RankedChunk[] {
	const idf = new Map(
		terms.map((term) => {
			const count = counts.get(term) ?? 0;
			return [term, Math.max(LEAST_IDF, Math.log((total - count + 0.5) / (count + 0.5)))];
		}),
	);
	return chunks.map((chunk) => {
		const { length, weights } = chunk.terms();
		const damping = K1 * (1 - B + (B * length) / averageLength);
		let score = 0;
		for (const [term, rarity] of idf) {
			const weighted = weights.get(term);
			if (weighted !== undefined) score += rarity * ((weighted * (K1 + 1)) / (weighted + damping));
		}
		return { hit: chunk.hit, score };
	});
}
