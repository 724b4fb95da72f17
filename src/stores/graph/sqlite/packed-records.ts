import {
	type GraphRecord,
	type NormalRecordValues,
	normalRecord,
	normalRecordDigest,
	normalRecordOf,
	normalRecordText,
} from "../../../domain/entities.js";
import { digestAt, packDigests } from "../../sqlite/packed-digests.js";
import type { Packed } from "../../sqlite/store-call.js";

/** Records whose objects are there at once on the other side. */
const RECORDS_TOGETHER = 500;

/** Some records as one text, which is copied as it is and read by JSON: several times as fast as cloning their objects. */
interface PackedRecords {
	readonly text: string;
	/** The manifest needed them anyway. */
	readonly digests: Uint8Array;
}

/** The arguments of `stage`. */
export function packRecords([seq, given, ...options]: readonly unknown[]): Packed {
	const records = (given as readonly GraphRecord[]).map(normalRecord);
	const packed: PackedRecords[] = [];
	const moved: ArrayBuffer[] = [];
	for (let at = 0; at < records.length; at += RECORDS_TOGETHER) {
		const some = records.slice(at, at + RECORDS_TOGETHER);
		// Texts first: whose digest nobody asked for yet gets it from there.
		const text = `[${some.map(normalRecordText).join(",")}]`;
		const digests = packDigests(some.map(normalRecordDigest));
		packed.push({ text, digests });
		moved.push(digests.buffer);
	}
	return { args: [seq, packed, ...options], moved };
}

export function unpackRecords([seq, packed, ...options]: readonly unknown[]): readonly unknown[] {
	return [seq, recordsOf(packed as readonly PackedRecords[]), ...options];
}

function* recordsOf(packed: readonly PackedRecords[]): Generator<GraphRecord> {
	for (const { text, digests } of packed) {
		let at = 0;
		for (const values of JSON.parse(text) as NormalRecordValues[])
			yield normalRecordOf(values, digestAt(digests, at++));
	}
}
