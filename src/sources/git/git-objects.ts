import type { FileEntry } from "../../domain/commits.js";
import { LodeError } from "../../domain/errors.js";
import type { ReadOptions } from "../source.port.js";
import type { GitCall, GitCommand } from "./git-command.js";
import { isObjectId } from "./git-remote.js";

/** Requests on their way to git: enough to keep it busy, few enough to bound what waits in pipes. */
const WINDOW = 64;

export interface ObjectReader {
	readonly git: GitCommand;
	readonly args: readonly string[];
	readonly call: GitCall;
	readonly failed: (stderr: string) => LodeError;
}

/** Sizes of blobs in the order of `ids`. Bytes. @throws REPOSITORY_UNREADABLE when one is missing */
export async function blobSizes(reader: ObjectReader, ids: readonly string[]): Promise<number[]> {
	if (ids.length === 0) return [];
	const check = [...reader.args, "cat-file", "--batch-check=%(objecttype) %(objectsize)", "--buffer"];
	const input = `${ids.join("\n")}\n`;
	const { code, stdout, stderr } = await reader.git.run(check, { ...reader.call, input });
	if (code !== 0) throw reader.failed(stderr);
	const lines = stdout.toString("latin1").split("\n");
	return ids.map((id, index) => {
		const size = /^blob (\d+)$/.exec(lines[index] ?? "")?.[1];
		if (size === undefined) throw reader.failed(`fatal: missing blob ${id}`);
		return Number(size);
	});
}

/**
 * Contents through one `git cat-file --batch`. At most one content is held at a time; what exceeds `maxBytes` is not asked for,
 * or, where the entry's size was wrong, let through without being kept.
 */
export async function* readBlobs(
	reader: ObjectReader,
	files: readonly FileEntry[],
	options: ReadOptions,
): AsyncGenerator<{ file: FileEntry; bytes: Uint8Array | undefined }, void, undefined> {
	const readable = (file: FileEntry): boolean => file.mode !== "submodule" && file.size <= options.maxBytes;
	const wanted = files.filter(readable);
	if (wanted.length === 0) {
		for (const file of files) yield { file, bytes: undefined };
		return;
	}
	for (const { blob } of wanted) requireBlobId(blob);
	const running = reader.git.start([...reader.args, "cat-file", "--batch"], { ...reader.call, signal: options.signal });
	const pull = new Puller(running.stdout[Symbol.asyncIterator]() as AsyncIterator<Buffer>);
	let asked = 0;
	let answered = 0;
	const ask = (): void => {
		const until = Math.min(wanted.length, answered + WINDOW);
		if (asked >= until) return;
		running.stdin.write(
			`${wanted
				.slice(asked, until)
				.map((file) => file.blob)
				.join("\n")}\n`,
		);
		asked = until;
	};
	let complete = false;
	try {
		for (const file of files) {
			if (!readable(file)) {
				yield { file, bytes: undefined };
				continue;
			}
			// Refilled by halves: one write for many requests.
			if (asked - answered <= WINDOW / 2) ask();
			const header = await pull.line();
			const size = header === undefined ? undefined : /^[0-9a-f]+ blob (\d+)$/.exec(header)?.[1];
			if (header !== undefined && size === undefined)
				throw reader.failed(`fatal: missing blob ${header.slice(0, 100)}`);
			const bytes = size === undefined ? undefined : await pull.bytes(Number(size), Number(size) <= options.maxBytes);
			if (size === undefined || bytes === "ended" || (await pull.bytes(1, false)) === "ended") {
				running.stdin.end();
				const { stderr } = await running.ended;
				throw reader.failed(stderr);
			}
			answered += 1;
			yield { file, bytes };
		}
		running.stdin.end();
		complete = true;
	} finally {
		if (!complete) running.kill();
	}
	// Its output has ended by then; reading on makes the streams close.
	await pull.rest();
	await running.ended;
}

/** One content of any size, streamed. */
export function streamBlob(reader: ObjectReader, file: FileEntry): AsyncIterable<Uint8Array> {
	if (file.mode === "submodule") {
		throw new LodeError("REPOSITORY_UNREADABLE", `${file.path} is a submodule: its content is in another repository.`);
	}
	requireBlobId(file.blob);
	return reader.git.output([...reader.args, "cat-file", "blob", file.blob], reader.call, reader.failed);
}

function requireBlobId(blob: string): void {
	if (!isObjectId(blob)) throw new LodeError("REPOSITORY_UNREADABLE", "A file entry has no git object id.");
}

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

	async rest(): Promise<void> {
		while (await this.#next());
	}

	async #next(): Promise<boolean> {
		// A cut stream counts as ended: how the process ended says why.
		const result = await this.#source.next().catch(() => undefined);
		if (result === undefined || result.done) return false;
		this.#chunk = result.value;
		return true;
	}
}
