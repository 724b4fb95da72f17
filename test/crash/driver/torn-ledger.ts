import { open, readFile } from "node:fs/promises";
import { decodeRecords, encodeRecord } from "../../../src/webhooks/ledger/record.js";
import { segmentFiles } from "../../../src/webhooks/ledger/segment-files.js";
import type { Fault } from "./plan-faults.js";

/** Behind the last record that somebody was answered for: what follows was promised to nobody. */
function promised(file: Buffer, receipts: ReadonlySet<string>): number {
	let end = 0;
	for (let start = 0; start < file.length; ) {
		const feed = file.indexOf(0x0a, start);
		if (feed === -1) break;
		const [record] = decodeRecords(file.subarray(start, feed + 1)).records;
		if (record?.is === "receipt" && receipts.has(record.receipt.id)) end = feed + 1;
		start = feed + 1;
	}
	return end;
}

/**
 * What a crash of the machine may leave of a write that nobody was told of. The gateway must not run. `cut`: some of it is missing; `half`: half a
 * record follows; `foreign`: bytes that are no record follow.
 */
export async function tearLedger(
	folder: string,
	{ end, at }: Extract<Fault, { kind: "torn" }>,
	acknowledged: ReadonlySet<string>,
): Promise<"cut" | "half" | "foreign" | undefined> {
	const segment = (await segmentFiles(folder)).at(-1);
	if (segment === undefined) return undefined;
	const file = await readFile(segment.path);
	const kept = promised(file, acknowledged);
	const handle = await open(segment.path, "r+");
	try {
		if (end === "cut" && kept < file.length) {
			await handle.truncate(kept + Math.floor(at * (file.length - kept)));
			return "cut";
		}
		const record = encodeRecord({
			is: "settled",
			id: "rcp-1",
			outcome: "parked",
			reason: "torn",
			at: "2026-01-01T00:00:00Z",
		});
		const foreign = Buffer.from(
			Array.from({ length: 40 + Math.floor(at * 200) }, (_, n) => Math.floor(at * 1e9 + n * 7919) % 256),
		);
		const bytes = end === "foreign" ? foreign : record.subarray(0, 1 + Math.floor(at * (record.length - 2)));
		await handle.write(bytes, 0, bytes.length, file.length);
		return end === "foreign" ? "foreign" : "half";
	} finally {
		await handle.close();
	}
}
