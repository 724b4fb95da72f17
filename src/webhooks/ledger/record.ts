import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";
import type { Receipt } from "../receipt.js";

/** A line of the ledger. What is settled needs no dispatch any more. */
export type LedgerRecord =
	| { readonly is: "receipt"; readonly receipt: Receipt }
	| {
			readonly is: "settled";
			readonly id: string;
			readonly outcome: "done" | "parked" | "again";
			readonly reason?: string;
			readonly at: string;
	  };

const LINE_FEED = 0x0a;
/** Eight hex digits and a blank. */
const PREFIX = 9;

/** `<CRC-32 of the JSON, 8 hex digits> <JSON>\n`: JSON holds no line feed, so a reader finds the next record behind a damaged one. */
export function encodeRecord(record: LedgerRecord): Buffer {
	const json = JSON.stringify(record);
	const line = Buffer.allocUnsafe(PREFIX + Buffer.byteLength(json) + 1);
	line.write(json, PREFIX, "utf8");
	line[line.length - 1] = LINE_FEED;
	line.write(`${checksum(line.subarray(PREFIX, -1))} `, 0, "latin1");
	return line;
}

const checksum = (bytes: Uint8Array): string => crc32(bytes).toString(16).padStart(8, "0");

export interface Decoded {
	readonly records: readonly LedgerRecord[];
	/** What is no record: where it starts in the file, and its bytes. */
	readonly damaged: readonly { readonly offset: number; readonly bytes: Buffer }[];
	/** Behind the last whole record. */
	readonly end: number;
}

/** Every record that is whole, whatever lies between. */
export function decodeRecords(file: Buffer): Decoded {
	const records: LedgerRecord[] = [];
	const damaged: { offset: number; bytes: Buffer }[] = [];
	let end = 0;
	for (let start = 0; start < file.length; ) {
		const feed = file.indexOf(LINE_FEED, start);
		const next = feed === -1 ? file.length : feed + 1;
		const record = feed === -1 ? undefined : decodeLine(file.subarray(start, feed));
		if (record === undefined) damaged.push({ offset: start, bytes: file.subarray(start, next) });
		else {
			records.push(record);
			end = next;
		}
		start = next;
	}
	return { records, damaged, end };
}

function decodeLine(line: Buffer): LedgerRecord | undefined {
	const json = line.subarray(PREFIX);
	if (line.toString("latin1", 0, PREFIX) !== `${checksum(json)} `) return undefined;
	try {
		return JSON.parse(json.toString("utf8")) as LedgerRecord;
	} catch {
		return undefined;
	}
}
