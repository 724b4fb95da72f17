import type { FileEntry } from "../../domain/commits.js";
import { LodeError } from "../../domain/errors.js";
import type { ReadOptions } from "../source.port.js";
import { BlobProcesses, CAT_FILE } from "./blob-processes.js";
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
	const processes = reader.processes ?? new BlobProcesses(reader.git, 0);
	let leased = await processes.lease(reader.args, reader.call, options.signal);
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
				leased = await processes.start(reader.args, reader.call, options.signal);
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
				if (options.signal?.aborted) throw cancelled(CAT_FILE, options.signal);
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
