import { chunkTextHash, type MinedFile } from "../../domain/mined-file.js";
import { embedTexts } from "../../embeddings/embed-texts.js";
import type { Ports } from "../ports.js";

/** Texts of chunks by the model that their groups embed them with. */
export class ModelTexts {
	readonly #byModel = new Map<string, { hash: string; text: string }[]>();

	add(model: string, { chunks }: Pick<MinedFile, "chunks">): void {
		const texts = this.#byModel.get(model) ?? [];
		for (const { text } of chunks) texts.push({ hash: chunkTextHash(text), text });
		this.#byModel.set(model, texts);
	}

	/** Brings all of them into the cache. */
	async embed(
		ports: Pick<Ports, "provider" | "embeddingCache">,
		signal: AbortSignal,
	): Promise<{ embedded: number; reused: number }> {
		const counts = { embedded: 0, reused: 0 };
		for (const [model, texts] of this.#byModel) {
			const { embedded, reused } = await embedTexts(await ports.provider(model), ports.embeddingCache, texts, {
				signal,
			});
			counts.embedded += embedded;
			counts.reused += reused;
		}
		return counts;
	}
}
