import pLimit from "p-limit";
import pRetry from "p-retry";
import type { z } from "zod";
import type { LodeError } from "../../domain/errors.js";
import { cancelled, isPassing, LakefsRefusal, lakefsError, unexpectedAnswer } from "./lakefs-errors.js";
import type { LakefsOptions } from "./lakefs-options.js";

/** Requests in flight: more do not make a server faster, and hold memory. */
export const IN_FLIGHT = 16;
/** A request of which nothing moves for this long is given up. */
const STALLED_MS = 20_000;
const RETRIES = 3;
const MAX_SAID = 300;

export interface Call {
	/** Below `/api/v1`, segments already encoded. */
	readonly path: string;
	readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
	/** For messages: "Reading lakefs://lake". */
	readonly doing: string;
	readonly signal?: AbortSignal;
}

/** Every request to lakeFS: bounded in number and time, passing faults tried again, answers checked, errors ours. Only reads. */
export class LakefsHttp {
	readonly endpoint: string;
	readonly #base: string;
	readonly #authorization: string;
	readonly #limit = pLimit(IN_FLIGHT);

	constructor({ endpoint, accessKeyId, secretAccessKey }: LakefsOptions) {
		this.endpoint = endpoint.replace(/\/+$/, "").replace(/\/api\/v1$/, "");
		this.#base = `${this.endpoint}/api/v1`;
		this.#authorization = `Basic ${Buffer.from(`${accessKeyId}:${secretAccessKey.reveal()}`).toString("base64")}`;
	}

	/** The answer, or undefined where lakeFS says that there is no such thing. */
	async find<T>(schema: z.ZodType<T>, call: Call): Promise<T | undefined> {
		try {
			return await this.#retried(call, async (response) => schema.parse(await response.json()));
		} catch (error) {
			if (error instanceof LakefsRefusal && error.status === 404) return undefined;
			throw this.#named(error, call);
		}
	}

	/** At most `maxBytes` of the body; undefined where it has more, or does not exist. */
	async bytes(call: Call, maxBytes: number): Promise<Uint8Array | "too large" | "missing"> {
		try {
			return await this.#retried(call, async (response, alive) => {
				const parts: Uint8Array[] = [];
				let size = 0;
				for await (const part of bodyOf(response, alive)) {
					size += part.length;
					if (size > maxBytes) return "too large" as const;
					parts.push(part);
				}
				return Buffer.concat(parts, size);
			});
		} catch (error) {
			if (error instanceof LakefsRefusal && error.status === 404) return "missing";
			throw this.#named(error, call);
		}
	}

	/** The body as it comes; what breaks off in the middle is not tried again here. Undefined where it does not exist. */
	async stream(call: Call): Promise<AsyncIterable<Uint8Array> | undefined> {
		const abort = new AbortController();
		const stall = new Stall(abort);
		try {
			const response = await pRetry(() => this.#send(call, abort.signal, stall), retryOptions(call.signal));
			return this.#guarded(
				call,
				bodyOf(response, () => stall.moved()),
				stall,
			);
		} catch (error) {
			stall.end();
			if (error instanceof LakefsRefusal && error.status === 404) return undefined;
			throw this.#named(error, call);
		}
	}

	async *#guarded(call: Call, body: AsyncIterable<Uint8Array>, stall: Stall): AsyncGenerator<Uint8Array> {
		try {
			yield* body;
		} catch (error) {
			throw this.#named(error, call);
		} finally {
			stall.end();
		}
	}

	/** One request and the reading of its answer, again where what went wrong may pass. */
	#retried<T>(call: Call, read: (response: Response, alive: () => void) => Promise<T>): Promise<T> {
		return this.#limit(() =>
			pRetry(async () => {
				const abort = new AbortController();
				const stall = new Stall(abort);
				try {
					return await read(await this.#send(call, abort.signal, stall), () => stall.moved());
				} finally {
					stall.end();
					// Lets go of the connection of a body that was not read to its end.
					abort.abort();
				}
			}, retryOptions(call.signal)),
		);
	}

	async #send({ path, query, signal }: Call, stalled: AbortSignal, stall: Stall): Promise<Response> {
		signal?.throwIfAborted();
		const parameters = new URLSearchParams();
		for (const [name, value] of Object.entries(query ?? {})) if (value !== undefined) parameters.set(name, `${value}`);
		const search = parameters.size === 0 ? "" : `?${parameters}`;
		stall.moved();
		const response = await fetch(`${this.#base}${path}${search}`, {
			headers: { authorization: this.#authorization },
			// The key is for this server and no other.
			redirect: "error",
			signal: signal === undefined ? stalled : AbortSignal.any([signal, stalled]),
		});
		stall.moved();
		if (!response.ok) throw await refusal(response);
		return response;
	}

	#named(error: unknown, { doing, signal }: Call): LodeError {
		if (signal?.aborted) return cancelled(doing, signal);
		if (isWrongAnswer(error)) return unexpectedAnswer(doing, this.endpoint, error);
		return lakefsError(error, this.endpoint, doing);
	}
}

/** Ends a request when nothing has moved for too long. */
class Stall {
	#timer: NodeJS.Timeout | undefined;

	constructor(private readonly abort: AbortController) {}

	moved(): void {
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => this.abort.abort(new Error("the server stalls")), STALLED_MS);
	}

	end(): void {
		clearTimeout(this.#timer);
	}
}

async function* bodyOf(response: Response, alive: () => void): AsyncGenerator<Uint8Array> {
	for await (const part of response.body ?? []) {
		alive();
		yield part;
	}
}

function retryOptions(signal: AbortSignal | undefined) {
	return {
		retries: RETRIES,
		minTimeout: 100,
		maxTimeout: 2_000,
		signal,
		shouldRetry: ({ error }: { error: unknown }) => isPassing(error) && !isWrongAnswer(error),
	};
}

const isWrongAnswer = (error: unknown): boolean =>
	error instanceof SyntaxError || (error instanceof Error && error.name === "ZodError");

async function refusal(response: Response): Promise<LakefsRefusal> {
	const seconds = Number(response.headers.get("retry-after"));
	const text = (await response.text().catch(() => "")).slice(0, 10_000);
	const retryAfterMs = seconds > 0 ? Math.min(seconds, 3_600) * 1_000 : undefined;
	return new LakefsRefusal(response.status, saidIn(text), retryAfterMs);
}

/** lakeFS answers `{"message": …}`; a proxy between may answer anything. */
function saidIn(text: string): string {
	try {
		const { message } = JSON.parse(text) as { message?: unknown };
		return typeof message === "string" ? message.replace(/\p{Cc}+/gu, " ").slice(0, MAX_SAID) : "";
	} catch {
		return "";
	}
}
