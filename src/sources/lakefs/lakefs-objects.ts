import type { FileEntry } from "../../domain/commits.js";
import { LodeError } from "../../domain/errors.js";
import type { ReadOptions } from "../source.port.js";
import type { LakefsApi } from "./lakefs-api.js";
import { commitMissing } from "./lakefs-changes.js";
import { cancelled } from "./lakefs-errors.js";
import { IN_FLIGHT } from "./lakefs-http.js";
import { objectOfPath } from "./lakefs-path.js";
import { lakefsAddress } from "./lakefs-target.js";

/** What may lie in memory ahead of who reads. */
const BYTES_AHEAD = 32 * 1024 * 1024;

type Read = { readonly file: FileEntry; readonly bytes: Uint8Array | undefined };

/** Contents in the order of `files`; the next ones are asked for while one is used. */
export async function* readObjects(
	api: LakefsApi,
	repository: string,
	commit: string,
	files: readonly FileEntry[],
	{ maxBytes, signal }: ReadOptions,
): AsyncGenerator<Read> {
	const stop = new AbortController();
	const both = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
	const ahead: Promise<Read>[] = [];
	const weight = (file: FileEntry): number => Math.min(file.size, maxBytes);
	let bytes = 0;
	let next = 0;
	try {
		for (let at = 0; at < files.length; at += 1) {
			while (next < files.length && ahead.length < IN_FLIGHT && (ahead.length === 0 || bytes < BYTES_AHEAD)) {
				const file = files[next++] as FileEntry;
				bytes += weight(file);
				const reading = readObject(api, repository, commit, file, maxBytes, both);
				// Who stops in the middle waits for none of them.
				reading.catch(() => {});
				ahead.push(reading);
			}
			const read = (await ahead.shift()) as Read;
			bytes -= weight(read.file);
			if (signal?.aborted) throw cancelled(`Reading ${lakefsAddress(repository)}`, signal);
			yield read;
		}
	} finally {
		stop.abort(new Error("no longer needed"));
	}
}

async function readObject(
	api: LakefsApi,
	repository: string,
	commit: string,
	file: FileEntry,
	maxBytes: number,
	signal: AbortSignal,
): Promise<Read> {
	if (file.size > maxBytes) return { file, bytes: undefined };
	const bytes = await api.content(repository, commit, objectOfPath(file.path), maxBytes, signal);
	if (bytes === "missing") throw await commitMissing(api, repository, commit);
	if (bytes === "too large") return { file, bytes: undefined };
	if (bytes.length !== file.size) throw changedBelow(repository, file);
	return { file, bytes };
}

export async function* streamObject(
	api: LakefsApi,
	repository: string,
	commit: string,
	file: FileEntry,
): AsyncGenerator<Uint8Array> {
	const parts = await api.stream(repository, commit, objectOfPath(file.path));
	if (parts === undefined) throw await commitMissing(api, repository, commit);
	let size = 0;
	for await (const part of parts) {
		size += part.length;
		yield part;
	}
	if (size !== file.size) throw changedBelow(repository, file);
}

/** Imported objects lie outside lakeFS, where others may write over them: then what is read is not what was committed. */
function changedBelow(repository: string, { path, size }: FileEntry): LodeError {
	const shown = path.replace(/\p{Cc}/gu, "?").slice(0, 200);
	return new LodeError(
		"REPOSITORY_UNREADABLE",
		`${shown} of ${lakefsAddress(repository)} is not what was committed: it had ${size} bytes then.`,
		{ next: "If it was imported into lakeFS, somebody has overwritten it where it lies: import and commit it again." },
	);
}
