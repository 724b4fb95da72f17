import { rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Ledger } from "../ledger/ledger.js";
import { makeRequestsFolder, readRequest, requestPaths, setAside } from "./request-files.js";

const POLL_MS = 500;

/**
 * The gateway's side of `lode events replay`: looks for request files, has what they name wait again as far as it is parked, and deletes
 * them. Polled, because not every file system tells of changes. A request that the disk refuses stays and is tried again.
 */
export class ReplayRequests {
	readonly #stopped = new AbortController();
	/** Neither to be taken nor to be moved: said once. */
	readonly #left = new Set<string>();
	#running: Promise<void> | undefined;
	#problem: string | undefined;

	constructor(
		private readonly ledger: Pick<Ledger, "parked" | "replay">,
		/** The ledger's. */
		private readonly folder: string,
		private readonly log: (line: Readonly<Record<string, unknown>>) => void,
	) {}

	start(): void {
		this.#running = this.#run();
	}

	/** Waits for the request that is under way. The ledger has to be closed after this. */
	async stop(): Promise<void> {
		this.#stopped.abort();
		await this.#running;
	}

	async #run(): Promise<void> {
		const { signal } = this.#stopped;
		await makeRequestsFolder(this.folder).catch((error) => this.#failed(error));
		while (!signal.aborted) {
			try {
				for (const path of await requestPaths(this.folder)) {
					if (!signal.aborted && !this.#left.has(path)) await this.#take(path);
				}
				this.#problem = undefined;
			} catch (error) {
				this.#failed(error);
			}
			await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
		}
	}

	async #take(path: string): Promise<void> {
		let ids: ReadonlySet<string>;
		try {
			ids = await readRequest(path);
		} catch (error) {
			// Withdrawn meanwhile.
			if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
			return this.#refuse(path, error);
		}
		const again = await this.ledger.replay(this.ledger.parked().filter(({ id }) => ids.has(id)));
		// Where it cannot be deleted, what is parked again would be replayed for ever.
		this.#left.add(path);
		await rm(path);
		this.#left.delete(path);
		this.log({ level: "info", message: `${again.length} parked receipts wait again, as asked for` });
	}

	async #refuse(path: string, reason: unknown): Promise<void> {
		const problem = (reason as Error).message;
		const message = "what lies among the requests to replay is none";
		try {
			const where = await setAside(this.folder, path);
			this.log({ level: "warn", message: `${message} and is set aside`, problem, where });
		} catch {
			this.#left.add(path);
			this.log({ level: "warn", message: `${message} and is left`, problem, where: path });
		}
	}

	/** Said once, however often it is tried. */
	#failed(error: unknown): void {
		const problem = (error as Error).message;
		if (problem === this.#problem) return;
		this.#problem = problem;
		this.log({ level: "warn", message: "requests to replay parked receipts cannot be taken", problem });
	}
}
