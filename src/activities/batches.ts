import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { Change, CommitInfo, FileEntry } from "../domain/commits.js";
import { LodeError } from "../domain/errors.js";
import { fileOrigin } from "../domain/keys.js";
import type { ArtifactStore } from "../stores/artifacts/artifacts.port.js";

/** What a batch of an ingestion holds. It lies in the archive, so that histories carry its number only. */
export type Batch =
	| { readonly kind: "files"; readonly changes: readonly Change[] }
	| { readonly kind: "commits"; readonly added: readonly CommitInfo[]; readonly removed: readonly string[] }
	| { readonly kind: "folders"; readonly added: readonly string[]; readonly removed: readonly string[] };

/** What mining a batch of files left: where each mined file lies. */
export interface MinedBatch {
	readonly files: readonly {
		readonly file: FileEntry;
		readonly mined: string;
		/** By group: see OriginEntry. */
		readonly minedBy?: Readonly<Record<string, string>>;
	}[];
}

/** All that an ingestion keeps in the archive while it runs lies under this prefix. */
export const ingestionPrefix = (seq: number): string => `ingestions/${seq}/`;

export class BatchArchive {
	constructor(private readonly artifacts: Pick<ArtifactStore, "putDerived" | "getDerived" | "removeDerived">) {}

	putBatch(seq: number, index: number, batch: Batch): Promise<void> {
		return this.#put(`${ingestionPrefix(seq)}batch-${index}`, batch);
	}

	batch(seq: number, index: number): Promise<Batch> {
		return this.#get(`${ingestionPrefix(seq)}batch-${index}`);
	}

	putMined(seq: number, index: number, mined: MinedBatch): Promise<void> {
		return this.#put(`${ingestionPrefix(seq)}mined-${index}`, mined);
	}

	mined(seq: number, index: number): Promise<MinedBatch> {
		return this.#get(`${ingestionPrefix(seq)}mined-${index}`);
	}

	removeAll(seq: number): Promise<void> {
		return this.artifacts.removeDerived(ingestionPrefix(seq));
	}

	#put(key: string, value: unknown): Promise<void> {
		return this.artifacts.putDerived(key, zstdCompressSync(Buffer.from(JSON.stringify(value))));
	}

	async #get<T>(key: string): Promise<T> {
		const bytes = await this.artifacts.getDerived(key);
		if (!bytes) {
			throw new LodeError("STORE_CORRUPT", `archive: ${key} is missing or damaged`, {
				next: "the ingestion is discarded; retry it with: lode retry",
			});
		}
		return JSON.parse(zstdDecompressSync(bytes).toString()) as T;
	}
}

/** Origins whose records of the base have to go: what the batch modifies or removes. */
export function retiredFileOrigins(changes: readonly Change[]): string[] {
	return changes
		.filter((change) => change.type !== "added")
		.map((change) => fileOrigin(change.type === "removed" ? change.path : change.file.path));
}
