import type { GraphRecord } from "../../../domain/entities.js";
import { PackedRecords, packOf, type RecordPack } from "../../../domain/record-pack.js";
import type { Packed } from "../../sqlite/store-call.js";

/** Records whose objects are there at once on the other side. */
const RECORDS_TOGETHER = 500;

/** The arguments of `stage`. */
export function packRecords([seq, given, ...options]: readonly unknown[]): Packed {
	// Copied and not moved: the manifest needs their digests too, and a repeat all of it.
	if (given instanceof PackedRecords) return { args: [seq, given.packs, ...options], moved: [] };
	const records = [...(given as Iterable<GraphRecord>)];
	const packs: RecordPack[] = [];
	for (let at = 0; at < records.length; at += RECORDS_TOGETHER)
		packs.push(packOf(records.slice(at, at + RECORDS_TOGETHER)));
	return { args: [seq, packs, ...options], moved: packs.map(({ digests }) => digests.buffer) };
}

export function unpackRecords([seq, packs, ...options]: readonly unknown[]): readonly unknown[] {
	return [seq, new PackedRecords(packs as readonly RecordPack[]), ...options];
}
