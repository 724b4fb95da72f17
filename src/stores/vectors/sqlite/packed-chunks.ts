import { type ChunkRecord, chunkRecordDigest, withKnownDigest } from "../../../domain/mined-file.js";
import { digestAt, packDigests } from "../../../domain/packed-digests.js";
import type { Packed } from "../../sqlite/store-call.js";

interface PackedChunks {
	readonly chunks: readonly (Omit<ChunkRecord, "vector"> & { readonly vector?: undefined })[];
	/** Of all vectors, one after the other. */
	readonly floats: Float32Array;
	/** How many of them each chunk has. */
	readonly dimensions: readonly number[];
	readonly digests: Uint8Array;
}

/** The arguments of `stage`: vectors as one buffer that is not copied again, with the digests that the manifest needed anyway. */
export function packChunks([seq, given, ...options]: readonly unknown[]): Packed {
	const records = given as readonly ChunkRecord[];
	const dimensions = records.map(({ vector }) => vector.length);
	const floats = new Float32Array(dimensions.reduce((sum, length) => sum + length, 0));
	let at = 0;
	for (const { vector } of records) {
		floats.set(vector, at);
		at += vector.length;
	}
	const digests = packDigests(records.map(chunkRecordDigest));
	const packed: PackedChunks = {
		chunks: records.map((record) => ({ ...record, vector: undefined })),
		floats,
		dimensions,
		digests,
	};
	return { args: [seq, packed, ...options], moved: [floats.buffer, digests.buffer] };
}

export function unpackChunks([seq, packed, ...options]: readonly unknown[]): readonly unknown[] {
	const { chunks, floats, dimensions, digests } = packed as PackedChunks;
	let from = 0;
	const records = chunks.map((chunk, at) => {
		const to = from + (dimensions[at] ?? 0);
		const record: ChunkRecord = { ...chunk, vector: floats.subarray(from, to) };
		from = to;
		return withKnownDigest(record, digestAt(digests, at));
	});
	return [seq, records, ...options];
}
