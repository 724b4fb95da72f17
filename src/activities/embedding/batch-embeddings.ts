import { type EmbedOptions, embedTexts } from "../../embeddings/embed-texts.js";
import type { BatchContents, Embedded } from "../batch-records.js";
import type { Ports } from "../ports.js";
import type { ModelTexts } from "./model-texts.js";

/**
 * The embeddings of batches that are under way here: the step that embeds leaves them in the cache, for whichever worker comes next, and
 * with the batch in memory, where the next steps mostly run.
 */
export class BatchEmbeddings {
	readonly #ofBatch = new WeakMap<BatchContents, ReadonlyMap<string, ReadonlyMap<string, Float32Array>>>();

	constructor(private readonly ports: Pick<Ports, "provider" | "embeddingCache">) {}

	/** Embeds what the cache does not hold. */
	async embed(
		batch: BatchContents,
		texts: ModelTexts,
		options: Pick<EmbedOptions, "signal" | "retries">,
	): Promise<{ embedded: number; reused: number }> {
		const { vectors, ...counts } = await texts.embed(this.ports, options);
		this.#ofBatch.set(batch, vectors);
		return counts;
	}

	/** Embeds again what the cache lost since the batch was embedded (it is not forced to disk), because nobody else would. */
	of(batch: BatchContents, model: string, signal: AbortSignal): Embedded {
		const { ports } = this;
		const known = this.#ofBatch.get(batch)?.get(model);
		return async (texts) => {
			const here = known && texts.map(({ hash }) => known.get(hash));
			if (here?.every((vector) => vector !== undefined)) return here;
			const { vectors } = await embedTexts(await ports.provider(model), ports.embeddingCache, texts, { signal });
			return texts.map(({ hash }) => vectors.get(hash));
		};
	}
}
