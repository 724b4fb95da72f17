import { LodeError } from "../domain/errors.js";
import type { EmbeddingProvider } from "./embedding.port.js";
import { createLexicalProvider, LEXICAL_MODEL } from "./lexical/lexical-provider.js";
import { isLocalModelPresent, locateModel } from "./local/local-model-files.js";
import { createLocalProvider, type DownloadProgress, localModelId } from "./local/local-provider.js";
import { type AddressesOf, guardedFetch } from "./openai/guarded-fetch.js";
import { createOpenaiProvider, openaiModelId } from "./openai/openai-provider.js";

export interface EmbeddingSettings {
	/** Unset: `openai` when a base URL is given, else `local` when a model is there, else `lexical`. */
	readonly provider?: EmbeddingProvider["name"];
	readonly baseUrl?: string;
	readonly model?: string;
	/** As text, or wrapped so that it cannot be printed by mistake. */
	readonly apiKey?: string | { reveal(): string };
	/** Lode's home: local models are kept under it. */
	readonly home: string;
	/** Where set, the endpoint is asked at these addresses of its host alone. */
	readonly addressesOf?: AddressesOf;
	/** While a local model is downloaded. */
	readonly onDownload?: (progress: DownloadProgress) => void;
}

const OPENAI_DEFAULT_MODEL = "text-embedding-3-small";

export function chooseProvider(settings: EmbeddingSettings): EmbeddingProvider["name"] {
	if (settings.provider !== undefined) return settings.provider;
	if (settings.baseUrl !== undefined) return "openai";
	return isLocalModelPresent(settings) ? "local" : "lexical";
}

/** The provider of new groups. @throws CONFIG_INVALID */
export function createProvider(settings: EmbeddingSettings): EmbeddingProvider {
	const chosen = chooseProvider(settings);
	if (chosen === "lexical") return createLexicalProvider();
	if (chosen === "local") {
		return createLocalProvider({ home: settings.home, model: settings.model, onProgress: settings.onDownload });
	}
	const { apiKey, addressesOf } = settings;
	return createOpenaiProvider({
		baseUrl: settings.baseUrl,
		model: openaiModel(settings),
		apiKey: typeof apiKey === "object" ? apiKey.reveal() : apiKey,
		fetch: addressesOf && guardedFetch(addressesOf),
	});
}

/**
 * The provider that serves a model's id, or undefined where these settings have none: the built-in one serves its own model whatever
 * is chosen for new groups. Asks nobody, so an endpoint that is down is found out by the first call.
 */
export function providerForModel(settings: EmbeddingSettings, model: string): EmbeddingProvider | undefined {
	if (model === LEXICAL_MODEL.id) return createLexicalProvider();
	const dimensions = Number(/-(\d{1,6})$/.exec(model)?.[1]);
	const chosen = chooseProvider(settings);
	if (chosen === "openai" && model === openaiModelId(openaiModel(settings), dimensions))
		return createProvider(settings);
	if (chosen === "local" && model === localModelId(locateModel(settings).name, dimensions))
		return createProvider(settings);
	return undefined;
}

function openaiModel(settings: EmbeddingSettings): string {
	if (settings.model !== undefined) return settings.model;
	if (settings.baseUrl === undefined || /^https:\/\/api\.openai\.com(\/|$)/.test(settings.baseUrl)) {
		return OPENAI_DEFAULT_MODEL;
	}
	throw new LodeError("CONFIG_INVALID", "LODE_EMBEDDING_MODEL: must name the model of the embedding endpoint", {
		next: "Set it to a model that the endpoint serves.",
	});
}
