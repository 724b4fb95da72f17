import pLimit from "p-limit";
import { Piscina } from "piscina";
import { sha256 } from "../domain/digest.js";
import { LodeError } from "../domain/errors.js";
import type { ChunkSettings, MinedFile, Skip } from "../domain/mined-file.js";
import { fileTypeOf, isDataLanguage } from "./languages.js";
import { type MineInput, mineFile, mineUnread } from "./mine-file.js";
import { type MinedParcel, unpackParcel } from "./mined-file-codec.js";
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
	 * `input.bytes` stays usable: one copy of it goes to the thread. Small files that are asked for at once go together. Rejects only with the signal's reason, with CANCELLED after
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
/** Of a parcel of files that goes to a thread as one: to hand over a small file costs more than to mine it. */
const FILES_TOGETHER = 16;
const BYTES_TOGETHER = 256 * 1024;
/** One is mined while the next ones wait in the thread, which so need not wait for what this thread has to do. */
const PARCELS_A_THREAD = 4;

type LoadBalancer = NonNullable<NonNullable<ConstructorParameters<typeof Piscina>[0]>["loadBalancer"]>;

/**
 * An idle thread, else a new one where more may start, else the least busy. The library's own choice gives no thread a second task
 * that can be aborted, because aborting one ends all of them: the thread would wait for this one after each parcel, and a parcel that found it busy
 * would wait until no other came. Parcels that go down with another are mined file by file.
 */
function leastBusy(mayStart: () => boolean): LoadBalancer {
	return (_task, threads) => {
		// The library calls the usage of one task that can be aborted infinite.
		const parcels = threads.map((thread) => ({
			thread,
			count: thread.currentUsage === Number.POSITIVE_INFINITY ? 1 : thread.currentUsage,
		}));
		const [first] = parcels.filter(({ count }) => count < PARCELS_A_THREAD).sort((a, b) => a.count - b.count);
		return first === undefined || (first.count > 0 && mayStart()) ? null : first.thread;
	};
}

/** The worker's own is larger (see src/runtime/children.ts); a thread holds one parcel at a time. */
const YOUNG_HEAP_MB = 24;

type Threads = Piscina<MiningTask, MinedParcel[]>;

/** A file that waits for its turn. */
interface Waiting {
	readonly input: MineInput;
	readonly settings: ChunkSettings;
	readonly signal: AbortSignal | undefined;
	readonly resolve: (file: MinedFile) => void;
	readonly reject: (reason: unknown) => void;
}

class ThreadedMining implements MiningPool {
	readonly #together: Threads;
	/** For files whose parcel did not come to an end: each has a thread of its own then, and its own limits. */
	readonly #alone: Threads;
	readonly #limitAlone: ReturnType<typeof pLimit>;
	readonly #timeLimitMs: number;
	readonly #parcels: number;
	readonly #waiting: Waiting[] = [];
	#running = 0;
	#started: Promise<void> | undefined;
	#closed = false;

	constructor({
		threads,
		timeLimitMs = 20_000,
		maxHeapMb = 512,
		entry = threadEntry(import.meta.url, "mining-worker"),
	}: MiningPoolOptions) {
		this.#timeLimitMs = timeLimitMs;
		this.#parcels = threads * PARCELS_A_THREAD;
		// No more tasks than threads are handed over, so that a file's time begins when its thread does.
		this.#limitAlone = pLimit(threads);
		const options = {
			...threadOptions(entry),
			maxThreads: threads,
			idleTimeout: 30_000,
			resourceLimits: { maxOldGenerationSizeMb: maxHeapMb, maxYoungGenerationSizeMb: YOUNG_HEAP_MB },
		};
		this.#together = new Piscina({
			...options,
			minThreads: 1,
			loadBalancer: leastBusy(() => this.#together.threads.length < threads),
		});
		this.#alone = new Piscina({ ...options, minThreads: 0 });
		// Deaths of threads reject the task that they ran; without a listener an idle one's would end the process.
		for (const threadsOf of [this.#together, this.#alone]) threadsOf.on("error", () => {});
	}

	mine(input: MineInput, settings: ChunkSettings, signal?: AbortSignal): Promise<MinedFile> {
		// DuckDB reads these in threads of its own and bounds time and memory itself. Ending a thread that waits for it
		// would abort the whole process (Napi::Error in a terminated environment).
		if (isDataLanguage(fileTypeOf(input.path).language)) {
			return this.#limitAlone(() => {
				this.#check(signal);
				return mineFile(input, settings);
			});
		}
		return new Promise((resolve, reject) => {
			this.#waiting.push({ input, settings, signal, resolve, reject });
			// Later: whoever asks for one file often asks for others at once.
			if (this.#waiting.length === 1) queueMicrotask(() => this.#handOver());
		});
	}

