import { compareBytes } from "../../domain/byte-order.js";
import { canonicalJson, type Json, sha256 } from "../../domain/digest.js";
import { LodeError } from "../../domain/errors.js";
import type { ArtifactStore, ManifestEntry, ManifestFolder } from "./artifacts.port.js";

type FileInFolder = Extract<ManifestEntry, { type: "file" }>;

/** A file of a manifest by its whole path. */
export interface ManifestFile extends Omit<FileInFolder, "type" | "name"> {
	readonly path: string;
}

interface ManifestEdits {
	readonly puts: readonly ManifestFile[];
	readonly removes: readonly string[];
}

/** What is to be done in one folder. A name may be that of a file and of a folder: object stores have such paths. */
interface FolderEdits {
	readonly files: Map<string, ManifestFile | "removed">;
	readonly folders: Map<string, FolderEdits>;
}

/**
 * Applies edits to a manifest (`base` undefined: the empty one) and returns its new address. Reads and writes the folders on the way
 * to what changed and no others. A path both put and removed is put. The same set of files has the same address, whatever
 * edits led to it: entries are sorted and empty folders vanish.
 * @throws STORE_CORRUPT when a folder of the base is missing or damaged, DISK_FULL
 */
export async function updateManifest(
	store: Pick<ArtifactStore, "get" | "put">,
	base: string | undefined,
	edits: ManifestEdits,
): Promise<string> {
	const root = emptyEdits();
	for (const path of edits.removes) enter(root, path, "removed");
	for (const file of edits.puts) enter(root, file.path, file);
	const written: Uint8Array[] = [];
	const object = await applyEdits(store, base, root, written);
	if (object === undefined) {
		const empty = encodeFolder({ entries: [] });
		return (await store.put([empty]))[0] as string;
	}
	if (written.length > 0) await store.put(written);
	return object;
}

/**
 * All files, ordered by path in byte order. Folders whose address is in `visited` are left out with all that is below them; every folder
 * that is read is added to it, so that manifests which share folders can be walked together at the cost of what differs.
 * @throws STORE_CORRUPT
 */
export async function* readManifest(
	store: Pick<ArtifactStore, "get">,
	object: string,
	visited?: Set<string>,
): AsyncGenerator<ManifestFile, void, void> {
	// A stack instead of recursion: a path may have thousands of folders.
	const stack = [{ prefix: "", next: 0, entries: await entriesOnce(store, object, visited) }];
	for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
		const entry = top.entries[top.next++];
		if (entry === undefined) {
			stack.pop();
			continue;
		}
		const path = top.prefix + entry.name;
		if (entry.type === "folder") {
			stack.push({ prefix: `${path}/`, next: 0, entries: await entriesOnce(store, entry.object, visited) });
		} else {
			const { object: content, size, mode } = entry;
			yield { path, object: content, size, mode };
		}
	}
}

/** Folders kept in memory: paths asked for in order leave a folder for good, and one path has rarely more folders. */
const KEPT_FOLDERS = 64;

interface FoundFolder {
	readonly files: ReadonlyMap<string, FileInFolder>;
	readonly folders: ReadonlyMap<string, string>;
}

/** Finds files in one manifest. Asked in the order of paths, it reads each folder once, however many files are in it. */
export class ManifestFinder {
	readonly #kept = new Map<string, FoundFolder>();

	constructor(
		private readonly store: Pick<ArtifactStore, "get">,
		private readonly root: string,
	) {}

	/** @throws STORE_CORRUPT */
	async find(path: string): Promise<ManifestFile | undefined> {
		const names = path.split("/");
		const fileName = names.pop() as string;
		let folder = await this.#folder(this.root);
		for (const name of names) {
			const object = folder.folders.get(name);
			if (object === undefined) return undefined;
			folder = await this.#folder(object);
		}
		const file = folder.files.get(fileName);
		return file && { path, object: file.object, size: file.size, mode: file.mode };
	}

