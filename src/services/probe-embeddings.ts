import { chooseProvider, createProvider, type EmbeddingSettings } from "../embeddings/choose-provider.js";

/** Asks the configured provider which model it has. Downloads nothing: a local model is only named. @throws EMBEDDING_FAILED, EMBEDDING_UNAVAILABLE, CONFIG_INVALID */
export async function probeEmbeddings(settings: EmbeddingSettings): Promise<{ provider: string; model: string }> {
	const chosen = chooseProvider(settings);
	if (chosen === "local") return { provider: chosen, model: settings.model ?? "its default model" };
	const provider = createProvider(settings);
	try {
		return { provider: provider.name, model: (await provider.model()).id };
	} finally {
		await provider.close();
	}
}