	async close(): Promise<void> {
		this.#closed = true;
		await Promise.all([this.#together.destroy(), this.#alone.destroy()]);
	}

	#handOver(): void {
		while (this.#running < this.#parcels && this.#waiting.length > 0) {
			this.#running += 1;
			void this.#mineTogether(this.#nextParcel()).finally(() => {
				this.#running -= 1;
				this.#handOver();
			});
		}
	}

	/** Files of one caller, in the order in which they came. */
	#nextParcel(): Waiting[] {
		const [{ settings, signal } = {}] = this.#waiting;
		let [count, bytes] = [0, 0];
		for (const each of this.#waiting) {
			bytes += each.input.bytes.byteLength;
			if (count > 0 && (count === FILES_TOGETHER || bytes > BYTES_TOGETHER)) break;
			if (each.settings !== settings || each.signal !== signal) break;
			count += 1;
		}
		return this.#waiting.splice(0, count);
	}

	/** Never rejects: each file's own promise tells. */
	async #mineTogether(parcel: readonly Waiting[]): Promise<void> {
		const [{ settings, signal }] = parcel as readonly [Waiting];
		try {
			this.#check(signal);
			this.#started ??= this.#ping();
			await this.#started;
			const inputs = parcel.map(({ input }) => input);
			const result = await this.#attempt(this.#together, inputs, { settings }, signal);
			if ("mined" in result) {
				for (const [at, file] of result.mined.entries()) parcel[at]?.resolve(file);
				return;
			}
		} catch (error) {
			for (const { reject } of parcel) reject(error);
			return;
		}
		for (const { input, resolve, reject } of parcel) this.#mineAlone(input, settings, signal).then(resolve, reject);
	}

	#mineAlone(input: MineInput, settings: ChunkSettings, signal: AbortSignal | undefined): Promise<MinedFile> {
		return this.#limitAlone(async () => {
			let skip: Skip = { reason: "parse", detail: "" };
			for (const plainly of [...Array(ATTEMPTS).fill(false), true]) {
				const how = plainly ? { settings, plainly: skip } : { settings };
				const result = await this.#attempt(this.#alone, [input], how, signal);
				if ("mined" in result) return result.mined[0] as MinedFile;
				if (!plainly) skip = result.skip;
			}
			const { source, path, mode, bytes } = input;
			return mineUnread({ source, path, mode, artifact: sha256(bytes), size: bytes.byteLength }, skip);
		});
	}

	async #attempt(
		threads: Threads,
		inputs: readonly MineInput[],
		how: { readonly settings: ChunkSettings; readonly plainly?: Skip },
		signal: AbortSignal | undefined,
	): Promise<{ mined: MinedFile[] } | { skip: Skip }> {
		this.#check(signal);
		const timeout = new AbortController();
		const timer = setTimeout(() => timeout.abort(), this.#timeLimitMs);
		try {
			const copies = copied(inputs);
			const parcels = await threads.run(
				{ type: "mine", inputs: copies.inputs, ...how },
				{
					signal: signal === undefined ? timeout.signal : AbortSignal.any([timeout.signal, signal]),
					transferList: [copies.buffer],
				},
			);
			if (parcels.length !== inputs.length) {
				throw new LodeError("INTERNAL", `mining ${inputs[0]?.path}: the thread gave no result`);
			}
			return { mined: parcels.map((parcel, at) => unpackParcel(parcel, inputs[at]?.source ?? "")) };
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
			await this.#together.run({ type: "ping" });
		} catch (cause) {
			// The next one tries again: there may be threads by then.
			this.#started = undefined;
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

/** Their bytes in a buffer of their own, which can be transferred: they often lie in one of a whole batch. */
function copied(inputs: readonly MineInput[]): { inputs: MineInput[]; buffer: ArrayBuffer } {
	const buffer = new ArrayBuffer(inputs.reduce((sum, { bytes }) => sum + bytes.byteLength, 0));
	let at = 0;
	const moved = inputs.map((input) => {
		const bytes = new Uint8Array(buffer, at, input.bytes.byteLength);
		bytes.set(input.bytes);
		at += bytes.byteLength;
		return { ...input, bytes };
	});
	return { inputs: moved, buffer };
}

function threadEnd(error: unknown): string {
	const code = error instanceof Error && "code" in error ? error.code : undefined;
	return code === "ERR_WORKER_OUT_OF_MEMORY" ? "the mining thread ran out of memory" : "the mining thread ended";
}
