import { createHash } from "node:crypto";
import type { Change, FileEntry } from "../../domain/commits.js";
import { sha256 } from "../../domain/digest.js";
import { LodeError } from "../../domain/errors.js";
import type { ArtifactStore } from "../../stores/artifacts/artifacts.port.js";
import { encodePath } from "../path-name.js";

/** A file of a scanned folder: its path in bytes, relative, with `/` between. */
export interface ListedFile {
	readonly path: Buffer;
	readonly mode: "file" | "executable" | "symlink";
	readonly size: number;
	/** SHA-256 of the content, hex. */
	readonly sha: string;
}

const MODES = { file: "100644", executable: "100755", symlink: "120000" } as const;
const RECORD = /^(100644|100755|120000) ([0-9a-f]{64}) (\d{1,16})\t/;

export const listingKey = (commit: string): string => `listings/${commit}`;

/**
 * The tree of a folder as one text, `mode sha256 size TAB path NUL` a file, sorted by the bytes of the path. Its SHA-256 is the
 * commit id, so a listing proves itself.
 */
export class ListingBuilder {
	readonly #hash = createHash("sha256");
	readonly #parts: Buffer[] = [];

	add(file: ListedFile): void {
		const record = Buffer.concat([
			Buffer.from(`${MODES[file.mode]} ${file.sha} ${file.size}\t`, "latin1"),
			file.path,
			Buffer.of(0),
		]);
		this.#hash.update(record);
		this.#parts.push(record);
	}

	build(): { commit: string; bytes: Buffer } {
		return { commit: this.#hash.digest("hex"), bytes: Buffer.concat(this.#parts) };
	}
}

export async function loadListing(artifacts: Pick<ArtifactStore, "getDerived">, commit: string): Promise<Buffer> {
	const bytes = /^[0-9a-f]{64}$/.test(commit) ? await artifacts.getDerived(listingKey(commit)) : undefined;
	if (bytes !== undefined && sha256(bytes) === commit) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
	throw new LodeError(
		"COMMIT_NOT_FOUND",
		`The folder's state ${commit.slice(0, 80)} was never scanned, or was collected.`,
		{
			next: "Ingest the folder again: its present state gets a commit id of its own.",
		},
	);
}

export function* listedFiles(listing: Buffer): Generator<ListedFile, void, undefined> {
	let start = 0;
	while (start < listing.length) {
		const end = listing.indexOf(0, start);
		const head = RECORD.exec(listing.toString("latin1", start, Math.min(start + 100, end)));
		if (end === -1 || head === null) throw new LodeError("REPOSITORY_UNREADABLE", "A folder's listing is damaged.");
		const mode = head[1] === MODES.file ? "file" : head[1] === MODES.symlink ? "symlink" : "executable";
		const path = listing.subarray(start + head[0].length, end);
		yield { path, mode, size: Number(head[3]), sha: head[2] as string };
		start = end + 1;
	}
}

/** Both listings are sorted, so one walk over them finds the difference. */
export function* compareListings(from: Buffer | undefined, to: Buffer): Generator<Change, void, undefined> {
	const olds = listedFiles(from ?? Buffer.alloc(0));
	const news = listedFiles(to);
	let old = olds.next();
	let now = news.next();
	while (!old.done || !now.done) {
		const order = old.done ? 1 : now.done ? -1 : Buffer.compare(old.value.path, now.value.path);
		if (order < 0) {
			yield { type: "removed", path: encodePath((old.value as ListedFile).path) };
		} else if (order > 0) {
			yield { type: "added", file: fileEntry(now.value as ListedFile) };
		} else if (differs(old.value as ListedFile, now.value as ListedFile)) {
			yield { type: "modified", file: fileEntry(now.value as ListedFile) };
		}
		if (order <= 0) old = olds.next();
		if (order >= 0) now = news.next();
	}
}

export function fileEntry({ path, mode, size, sha }: ListedFile): FileEntry {
	return { path: encodePath(path), blob: sha, mode, size };
}

function differs(a: ListedFile, b: ListedFile): boolean {
	return a.sha !== b.sha || a.mode !== b.mode;
}
