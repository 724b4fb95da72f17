import { LodeError } from "../../domain/errors.js";
import type { EmbeddingModel, EmbeddingProvider } from "../embedding.port.js";
import { modelSlug } from "../vector-normal.js";
import { readEmbeddings } from "./embeddings-response.js";
import { retryAfterMs } from "./retry-after.js";

export interface OpenaiProviderOptions {
	/** With or without `/v1`, with or without a trailing slash. Default: OpenAI's own. */
	readonly baseUrl?: string;
	readonly model: string;
	readonly apiKey?: string;
	/** Longer texts are cut to this many characters before they are sent: models refuse what exceeds their context. Default 24,000. */
	readonly maxCharacters?: number;
	/** Of one request. Default 60,000. */
	readonly timeoutMs?: number;
	readonly maxBatch?: number;
	readonly maxConcurrency?: number;
	/** In place of the runtime's own: guarded-fetch.ts. */
	readonly fetch?: typeof fetch;
}

const OPENAI = "https://api.openai.com/v1";

/** Any endpoint that speaks OpenAI's `/embeddings` (OpenAI, Infinity, Ollama, TEI, vLLM). */
export function createOpenaiProvider(options: OpenaiProviderOptions): EmbeddingProvider {
	return new OpenaiProvider(options);
}

class OpenaiProvider implements EmbeddingProvider {
	readonly name = "openai";
	readonly maxBatch: number;
	readonly maxConcurrency: number;
	readonly #options: OpenaiProviderOptions;
	/** Addresses still to be tried, the best first; one that answered stays alone. */
	#addresses: readonly string[];
	/** A quarter of the bytes of JSON numbers; servers that refuse it are asked for lists from then on. */
	#base64 = true;
	#model: Promise<EmbeddingModel> | undefined;
	#dimensions: number | undefined;

	constructor(options: OpenaiProviderOptions) {
		this.#options = options;
		this.maxBatch = options.maxBatch ?? 64;
		this.maxConcurrency = options.maxConcurrency ?? 8;
		this.#addresses = addresses(options.baseUrl ?? OPENAI);
	}

	async model(): Promise<EmbeddingModel> {
		this.#model ??= this.#askModel();
		try {
			return await this.#model;
		} catch (error) {
			this.#model = undefined;
			throw error;
		}
	}

