import { createHash } from "node:crypto";
import pLimit from "p-limit";
import { Piscina } from "piscina";
import { LodeError } from "../domain/errors.js";
import type { ChunkSettings, MinedFile, Skip } from "../domain/mined-file.js";
import { fileTypeOf, isDataLanguage } from "./languages.js";
import { type MineInput, mineFile, mineUnread } from "./mine-file.js";
import type { MiningTask } from "./mining-worker.js";
import { threadEntry, threadOptions } from "./thread-options.js";

export interface MiningPoolOptions {
	/** How many files are mined at once; 0: in this thread, without limits of time and memory. */
	readonly threads: number;
	/** Milliseconds that one file may take; default 20,000. */
	readonly timeLimitMs?: number;
	/** Heap of a thread in MiB; default 512. */
	readonly maxHeapMb?: number;
	/** The module that threads run; default: mining-worker beside this file. */
	readonly entry?: URL;
}

/** Mines files in worker threads. A file that hangs or exhausts its thread fails alone, with a recorded skip. */
export interface MiningPool {
	/**
	 * `input.bytes` stays usable: one copy of it goes to the thread. Rejects only with the signal's reason, with CANCELLED after
	 * `close`, or with INTERNAL when threads cannot start at all.
	 */
	mine(input: MineInput, settings: ChunkSettings, signal?: AbortSignal): Promise<MinedFile>;
	/** Ends all threads at once. */
	close(): Promise<void>;
}

export function createMiningPool(options: MiningPoolOptions): MiningPool {
	return options.threads <= 0 ? new InProcessMining() : new ThreadedMining(options);
}

class InProcessMining implements MiningPool {
	async mine(input: MineInput, settings: ChunkSettings, signal?: AbortSignal): Promise<MinedFile> {
		signal?.throwIfAborted();
		return mineFile(input, settings);
	}

	async close(): Promise<void> {}
}

/**
 * A file that did not come to an end is tried once more: the machine may have slept, or the thread's memory may have been filled by
 * files before it, and equal input has to give equal records. Then it is mined without extractors, so that its text is found all the same.
 */
const ATTEMPTS = 2;

class ThreadedMining implements MiningPool {
	readonly #threads: Piscina<MiningTask, MinedFile | undefined>;
	readonly #limit: ReturnType<typeof pLimit>;
	readonly #timeLimitMs: number;
	#started: Promise<void> | undefined;
	#closed = false;

	constructor({
		threads,
		timeLimitMs = 20_000,
		maxHeapMb = 512,
		entry = threadEntry(import.meta.url, "mining-worker"),
	}: MiningPoolOptions) {
		this.#timeLimitMs = timeLimitMs;
		// No more tasks than threads are handed over, so that a file's time begins when its thread does.
		this.#limit = pLimit(threads);
		this.#threads = new Piscina({
			...threadOptions(entry),
			minThreads: 1,
			maxThreads: threads,
			idleTimeout: 30_000,
			resourceLimits: { maxOldGenerationSizeMb: maxHeapMb },
		});
		// Deaths of threads reject the task that they ran; without a listener an idle one's would end the process.
		this.#threads.on("error", () => {});
	}

	mine(input: MineInput, settings: ChunkSettings, signal?: AbortSignal): Promise<MinedFile> {
		return this.#limit(async () => {
			this.#check(signal);
			// DuckDB reads these in threads of its own and bounds time and memory itself. Ending a thread that waits for it
			// would abort the whole process (Napi::Error in a terminated environment).
			if (isDataLanguage(fileTypeOf(input.path).language)) return mineFile(input, settings);
			this.#started ??= this.#ping();
			await this.#started;
			let skip: Skip = { reason: "parse", detail: "" };
			for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
				const result = await this.#attempt({ type: "mine", input: copied(input), settings }, signal);
				if ("mined" in result) return result.mined;
				skip = result.skip;
			}
			const plain = await this.#attempt({ type: "mine", input: copied(input), settings, plainly: skip }, signal);
			if ("mined" in plain) return plain.mined;
			const { source, path, mode, bytes } = input;
			const artifact = createHash("sha256").update(bytes).digest("hex");
			return mineUnread({ source, path, mode, artifact, size: bytes.byteLength }, skip);
		});
	}

	async close(): Promise<void> {
		this.#closed = true;
		await this.#threads.destroy();
	}

	async #attempt(
		task: MiningTask & { type: "mine" },
		signal: AbortSignal | undefined,
	): Promise<{ mined: MinedFile } | { skip: Skip }> {
		this.#check(signal);
		const timeout = new AbortController();
		const timer = setTimeout(() => timeout.abort(), this.#timeLimitMs);
		try {
			const mined = await this.#threads.run(task, {
				signal: signal === undefined ? timeout.signal : AbortSignal.any([timeout.signal, signal]),
				transferList: [task.input.bytes.buffer as ArrayBuffer],
			});
			if (mined === undefined) throw new LodeError("INTERNAL", `mining ${task.input.path}: the thread gave no result`);
			return { mined };
		} catch (error) {
			this.#check(signal);
			return { skip: timeout.signal.aborted ? this.#timeoutSkip() : { reason: "parse", detail: threadEnd(error) } };
		} finally {
			clearTimeout(timer);
		}
	}

	#timeoutSkip(): Skip {
		return { reason: "timeout", detail: `not mined within ${this.#timeLimitMs} ms` };
	}

	/** Once: a thread that cannot load its module would make every file look hostile. */
	async #ping(): Promise<void> {
		try {
			await this.#threads.run({ type: "ping" });
		} catch (cause) {
			this.#check(undefined);
			throw new LodeError("INTERNAL", "starting the mining threads failed", {
				next: "Run `npm run build`, then `lode doctor`.",
				cause,
			});
		}
	}

	#check(signal: AbortSignal | undefined): void {
		signal?.throwIfAborted();
		if (this.#closed) throw new LodeError("CANCELLED", "mining was stopped: its pool is closed");
	}
}

/** Bytes often lie in a buffer of a whole batch: a copy of the file alone, which can be transferred. */
function copied(input: MineInput): MineInput {
	return { ...input, bytes: new Uint8Array(input.bytes) };
}

function threadEnd(error: unknown): string {
	const code = error instanceof Error && "code" in error ? error.code : undefined;
	return code === "ERR_WORKER_OUT_OF_MEMORY" ? "the mining thread ran out of memory" : "the mining thread ended";
}
