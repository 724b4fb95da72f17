import type { FeatureExtractionPipeline, ProgressInfo } from "@huggingface/transformers";
import { LodeError } from "../../domain/errors.js";
import type { EmbeddingModel, EmbeddingProvider } from "../embedding.port.js";
import { modelSlug, normalised } from "../vector-normal.js";
import { DEFAULT_LOCAL_MODEL, type LocalModelOptions, locateModel } from "./local-model-files.js";

/** Bytes of a file of a model that is being downloaded. */
export interface DownloadProgress {
	readonly file: string;
	readonly loaded: number;
	readonly total: number;
}

export interface LocalProviderOptions extends LocalModelOptions {
	readonly onProgress?: (progress: DownloadProgress) => void;
	/** Whether a model that is not there may be downloaded. Default true. */
	readonly download?: boolean;
}

/** An ONNX model in this process, through Transformers.js (an optional dependency): mean pooling, unit length. */
export function createLocalProvider(options: LocalProviderOptions): EmbeddingProvider {
	return new LocalProvider(options);
}

interface Loaded {
	readonly extract: FeatureExtractionPipeline;
	readonly model: EmbeddingModel;
}

class LocalProvider implements EmbeddingProvider {
	readonly name = "local";
	readonly maxBatch = 16;
	readonly maxConcurrency = 1;
	readonly #options: LocalProviderOptions;
	#loaded: Promise<Loaded> | undefined;

	constructor(options: LocalProviderOptions) {
		this.#options = options;
	}

	async model(): Promise<EmbeddingModel> {
		return (await this.#load()).model;
	}

	async embed(texts: readonly string[], signal?: AbortSignal): Promise<Float32Array[]> {
		const { extract, model } = await this.#load();
		const vectors: Float32Array[] = [];
		for (const text of texts) {
			signal?.throwIfAborted();
			const vector = await extractOne(extract, text, this.#name());
			if (vector.length !== model.dimensions) throw failed(this.#name(), "its dimensions changed between two texts");
			vectors.push(vector);
		}
		return vectors;
	}

	async close(): Promise<void> {
		const loaded = await this.#loaded?.catch(() => undefined);
		this.#loaded = undefined;
		await loaded?.extract.dispose();
	}

	#name(): string {
		return this.#options.model ?? DEFAULT_LOCAL_MODEL;
	}

	async #load(): Promise<Loaded> {
		this.#loaded ??= this.#open();
		try {
			return await this.#loaded;
		} catch (error) {
			this.#loaded = undefined;
			throw error;
		}
	}

	async #open(): Promise<Loaded> {
		const { download = true, onProgress } = this.#options;
		const place = locateModel(this.#options);
		const mayDownload = download && !place.ownFolder;
		if (!place.present && !mayDownload) {
			throw failed(this.#name(), "its files (config.json, tokenizer.json, onnx/model.onnx) are not there");
		}
		const transformers = await import("@huggingface/transformers").catch((cause: unknown) => {
			throw new LodeError("EMBEDDING_FAILED", "Cannot use a local model: @huggingface/transformers is not installed", {
				next: "Install it with `npm install @huggingface/transformers`, or set LODE_EMBEDDING_PROVIDER=lexical.",
				cause,
			});
		});
		const { env, LogLevel, pipeline } = transformers;
		env.logLevel = LogLevel.ERROR;
		env.allowRemoteModels = mayDownload;
		env.localModelPath = place.root;
		env.cacheDir = place.root;
		try {
			const extract = await pipeline("feature-extraction", place.name, {
				dtype: place.dtype,
				local_files_only: place.present,
				progress_callback: (info: ProgressInfo) => {
					if (info.status === "progress") onProgress?.({ file: info.file, loaded: info.loaded, total: info.total });
				},
			});
			const dimensions = (await extractOne(extract, "dimensions", this.#name())).length;
			return { extract, model: { id: localModelId(place.name, dimensions), dimensions } };
		} catch (error) {
			if (error instanceof LodeError) throw error;
			throw failed(this.#name(), place.present ? "its files cannot be loaded" : "it could not be downloaded", error);
		}
	}
}

/**
 * One text a run, not a batch: in a batch the padding of the longest text moves the last bits of the others, and equal
 * texts have to give equal vectors.
 */
async function extractOne(extract: FeatureExtractionPipeline, text: string, name: string): Promise<Float32Array> {
	const output = await extract([text === "" ? " " : text], { pooling: "mean", normalize: true });
	const vector = output.data instanceof Float32Array ? normalised(output.data.slice()) : undefined;
	output.dispose();
	if (vector === undefined) throw failed(name, "it gives no vector of finite numbers");
	return vector;
}

export const localModelId = (name: string, dimensions: number): string => `local/${modelSlug(name)}-${dimensions}`;

function failed(name: string, why: string, cause?: unknown): LodeError {
	return new LodeError("EMBEDDING_FAILED", `Cannot use the local model ${name}: ${why}`, {
		next: "Check LODE_EMBEDDING_MODEL and the network, put the model's files into <home>/models/<name>, or set LODE_EMBEDDING_PROVIDER=lexical.",
		cause,
	});
}
