import { type Tally, tallyOf } from "./digest.js";
import {
	type GraphRecord,
	type NormalRecordValues,
	normalRecord,
	normalRecordDigest,
	normalRecordOf,
	normalRecordText,
} from "./entities.js";
import { digestAt, packDigests } from "./packed-digests.js";

/**
 * Some graph records in their normal form on their way from thread to thread: as one text, which is copied as it is and read by JSON, several
 * times as fast as cloning their objects; and no objects where they only pass through.
 */
export interface RecordPack {
	readonly count: number;
	/** A JSON list of what `normalRecordText` gives. */
	readonly text: string;
	/** In the same order: see packDigests. */
	readonly digests: Uint8Array<ArrayBuffer>;
}

export function packOf(given: readonly GraphRecord[]): RecordPack {
	const records = given.map(normalRecord);
	// Texts first: whose digest nobody asked for yet gets it from there.
	const text = `[${records.map(normalRecordText).join(",")}]`;
	return { count: records.length, text, digests: packDigests(records.map(normalRecordDigest)) };
}

export function packTally({ count, digests }: RecordPack): Tally {
	return tallyOf(Array.from({ length: count }, (_, at) => digestAt(digests, at)));
}

/** The records of packs, whose objects are there one pack at a time. */
export class PackedRecords implements Iterable<GraphRecord> {
	constructor(readonly packs: readonly RecordPack[]) {}

	get length(): number {
		return this.packs.reduce((sum, { count }) => sum + count, 0);
	}

	*[Symbol.iterator](): Generator<GraphRecord> {
		for (const { text, digests } of this.packs) {
			let at = 0;
			for (const values of JSON.parse(text) as NormalRecordValues[])
				yield normalRecordOf(values, digestAt(digests, at++));
		}
	}
}
