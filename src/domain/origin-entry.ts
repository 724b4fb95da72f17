import type { FileMode } from "./commits.js";
import { canonicalJson, type Json, sha256, type Tally } from "./digest.js";
import type { Skip } from "./mined-file.js";

/** What the ingestion says that one origin left in each store; the unit of the ingestion's manifest. */
export interface OriginEntry {
	readonly origin: string;
	readonly graph: Tally;
	readonly vectors: Tally;
	/** Files only. */
	readonly file?: {
		readonly artifact: string;
		readonly blob: string;
		readonly mode: FileMode;
		readonly size: number;
		readonly mediaType: string;
		readonly language?: string;
		readonly chunks: number;
		/** The key of the mined file among the derived objects. */
		readonly mined: string;
		/**
		 * By group, the key of the file as it was mined for a group with other chunk settings than `default`. Left out where no such group
		 * takes the file in.
		 */
		readonly minedBy?: Readonly<Record<string, string>>;
		readonly skips: readonly Skip[];
	};
}

/** Where all that was mined of a file lies. */
export function minedKeys(file: Pick<NonNullable<OriginEntry["file"]>, "mined" | "minedBy"> | undefined): string[] {
	return file ? [...new Set([file.mined, ...Object.values(file.minedBy ?? {})])] : [];
}

/** The canonical JSON of all its fields: what its digest covers, and what a catalog keeps. */
export function originEntryJson(entry: OriginEntry): string {
	return canonicalJson(entry as unknown as Json);
}

/** The digest of an entry in `StoreTotals.catalog`: no seq, time or ingestion is part of it. 64 hex digits. */
export function originEntryDigest(entry: OriginEntry): string {
	return sha256(originEntryJson(entry));
}

/**
 * The digest of one reference from a file to its bytes, summed up in `StoreTotals.artifacts`. Submodules make none. Whoever walks a commit's manifest in the archive computes the same from its paths.
 */
export function artifactReferenceDigest(
	origin: string,
	file: { readonly artifact: string; readonly size: number; readonly mode: FileMode },
): string {
	return sha256(canonicalJson([origin, file.artifact, file.size, file.mode]));
}