	async #folder(object: string): Promise<FoundFolder> {
		const folder = this.#kept.get(object) ?? (await this.#read(object));
		// Used last, dropped last.
		this.#kept.delete(object);
		this.#kept.set(object, folder);
		const oldest = this.#kept.keys().next().value;
		if (this.#kept.size > KEPT_FOLDERS && oldest !== undefined) this.#kept.delete(oldest);
		return folder;
	}

	async #read(object: string): Promise<FoundFolder> {
		const files = new Map<string, FileInFolder>();
		const folders = new Map<string, string>();
		for (const entry of (await readFolder(this.store, object)).entries) {
			if (entry.type === "file") files.set(entry.name, entry);
			else folders.set(entry.name, entry.object);
		}
		return { files, folders };
	}
}

const emptyEdits = (): FolderEdits => ({ files: new Map(), folders: new Map() });

function enter(root: FolderEdits, path: string, edit: ManifestFile | "removed"): void {
	const names = path.split("/");
	const fileName = names.pop() as string;
	let folder = root;
	for (const name of names) {
		let next = folder.folders.get(name);
		if (next === undefined) {
			next = emptyEdits();
			folder.folders.set(name, next);
		}
		folder = next;
	}
	folder.files.set(fileName, edit);
}

/** Returns the folder's new address, or undefined where nothing is left of it. New folders are appended to `written`. */
async function applyEdits(
	store: Pick<ArtifactStore, "get">,
	base: string | undefined,
	edits: FolderEdits,
	written: Uint8Array[],
): Promise<string | undefined> {
	const files = new Map<string, ManifestEntry>();
	const folders = new Map<string, ManifestEntry>();
	if (base !== undefined)
		for (const entry of (await readFolder(store, base)).entries)
			(entry.type === "file" ? files : folders).set(entry.name, entry);
	for (const [name, edit] of edits.files) {
		if (edit === "removed") files.delete(name);
		else files.set(name, { type: "file", name, object: edit.object, size: edit.size, mode: edit.mode });
	}
	for (const [name, inner] of edits.folders) {
		const object = await applyEdits(store, folders.get(name)?.object, inner, written);
		if (object === undefined) folders.delete(name);
		else folders.set(name, { type: "folder", name, object });
	}
	if (files.size + folders.size === 0) return undefined;
	const entries = [...files.values(), ...folders.values()].sort(
		(a, b) => compareBytes(a.name, b.name) || compareBytes(a.type, b.type),
	);
	const bytes = encodeFolder({ entries });
	const object = sha256(bytes);
	if (object !== base) written.push(bytes);
	return object;
}

function encodeFolder(folder: ManifestFolder): Uint8Array {
	return Buffer.from(canonicalJson(folder as unknown as Json));
}

/** @throws STORE_CORRUPT */
async function readFolder(store: Pick<ArtifactStore, "get">, object: string): Promise<ManifestFolder> {
	const bytes = await store.get(object);
	const corrupt = (why: string, cause?: unknown) =>
		new LodeError("STORE_CORRUPT", `The manifest folder ${object} in the archive ${why}`, {
			next: "Run `lode verify`, then ingest the source again.",
			cause,
		});
	if (bytes === undefined) throw corrupt("is missing");
	try {
		const folder = JSON.parse(Buffer.from(bytes).toString()) as ManifestFolder;
		if (Array.isArray(folder.entries)) return folder;
	} catch (cause) {
		throw corrupt("is not JSON", cause);
	}
	throw corrupt("is not a folder");
}

/** The entries in the order of the paths below them: a folder counts with its slash, so `a.b` comes before `a/c`. */
async function entriesOnce(
	store: Pick<ArtifactStore, "get">,
	object: string,
	visited: Set<string> | undefined,
): Promise<ManifestEntry[]> {
	if (visited?.has(object)) return [];
	visited?.add(object);
	const place = (entry: ManifestEntry) => (entry.type === "folder" ? `${entry.name}/` : entry.name);
	return [...(await readFolder(store, object)).entries].sort((a, b) => compareBytes(place(a), place(b)));
}
