import type { ArtifactStore, ManifestEntry } from "./artifacts.port.js";
import { type ManifestFile, readFolder } from "./manifest.js";

/** Folders kept in memory: paths asked for in order leave a folder for good, and one path has rarely more folders. */
const KEPT = 64;

interface Folder {
	readonly files: ReadonlyMap<string, Extract<ManifestEntry, { type: "file" }>>;
	readonly folders: ReadonlyMap<string, string>;
}

/** Finds files in one manifest. Asked in the order of paths, it reads each folder once, however many files are in it. */
export class ManifestFinder {
	readonly #kept = new Map<string, Folder>();

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

	async #folder(object: string): Promise<Folder> {
		const folder = this.#kept.get(object) ?? (await this.#read(object));
		// Used last, dropped last.
		this.#kept.delete(object);
		this.#kept.set(object, folder);
		const oldest = this.#kept.keys().next().value;
		if (this.#kept.size > KEPT && oldest !== undefined) this.#kept.delete(oldest);
		return folder;
	}

	async #read(object: string): Promise<Folder> {
		const files = new Map<string, Extract<ManifestEntry, { type: "file" }>>();
		const folders = new Map<string, string>();
		for (const entry of (await readFolder(this.store, object)).entries) {
			if (entry.type === "file") files.set(entry.name, entry);
			else folders.set(entry.name, entry.object);
		}
		return { files, folders };
	}
}
