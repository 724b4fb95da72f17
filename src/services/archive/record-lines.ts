import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { LodeError } from "../../domain/errors.js";
import type { ArtifactStore } from "../../stores/artifacts/artifacts.port.js";

export type RecordStore = Pick<ArtifactStore, "putRecord" | "getRecord" | "recordKeys" | "removeRecords">;

const MAX_DECODED_BYTES = 512 * 1024 * 1024;
/** Keys sort as their numbers do. */
export const padded = (number: number): string => String(number).padStart(12, "0");

/** Writes JSON values, one a line, as one record of the archive. Nothing happens where the key is there already. */
export function putLines(records: RecordStore, key: string, lines: readonly string[]): Promise<void> {
	const text = lines.map((line) => `${line}\n`).join("");
	return records.putRecord(
		key,
		zstdCompressSync(text, {
			params: { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 },
		}),
	);
}

/** @throws STORE_CORRUPT where the record is missing or damaged */
export async function getLines(records: RecordStore, key: string): Promise<unknown[]> {
	const bytes = await records.getRecord(key);
	if (bytes === undefined) throw damaged(key, "is missing");
	try {
		const text = zstdDecompressSync(bytes, { maxOutputLength: MAX_DECODED_BYTES }).toString("utf8");
		return text
			.split("\n")
			.slice(0, -1)
			.map((line) => JSON.parse(line) as unknown);
	} catch (cause) {
		throw damaged(key, "cannot be read", cause);
	}
}

export function damaged(key: string, why: string, cause?: unknown): LodeError {
	return new LodeError("STORE_CORRUPT", `archive: the record ${key} ${why}`, {
		next: "Restore the archive from a copy of it, or ingest the sources anew into an empty home.",
		cause,
	});
}
