import { textTerms } from "../../../domain/text/terms.js";
import { searchedTexts } from "../text/searched-texts.js";
import type { ChunkHit } from "../vectors.port.js";
import { or, where } from "./chunk-filter.js";
import type { ModelCollection } from "./weaviate-collections.js";
import type { WeaviateConnection } from "./weaviate-connection.js";

/** Numbers about a whole collection that shift a ranking a little, if at all, when they are this old. Milliseconds. */
const KEPT_MS = 30_000;
const MAX_KEPT = 10_000;
/** Of text, path and symbol: as in the other engine (chosen on commit histories, test/bench/retrieval.bench.ts). */
const WEIGHTS = [1, 4, 2] as const;
const [K1, B] = [1.2, 0.75];
/** Of a term that more than half of all chunks hold: it may not count against a chunk. */
const LEAST_IDF = 1e-6;

interface Kept<T> {
	readonly value: Promise<T>;
	readonly at: number;
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

	size(model: ModelCollection): Promise<Size> {
		return this.#keep(this.#sizes, model.collection.name, async () => {
			const { properties, totalCount } = await this.connection.request("measure the text", () =>
				model.collection.aggregate.overAll({
					returnMetrics: model.collection.metrics.aggregate("length" as never).integer(["mean"]) as never,
				}),
			);
			const { mean } = ((properties as Record<string, { mean?: number }> | undefined)?.length ?? {}) as {
				mean?: number;
			};
			return { chunks: totalCount, averageLength: mean ?? 1 };
		});
	}

	/** How many chunks hold each term, in every version. */
	async counts(model: ModelCollection, terms: readonly string[]): Promise<Map<string, number>> {
		const counted = await Promise.all(
			terms.map(async (term) => {
				const count = await this.#keep(this.#counts, `${model.collection.name} ${term}`, async () => {
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

	#keep<T>(kept: Map<string, Kept<T>>, key: string, ask: () => Promise<T>): Promise<T> {
		const known = kept.get(key);
		const now = Date.now();
		if (known !== undefined && now - known.at < KEPT_MS) return known.value;
		if (kept.size >= MAX_KEPT) kept.clear();
		const value = ask();
		kept.set(key, { value, at: now });
		value.catch(() => kept.delete(key));
		return value;
	}
}

/**
 * BM25 over weighted columns as SQLite's FTS5 computes it (https://sqlite.org/fts5.html, "The bm25() function"), so that both engines put the
 * same chunks first. Weaviate weighs its properties otherwise: its ranking gives the candidates.
 */
export function rankText(
	hits: readonly ChunkHit[],
	terms: readonly string[],
	counts: ReadonlyMap<string, number>,
	{ chunks, averageLength }: Size,
): ChunkHit[] {
	const idf = new Map(
		terms.map((term) => {
			const count = counts.get(term) ?? 0;
			return [term, Math.max(LEAST_IDF, Math.log((chunks - count + 0.5) / (count + 0.5)))];
		}),
	);
	return hits.map((hit) => {
		const frequency = new Map<string, number>();
		let length = 0;
		for (const [column, text] of searchedTexts(hit).entries()) {
			for (const term of textTerms(text)) {
				length += 1;
				if (idf.has(term)) frequency.set(term, (frequency.get(term) ?? 0) + (WEIGHTS[column] as number));
			}
		}
		let score = 0;
		for (const [term, weighted] of frequency) {
			const damped = weighted + K1 * (1 - B + (B * length) / averageLength);
			score += (idf.get(term) as number) * ((weighted * (K1 + 1)) / damped);
		}
		return { ...hit, score };
	});
}
