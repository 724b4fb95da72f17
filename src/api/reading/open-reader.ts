import { LodeError } from "../../domain/errors.js";
import type { ApiServices, LodeReader, OpenedServices } from "../../services/lode.js";
import { LOCAL } from "../../services/security/principal.js";
import { askedBy } from "../security/asked-by.js";

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 15_000;

/**
 * What the process serves. Opened in the background, again and again where a store is away, so that the process answers from its first
 * second and says that it is starting.
 */
export class OpenReader {
	#opened: OpenedServices | undefined;
	#triedOnce = () => {};
	readonly #tried = new Promise<void>((resolve) => {
		this.#triedOnce = resolve;
	});
	#problem: unknown;
	#closed = false;
	#wake: (() => void) | undefined;
	readonly #opening: Promise<void>;

	constructor(
		private readonly open: () => Promise<OpenedServices>,
		private readonly onFailure: (error: unknown) => void,
	) {
		this.#opening = this.#openAgainAndAgain();
	}

	/** Of the process itself, undefined while it is not open yet. */
	current(): LodeReader | undefined {
		return this.#opened?.as(LOCAL).reader;
	}

	/** Whether people have to say who they are, as far as is known. */
	async isForKnown(): Promise<boolean> {
		return (await this.#opened?.authenticator.required().catch(() => true)) ?? false;
	}

	/** Resolves when it was tried once to open it: undefined where that failed. */
	async firstOpened(): Promise<OpenedServices | undefined> {
		await this.#tried;
		return this.#opened;
	}

	/** What the principal may see whose request is being answered. @throws STORE_UNAVAILABLE while it is not open yet */
	use(): LodeReader {
		return this.services().reader;
	}

	/** The same. @throws STORE_UNAVAILABLE while they are not open yet */
	services(): ApiServices {
		return this.opened().as(askedBy());
	}

	/** For everybody: only what finds out who asks needs it. @throws STORE_UNAVAILABLE while they are not open yet */
	opened(): OpenedServices {
		if (this.#opened !== undefined) return this.#opened;
		throw new LodeError("STORE_UNAVAILABLE", "This process is starting.", {
			next: "Ask again in a few seconds; /health/ready says when.",
			cause: this.#problem,
		});
	}

	async close(): Promise<void> {
		this.#closed = true;
		this.#wake?.();
		await this.#opening;
		await this.#opened?.close();
	}

	async #openAgainAndAgain(): Promise<void> {
		for (let wait = FIRST_RETRY_MS; !this.#closed; wait = Math.min(wait * 2, LONGEST_RETRY_MS)) {
			try {
				this.#opened = await this.open();
				return;
			} catch (error) {
				this.#problem = error;
				this.onFailure(error);
			} finally {
				this.#triedOnce();
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
