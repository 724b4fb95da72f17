import { LodeError } from "../../domain/errors.js";
import type { ApiServices, LodeReader } from "../../services/lode.js";

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 15_000;

/**
 * What the process serves. Opened in the background, again and again where a store is away, so that the process answers from its first
 * second and says that it is starting.
 */
export class OpenReader {
	#services: ApiServices | undefined;
	#problem: unknown;
	#closed = false;
	#wake: (() => void) | undefined;
	readonly #opening: Promise<void>;

	constructor(
		private readonly open: () => Promise<ApiServices>,
		private readonly onFailure: (error: unknown) => void,
	) {
		this.#opening = this.#openAgainAndAgain();
	}

	/** Undefined while it is not open yet. */
	current(): LodeReader | undefined {
		return this.#services?.reader;
	}

	/** @throws STORE_UNAVAILABLE while it is not open yet */
	use(): LodeReader {
		return this.services().reader;
	}

	/** @throws STORE_UNAVAILABLE while they are not open yet */
	services(): ApiServices {
		if (this.#services !== undefined) return this.#services;
		throw new LodeError("STORE_UNAVAILABLE", "This process is starting.", {
			next: "Ask again in a few seconds; /health/ready says when.",
			cause: this.#problem,
		});
	}

	async close(): Promise<void> {
		this.#closed = true;
		this.#wake?.();
		await this.#opening;
		await this.#services?.close();
	}

	async #openAgainAndAgain(): Promise<void> {
		for (let wait = FIRST_RETRY_MS; !this.#closed; wait = Math.min(wait * 2, LONGEST_RETRY_MS)) {
			try {
				this.#services = await this.open();
				return;
			} catch (error) {
				this.#problem = error;
				this.onFailure(error);
			}
			await new Promise<void>((resolve) => {
				const timer = setTimeout(resolve, wait);
				this.#wake = () => {
					clearTimeout(timer);
					resolve();
				};
			});
		}
	}
}
