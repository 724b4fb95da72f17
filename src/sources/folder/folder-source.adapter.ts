import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { realpath, rm } from "node:fs/promises";
import path from "node:path";
import type { FileEntry } from "../../domain/commits.js";
import { LodeError } from "../../domain/errors.js";
import { sourceId } from "../../domain/keys.js";
import type { ArtifactStore, ObjectInfo } from "../../stores/artifacts/artifacts.port.js";
import type { Source } from "../../stores/catalog/catalog.port.js";
import { describeTarget } from "../describe-target.js";
import { isDirectory, localPath } from "../local-path.js";
import { pages } from "../pages.js";
import { decodePath } from "../path-name.js";
import type { SourceAdapter } from "../source.port.js";
import { sourceHome } from "../source-home.js";
import { type Content, type LargeContents, readFileContent, readLinkContent } from "./file-content.js";
import { isGone, type ScannedFile, scanFolder, unreadable } from "./folder-scan.js";
import { compareListings, type ListedFile, ListingBuilder, listedFiles, listingKey, loadListing } from "./listing.js";
import { nativePath } from "./native-path.js";
import { StatCache } from "./stat-cache.js";

type Archive = Pick<ArtifactStore, "put" | "putStream" | "get" | "missing" | "putDerived" | "getDerived">;

export interface FolderSourceOptions {
	readonly home: string;
	/** Contents go there when they are hashed, so that a commit stays readable whatever happens to the folder. */
	readonly artifacts: Archive;
	/** Larger contents go into the archive piece by piece. Bytes; default: 64 MiB. */
	readonly maxLoadedBytes?: number;
}

const PAGE = 1_000;
/** What waits to be put into the archive together: one flush to disk for many small files. */
const BATCH_BYTES = 8 * 1024 * 1024;
const BATCH_FILES = 256;
const PROGRESS_MS = 2_000;

/**
 * A folder as it lies. Its commit id is the SHA-256 of its sorted tree (mode, content, size, path), so the same tree is the same
 * commit everywhere. It has no branches and no log. Left out are `.git`, `.lode`, Lode's home and `node_modules`; links are
 * kept as links, and what is neither file, folder nor link is ignored.
 */
