import { errorCode } from "../../domain/errors.js";
import type { EmbeddingProvider } from "../../embeddings/embedding.port.js";
import type { Metrics } from "./metrics.js";

/** The provider, measured. The model is no label: it may say which source it belongs to. */
export function observedProvider(provider: EmbeddingProvider, metrics: Metrics): EmbeddingProvider {
	const took = metrics.observe("embeddingSeconds");
	const sent = metrics.count("embeddingTexts");
	const failed = metrics.count("embeddingErrors");
	const labels = { provider: provider.name };
	return {
		name: provider.name,
		maxBatch: provider.maxBatch,
		maxConcurrency: provider.maxConcurrency,
		model: () => provider.model(),
		close: () => provider.close(),
		async embed(texts, signal) {
			const started = performance.now();
			try {
				return await provider.embed(texts, signal);
			} catch (error) {
				failed({ ...labels, code: errorCode(error) ?? "INTERNAL" });
				throw error;
			} finally {
				sent(labels, texts.length);
				took(labels, (performance.now() - started) / 1_000);
			}
		},
	};
}