	async embed(texts: readonly string[], signal?: AbortSignal): Promise<Float32Array[]> {
		if (texts.length === 0) return [];
		const bound = this.#options.maxCharacters ?? 24_000;
		const body = await this.#request(
			texts.map((text) => cut(text, bound)),
			signal,
		);
		const vectors = readEmbeddings(body, texts.length, this.#dimensions);
		if (typeof vectors === "string") {
			throw this.#error("EMBEDDING_FAILED", `unusable response: ${vectors}`, {
				next: "Check that LODE_EMBEDDING_BASE_URL is an OpenAI-compatible endpoint and LODE_EMBEDDING_MODEL an embedding model.",
			});
		}
		return vectors;
	}

	async close(): Promise<void> {}

	async #askModel(): Promise<EmbeddingModel> {
		const [vector] = await this.embed(["dimensions"]);
		const dimensions = (vector as Float32Array).length;
		this.#dimensions = dimensions;
		return { id: openaiModelId(this.#options.model, dimensions), dimensions };
	}

	async #request(input: readonly string[], signal: AbortSignal | undefined): Promise<unknown> {
		for (;;) {
			const [address = "", ...others] = this.#addresses;
			const base64 = this.#base64;
			const response = await this.#post(address, input, base64, signal);
			if (response.ok) {
				this.#addresses = [address];
				return this.#json(response, signal);
			}
			const detail = await errorDetail(response);
			if (response.status === 404 && others.length > 0) this.#addresses = others;
			else if ((response.status === 400 || response.status === 422) && base64) this.#base64 = false;
			else throw this.#refused(response, detail);
		}
	}

	async #post(
		address: string,
		input: readonly string[],
		base64: boolean,
		signal: AbortSignal | undefined,
	): Promise<Response> {
		const { apiKey, model, timeoutMs = 60_000 } = this.#options;
		const timeout = AbortSignal.timeout(timeoutMs);
		try {
			return await (this.#options.fetch ?? fetch)(address, {
				method: "POST",
				// Texts and the key are for this address, not for where it leads.
				redirect: "manual",
				headers: {
					"content-type": "application/json",
					...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
				},
				body: JSON.stringify({ model, input, ...(base64 ? { encoding_format: "base64" } : {}) }),
				signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
			});
		} catch (error) {
			throw this.#unreachable(error, signal);
		}
	}

	async #json(response: Response, signal: AbortSignal | undefined): Promise<unknown> {
		let text: string;
		try {
			text = await response.text();
		} catch (error) {
			throw this.#unreachable(error, signal);
		}
		try {
			return JSON.parse(text);
		} catch {
			throw this.#error("EMBEDDING_FAILED", "the response is not JSON", {
				next: "Check LODE_EMBEDDING_BASE_URL: it may be a web page.",
			});
		}
	}

	#unreachable(error: unknown, signal: AbortSignal | undefined): unknown {
		if (signal?.aborted) return signal.reason;
		// The host may not be asked: a search goes on without its vectors, as with any other failure of the endpoint.
		if (error instanceof LodeError) return this.#error("EMBEDDING_FAILED", error.message, { next: error.next ?? "" });
		const timedOut = error instanceof Error && error.name === "TimeoutError";
		// The cause's code (ECONNREFUSED …) helps; its message may hold headers.
		const code = String((error as { cause?: { code?: unknown } }).cause?.code ?? "network error").slice(0, 60);
		return this.#error("EMBEDDING_UNAVAILABLE", timedOut ? "no answer in time" : `it cannot be reached (${code})`, {
			next: "Check that the endpoint runs and LODE_EMBEDDING_BASE_URL is right.",
		});
	}

	#refused(response: Response, detail: string | undefined): LodeError {
		const { status } = response;
		const what = `HTTP ${status}${detail === undefined ? "" : ` (${detail})`}`;
		const wait = retryAfterMs(response.headers.get("retry-after"), Date.now());
		if (detail === "insufficient_quota") {
			return this.#error("EMBEDDING_FAILED", what, { next: "The account has no credit left: check its billing." });
		}
		if (status === 429 || (status === 503 && wait !== undefined)) {
			return this.#error("EMBEDDING_RATE_LIMITED", what, {
				retryAfterMs: wait,
				next: "Wait, or ask for a higher limit.",
			});
		}
		if (status >= 500 || status === 408 || status === 425) {
			return this.#error("EMBEDDING_UNAVAILABLE", what, { next: "Look at the endpoint's own log." });
		}
		if (status >= 300 && status < 400) {
			return this.#error("EMBEDDING_FAILED", `${what}: it leads elsewhere, which is not followed`, {
				next: "Set LODE_EMBEDDING_BASE_URL to the address that it leads to.",
			});
		}
		const next =
			status === 401 || status === 403
				? "Set LODE_EMBEDDING_API_KEY to a key that may use this model."
				: status === 404
					? "Check LODE_EMBEDDING_BASE_URL and LODE_EMBEDDING_MODEL: the endpoint knows no such address or model."
					: "Check that LODE_EMBEDDING_MODEL is an embedding model and takes texts of LODE_CHUNK_SIZE characters.";
		return this.#error("EMBEDDING_FAILED", what, { next });
	}

	#error(
		code: "EMBEDDING_FAILED" | "EMBEDDING_UNAVAILABLE" | "EMBEDDING_RATE_LIMITED",
		why: string,
		options: { next: string; retryAfterMs?: number },
	): LodeError {
		const host = URL.canParse(this.#addresses[0] ?? "") ? new URL(this.#addresses[0] as string).host : "the endpoint";
		return new LodeError(code, `Cannot embed with ${this.#options.model} at ${host}: ${why}`, options);
	}
}

export const openaiModelId = (model: string, dimensions: number): string => `openai/${modelSlug(model)}-${dimensions}`;

function addresses(baseUrl: string): string[] {
	const base = baseUrl.trim().replace(/\/+$/, "");
	if (base.endsWith("/embeddings")) return [base];
	// A version in the path (`/v1`, `/v1beta/openai`) says that the base is complete.
	if (/\/v\d+[a-z0-9]*(\/|$)/.test(base)) return [`${base}/embeddings`];
	return [`${base}/v1/embeddings`, `${base}/embeddings`];
}

/** Not in the middle of a surrogate pair, and never empty: endpoints refuse empty texts. */
function cut(text: string, bound: number): string {
	if (text.trim() === "") return " ";
	if (text.length <= bound) return text;
	const last = text.charCodeAt(bound - 1);
	return text.slice(0, last >= 0xd800 && last <= 0xdbff ? bound - 1 : bound);
}

/** The machine-readable code of an error body, nothing else of it: messages of endpoints repeat keys and texts. */
async function errorDetail(response: Response): Promise<string | undefined> {
	try {
		const body = JSON.parse((await response.text()).slice(0, 10_000)) as { error?: { code?: unknown; type?: unknown } };
		for (const value of [body.error?.code, body.error?.type]) {
			if (typeof value === "string" && /^[a-z][a-z_]{0,40}$/.test(value)) return value;
		}
	} catch {
		// No body, or none that is JSON.
	}
	return undefined;
}