export function createFolderSource(options: FolderSourceOptions): SourceAdapter {
	const home = path.resolve(options.home);
	const { artifacts, maxLoadedBytes = 64 * 1024 * 1024 } = options;
	const large: LargeContents = { above: maxLoadedBytes, put: (content) => artifacts.putStream(content) };

	async function locate(target: string): Promise<string> {
		const local = await localPath(target);
		if (local !== undefined && (await isDirectory(local))) return local;
		throw new LodeError("SOURCE_NOT_FOUND", `There is no folder at ${describeTarget(target)}.`, {
			next: "Check the path.",
		});
	}

	/** Scans the folder, archives what is new in it, and stores the listing. Returns the commit id. */
	async function scan(root: string): Promise<string> {
		const realHome = await realpath(home).catch(() => home);
		const cache = await StatCache.open(sourceHome(home, sourceId(root, "")));
		const listing = new ListingBuilder();
		const batch = new ArchiveBatch(artifacts);
		let complete = false;
		try {
			for await (const file of scanFolder(root, realHome)) {
				const listed = await hashed(root, file, cache, batch, large);
				if (listed !== undefined) listing.add(listed);
			}
			await batch.flush();
			const { commit, bytes } = listing.build();
			await artifacts.putDerived(listingKey(commit), bytes);
			complete = true;
			return commit;
		} finally {
			await cache.close(complete);
		}
	}

	/** The commit id of the folder as it lies, without keeping anything of it. */
	async function peek(root: string, signal: AbortSignal): Promise<string> {
		const realHome = await realpath(home).catch(() => home);
		const cache = await StatCache.openToRead(sourceHome(home, sourceId(root, "")));
		const listing = new ListingBuilder();
		try {
			for await (const file of scanFolder(root, realHome)) {
				if (signal.aborted) throw new LodeError("CANCELLED", `Looking at ${root} was cancelled.`);
				const listed = await hashed(root, file, cache, NOT_KEPT, { above: maxLoadedBytes, put: digestOf });
				if (listed !== undefined) listing.add(listed);
			}
			return listing.build().commit;
		} finally {
			await cache.close(false);
		}
	}

	/** Puts contents that the archive lost, or never had, back from the folder while it still has them. */
	async function restore(source: Source, files: readonly ListedFile[], missing: ReadonlySet<string>): Promise<void> {
		const batch = new ArchiveBatch(artifacts);
		const restored = new Set<string>();
		for (const file of files) {
			if (!missing.has(file.sha) || restored.has(file.sha)) continue;
			const content = await contentOf(source.address, file.path, file.mode === "symlink", large);
			if (content?.sha !== file.sha) {
				throw new LodeError("COMMIT_NOT_FOUND", `The folder ${source.address} changed before its state was archived.`, {
					next: "Ingest the folder again: its present state gets a commit id of its own.",
				});
			}
			if (content.bytes !== undefined) await batch.add(content.bytes);
			restored.add(file.sha);
		}
		await batch.flush();
	}

	return {
		kind: "folder",

		/** Every directory: the registry asks git first. */
		async recognises(target) {
			const local = await localPath(target).catch(() => undefined);
			return local !== undefined && (await isDirectory(local));
		},

		async resolve(target, ref) {
			const address = await locate(target);
			if (ref !== undefined && ref !== "HEAD") {
				const known = /^[0-9a-f]{64}$/.test(ref) && (await artifacts.getDerived(listingKey(ref)));
				if (known) return { kind: "folder", address, branch: "", commit: ref };
				throw new LodeError(
					"REF_NOT_FOUND",
					`The folder ${address} has no branches, tags or earlier commits of that name.`,
					{
						next: "Leave the ref out to ingest the folder as it lies.",
					},
				);
			}
			return { kind: "folder", address, branch: "", commit: await scan(address) };
		},

		async prepare(source, commit, progress, signal) {
			let done = "checking the archive";
			const timer = setInterval(() => progress(done), PROGRESS_MS);
			try {
				const listing = await loadListing(artifacts, commit);
				let checked = 0;
				for await (const files of pages(each(listedFiles(listing)), PAGE)) {
					if (signal?.aborted) {
						throw new LodeError("CANCELLED", `Preparing ${source.address} was cancelled.`, { cause: signal.reason });
					}
					const missing = await artifacts.missing([...new Set(files.map(({ sha }) => sha))]);
					if (missing.length > 0) await restore(source, files, new Set(missing));
					checked += files.length;
					done = `${checked} files are in the archive`;
				}
				// Renews the listing as `missing` renews the contents.
				await artifacts.putDerived(listingKey(commit), listing);
			} finally {
				clearInterval(timer);
			}
		},

		head: (source) => scan(source.address),

		peek: (source, signal) => peek(source.address, signal),

		// However often it changed, what would be ingested is the one state in which it lies now.
		waiting: async () => ({ commits: 1, since: undefined }),

		async *changes(_source, from, to) {
			const before = from === undefined ? undefined : await loadListing(artifacts, from);
			yield* pages(each(compareListings(before, await loadListing(artifacts, to))), PAGE);
		},

		/** A folder has no log. */
		async *commits() {},

		async *read(_source, _commit, files, { maxBytes, signal }) {
			for (const file of files) {
				if (signal?.aborted) throw new LodeError("CANCELLED", "Reading files was cancelled.", { cause: signal.reason });
				const fits = file.size <= maxBytes && file.mode !== "submodule";
				yield { file, bytes: fits ? await archived(artifacts, file) : undefined };
			}
		},

		async stream(source, _commit, file) {
			if (file.size > maxLoadedBytes) return streamLarge(artifacts, source, file);
			return each([await archived(artifacts, file)]);
		},

		archived: (commit) => [listingKey(commit)],

		async forget(source) {
			await rm(sourceHome(home, source.id), { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
		},
	};
}

/** Instead of the archive, where contents are only hashed. */
const NOT_KEPT: Pick<ArchiveBatch, "add"> = { add: async () => undefined };

async function digestOf(content: AsyncIterable<Uint8Array>): Promise<ObjectInfo> {
	const hash = createHash("sha256");
	let size = 0;
	for await (const chunk of content) {
		hash.update(chunk);
		size += chunk.length;
	}
	return { object: hash.digest("hex"), size };
}

async function hashed(
	root: string,
	file: ScannedFile,
	cache: StatCache,
	batch: Pick<ArchiveBatch, "add">,
	large: LargeContents,
): Promise<ListedFile | undefined> {
	const link = file.stat.isSymbolicLink();
	if (!link) {
		const sha = await cache.lookup(file.path, file.stat);
		if (sha !== undefined) {
			await cache.remember(file.path, file.stat, sha);
			return { path: file.path, mode: modeOf(file), size: Number(file.stat.size), sha };
		}
	}
	const content = await contentOf(root, file.path, link, large);
	if (content === undefined) return undefined;
	if (content.bytes !== undefined) await batch.add(content.bytes);
	if (content.stat !== undefined) await cache.remember(file.path, content.stat, content.sha);
	return { path: file.path, mode: modeOf(file), size: content.size, sha: content.sha };
}

function modeOf({ stat }: ScannedFile): ListedFile["mode"] {
	if (stat.isSymbolicLink()) return "symlink";
	return (stat.mode & 0o100n) === 0n ? "file" : "executable";
}

/** Undefined where the file vanished, or became something else. */
async function contentOf(
	root: string,
	relative: Buffer,
	link: boolean,
	large: LargeContents,
): Promise<Content | undefined> {
	const file = nativePath(root, relative);
	try {
		return link ? await readLinkContent(file) : await readFileContent(file, large);
	} catch (error) {
		// EINVAL: no link any more.
		if (isGone(error) || (link && (error as NodeJS.ErrnoException).code === "EINVAL")) return undefined;
		throw unreadable(root, relative, error);
	}
}

/**
 * From the folder while it has the same content, so that it is never held whole; then from the archive. Both give what the listing
 * names: a reader that came to the end has that, or an error.
 */
async function streamLarge(artifacts: Archive, source: Source, file: FileEntry): Promise<AsyncIterable<Uint8Array>> {
	const place = nativePath(source.address, decodePath(file.path));
	const hash = createHash("sha256");
	try {
		for await (const chunk of createReadStream(place)) hash.update(chunk as Buffer);
	} catch {
		return each([await archived(artifacts, file)]);
	}
	if (hash.digest("hex") !== file.blob) return each([await archived(artifacts, file)]);
	return verified(createReadStream(place), file);
}

/** It may change even now. */
async function* verified(
	content: AsyncIterable<Uint8Array>,
	file: FileEntry,
): AsyncGenerator<Uint8Array, void, undefined> {
	const hash = createHash("sha256");
	for await (const chunk of content) {
		hash.update(chunk);
		yield chunk;
	}
	if (hash.digest("hex") === file.blob) return;
	throw new LodeError("SOURCE_UNAVAILABLE", `${file.path} was changed while it was read.`, { next: "Try again." });
}

async function archived(artifacts: Archive, file: FileEntry): Promise<Uint8Array> {
	const bytes = await artifacts.get(file.blob);
	if (bytes !== undefined) return bytes;
	throw new LodeError("REPOSITORY_UNREADABLE", `The content of ${file.path} is not in the archive.`, {
		next: "Ingest the folder again.",
	});
}

async function* each<T>(items: Iterable<T>): AsyncGenerator<T, void, undefined> {
	yield* items;
}

/** Contents on their way into the archive. Larger than a batch: alone. */
class ArchiveBatch {
	readonly #artifacts: Archive;
	#contents: Uint8Array[] = [];
	#bytes = 0;

	constructor(artifacts: Archive) {
		this.#artifacts = artifacts;
	}

	async add(content: Uint8Array): Promise<void> {
		if (this.#bytes + content.length > BATCH_BYTES || this.#contents.length >= BATCH_FILES) await this.flush();
		this.#contents.push(content);
		this.#bytes += content.length;
	}

	async flush(): Promise<void> {
		if (this.#contents.length === 0) return;
		const contents = this.#contents;
		this.#contents = [];
		this.#bytes = 0;
		await this.#artifacts.put(contents);
	}
}
