import { openStoreInThread, type StoreThreadOptions } from "../../sqlite/store-thread.js";
import type { ArtifactStore } from "../artifacts.port.js";
import type { ArchiveFiles, FolderArtifactOptions } from "./folder-artifacts.adapter.js";
import { packDerived, packObjects } from "./packed-files.js";

/**
 * An archive whose small files are written, looked for and read in a thread of their own: to create one takes the file system a while, in which whoever
 * asked for it waits. `entry`: files-thread beside this file.
 */
export async function withFilesInThread(
	store: ArtifactStore,
	entry: StoreThreadOptions["entry"],
	options: FolderArtifactOptions,
): Promise<ArtifactStore> {
	try {
		const packing = { put: packObjects, putDerived: packDerived };
		const files = await openStoreInThread<ArchiveFiles>({ entry, role: "archive", options }, {}, packing);
		return withFiles(store, files);
	} catch (error) {
		await store.close();
		throw error;
	}
}

/** The archive with its files elsewhere. */
export function withFiles(store: ArtifactStore, files: ArchiveFiles): ArtifactStore {
	return {
		...store,
		put: (contents) => files.put(contents),
		missing: (addresses) => files.missing(addresses),
		putDerived: (key, bytes) => files.putDerived(key, bytes),
		async getDerived(key) {
			const bytes = await files.getDerived(key);
			// What was cloned is no buffer of Node's any more.
			return bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
		},
		async close() {
			await files.close();
			await store.close();
		},
	};
}
