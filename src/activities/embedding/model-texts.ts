import type { MinedFile } from "../../domain/mined-file.js";
import { type EmbedOptions, embedTexts } from "../../embeddings/embed-texts.js";
import { type ChunkText, chunkTexts } from "../batch-records.js";
import type { Ports } from "../ports.js";

/** Texts of chunks by the model that their groups embed them with. */
export class ModelTexts {
	readonly #byModel = new Map<string, ChunkText[]>();

	add(model: string, mined: MinedFile): void {
		const texts = this.#byModel.get(model) ?? [];
		for (const text of chunkTexts(mined)) texts.push(text);
		this.#byModel.set(model, texts);
	}

	/** Brings all of them into the cache. `vectors`: by model, then by the text's hash. */
	async embed(
		ports: Pick<Ports, "provider" | "embeddingCache">,
		options: Pick<EmbedOptions, "signal" | "retries">,
	): Promise<{
		embedded: number;
		reused: number;
		vectors: ReadonlyMap<string, ReadonlyMap<string, Float32Array>>;
	}> {
		const vectors = new Map<string, ReadonlyMap<string, Float32Array>>();
		let [embedded, reused] = [0, 0];
		for (const [model, texts] of this.#byModel) {
			const found = await embedTexts(await ports.provider(model), ports.embeddingCache, texts, options);
			vectors.set(model, found.vectors);
			embedded += found.embedded;
			reused += found.reused;
		}
		return { embedded, reused, vectors };
	}
}
