import { cancelled, type GitCall, type GitCommand, type GitProcess } from "./git-command.js";

/** Answers with contents. */
export const CONTENTS: readonly string[] = ["cat-file", "--batch"];
/** Answers with type and size alone. */
export const SIZES: readonly string[] = ["cat-file", "--batch-check=%(objecttype) %(objectsize)"];
/** A process that was not asked anything for this long is ended. Milliseconds. */
const IDLE_MS = 10_000;

/** A `git cat-file` that is asked by standard input, for one reader at a time. */
export class BlobProcess {
	readonly pull: Puller;
	/** It answered another reader before. */
	used = false;
	#signal: AbortSignal | undefined;
	#over = false;
	#idle: NodeJS.Timeout | undefined;
	readonly #stop = (): void => this.end();

	constructor(
		readonly key: string,
		private readonly running: GitProcess,
	) {
		this.pull = new Puller(running.stdout[Symbol.asyncIterator]() as AsyncIterator<Buffer>);
		running.ended.then(
			() => this.#gone(),
			() => this.#gone(),
		);
	}

	get over(): boolean {
		return this.#over;
	}

	ask(objects: readonly string[]): void {
		this.running.stdin?.write(`${objects.join("\n")}\n`);
	}

	/** What it wrote to its standard error, once it has ended. */
	async ended(): Promise<string> {
		this.running.stdin?.end();
		return (await this.running.ended).stderr;
	}

	end(): void {
		this.#gone();
		this.running.kill();
	}

	lease(signal: AbortSignal | undefined): void {
		clearTimeout(this.#idle);
		this.running.awaited(true);
		this.#signal = signal;
		signal?.addEventListener("abort", this.#stop, { once: true });
	}

	rest(whenOver: () => void): void {
		this.#release();
		this.used = true;
		this.#idle = setTimeout(() => {
			whenOver();
			this.running.stdin?.end();
			this.end();
		}, IDLE_MS);
		// A process that only waits keeps nobody from ending, and ends with its standard input.
		this.#idle.unref();
		this.running.awaited(false);
	}

	#gone(): void {
		this.#over = true;
		clearTimeout(this.#idle);
		this.#release();
	}

	#release(): void {
		this.#signal?.removeEventListener("abort", this.#stop);
		this.#signal = undefined;
	}
}

/**
 * Starting a process costs the worker more than most questions do. So a few that answer for objects are kept for a while. They see what is fetched
 * meanwhile: git looks again for what it does not find.
 */
export class BlobProcesses {
	readonly #idle: BlobProcess[] = [];

	/** `most`: how many are kept while nobody asks. */
	constructor(
		private readonly git: GitCommand,
		private readonly most = 4,
	) {}

	/** `args` end with what it is to answer: `CONTENTS` or `SIZES`. */
	async lease(args: readonly string[], call: GitCall, signal: AbortSignal | undefined): Promise<BlobProcess> {
		if (signal?.aborted) throw cancelled(args, signal);
		const key = keyOf(args, call);
		const at = this.#idle.findLastIndex((process) => process.key === key && !process.over);
		const [kept] = at === -1 ? [] : this.#idle.splice(at, 1);
		if (kept === undefined) return this.start(args, call, signal);
		kept.lease(signal);
		return kept;
	}

	async start(args: readonly string[], call: GitCall, signal: AbortSignal | undefined): Promise<BlobProcess> {
		const { signal: _, ...kept } = call;
		const process = new BlobProcess(keyOf(args, call), await this.git.start(args, kept));
		process.lease(signal);
		return process;
	}

	giveBack(process: BlobProcess): void {
		if (process.over) return;
		process.rest(() => this.#forget(process));
		this.#idle.push(process);
		while (this.#idle.length > this.most) this.#idle.shift()?.end();
	}

	/** Ends those of a repository, which may be about to be deleted. */
	endOf(args: readonly string[], call: GitCall): void {
		const keys = [CONTENTS, SIZES].map((command) => keyOf([...args, ...command], call));
		for (const process of this.#idle.filter(({ key }) => keys.includes(key))) {
			this.#forget(process);
			process.end();
		}
	}

	#forget(process: BlobProcess): void {
		const at = this.#idle.indexOf(process);
		if (at !== -1) this.#idle.splice(at, 1);
	}
}

const keyOf = (args: readonly string[], { cwd }: GitCall): string => JSON.stringify([cwd, ...args]);

/** Takes lines and byte counts out of a stream of chunks. */
class Puller {
	readonly #source: AsyncIterator<Buffer>;
	#chunk: Buffer = Buffer.alloc(0);

	constructor(source: AsyncIterator<Buffer>) {
		this.#source = source;
	}

	/** Up to the next line feed; undefined at the end. Headers of git are short, so a long line is damage. */
	async line(): Promise<string | undefined> {
		let text = "";
		for (;;) {
			const end = this.#chunk.indexOf(0x0a);
			if (end !== -1) {
				text += this.#chunk.toString("latin1", 0, end);
				this.#chunk = this.#chunk.subarray(end + 1);
				return text;
			}
			text += this.#chunk.toString("latin1");
			if (text.length > 4_096 || !(await this.#next())) return undefined;
		}
	}

	/** Exactly `count` bytes, or undefined where they are not to be kept. */
	async bytes(count: number, keep: boolean): Promise<Uint8Array | undefined | "ended"> {
		const kept = keep ? Buffer.allocUnsafe(count) : undefined;
		let done = 0;
		while (done < count) {
			if (this.#chunk.length === 0 && !(await this.#next())) return "ended";
			const part = this.#chunk.subarray(0, count - done);
			if (kept !== undefined) part.copy(kept, done);
			this.#chunk = this.#chunk.subarray(part.length);
			done += part.length;
		}
		return kept;
	}

	async #next(): Promise<boolean> {
		// A cut stream counts as ended: how the process ended says why.
		const result = await this.#source.next().catch(() => undefined);
		if (result === undefined || result.done) return false;
		this.#chunk = result.value;
		return true;
	}
}
