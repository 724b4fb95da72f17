import type { FileEntry } from "../../domain/commits.js";
import { LodeError } from "../../domain/errors.js";
import type { ReadOptions } from "../source.port.js";
import { BlobProcesses, CONTENTS, SIZES } from "./blob-processes.js";
import { cancelled, type GitCall, type GitCommand } from "./git-command.js";
import { isObjectId } from "./git-remote.js";

/** Requests on their way to git: enough to keep it busy, few enough to bound what waits in pipes. */
const WINDOW = 64;

export interface ObjectReader {
	readonly git: GitCommand;
	readonly args: readonly string[];
	readonly call: GitCall;
	readonly failed: (stderr: string) => LodeError;
	/** Processes that answer for contents, kept for the next question; without them each question starts one. */
	readonly processes?: BlobProcesses;
}

/** Sizes of blobs in the order of `ids`. Bytes. @throws REPOSITORY_UNREADABLE when one is missing */
export async function blobSizes(reader: ObjectReader, ids: readonly string[]): Promise<number[]> {
	if (ids.length === 0) return [];
	const lines = ids.length <= WINDOW ? await askKept(reader, ids) : await askAll(reader, ids);
	return ids.map((id, index) => {
		const size = /^blob (\d+)$/.exec(lines[index] ?? "")?.[1];
		if (size === undefined) throw reader.failed(`fatal: missing blob ${id}`);
		return Number(size);
	});
}

/** Whether there is an object of the type; not whether what it names is there. */
export async function hasObject(reader: ObjectReader, id: string, type: string): Promise<boolean> {
	const [line] = await askKept(reader, [id]);
	return line?.startsWith(`${type} `) === true;
}

/** A line for each id, at most `WINDOW` of them. */
async function askKept(reader: ObjectReader, ids: readonly string[]): Promise<string[]> {
	const { args, call } = reader;
	const processes = reader.processes ?? new BlobProcesses(reader.git, 0);
	let leased = await processes.lease([...args, ...SIZES], call, call.signal);
	const lines: string[] = [];
	let complete = false;
	try {
		leased.ask(ids);
		while (lines.length < ids.length) {
			const line = await leased.pull.line();
			if (line !== undefined) {
				lines.push(line);
			} else if (leased.used && lines.length === 0 && !call.signal?.aborted) {
				// It ended while it was kept: no answer of the repository.
				leased.end();
				leased = await processes.start([...args, ...SIZES], call, call.signal);
				leased.ask(ids);
			} else {
				if (call.signal?.aborted) throw cancelled(SIZES, call.signal);
				throw reader.failed(await leased.ended());
			}
		}
		complete = true;
	} finally {
		if (complete) processes.giveBack(leased);
		else leased.end();
	}
	return lines;
}

async function askAll(reader: ObjectReader, ids: readonly string[]): Promise<string[]> {
	const input = `${ids.join("\n")}\n`;
	const check = [...reader.args, ...SIZES, "--buffer"];
	const { code, stdout, stderr } = await reader.git.run(check, { ...reader.call, input });
	if (code !== 0) throw reader.failed(stderr);
	return stdout.toString("latin1").split("\n");
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
	const processes = reader.processes ?? new BlobProcesses(reader.git, 0);
	const args = [...reader.args, ...CONTENTS];
	let leased = await processes.lease(args, reader.call, options.signal);
	let asked = 0;
	let answered = 0;
	const ask = (): void => {
		const until = Math.min(wanted.length, answered + WINDOW);
		if (asked >= until) return;
		leased.ask(wanted.slice(asked, until).map((file) => file.blob));
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
			let header = await leased.pull.line();
			if (header === undefined && leased.used && answered === 0 && !options.signal?.aborted) {
				// It ended while it was kept: no answer of the repository.
				leased.end();
				leased = await processes.start(args, reader.call, options.signal);
				asked = 0;
				ask();
				header = await leased.pull.line();
			}
			const size = header === undefined ? undefined : /^[0-9a-f]+ blob (\d+)$/.exec(header)?.[1];
			if (header !== undefined && size === undefined)
				throw reader.failed(`fatal: missing blob ${header.slice(0, 100)}`);
			const { pull } = leased;
			const bytes = size === undefined ? undefined : await pull.bytes(Number(size), Number(size) <= options.maxBytes);
			if (size === undefined || bytes === "ended" || (await pull.bytes(1, false)) === "ended") {
				if (options.signal?.aborted) throw cancelled(CONTENTS, options.signal);
				throw reader.failed(await leased.ended());
			}
			answered += 1;
			yield { file, bytes };
		}
		complete = true;
	} finally {
		if (complete) processes.giveBack(leased);
		else leased.end();
	}
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
