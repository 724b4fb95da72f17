import { readFile } from "node:fs/promises";
import type { ParkedReceipt } from "../receipt.js";
import { KEEP_MS, ReceiptStates } from "./receipt-states.js";
import { decodeRecords } from "./record.js";
import { segmentFiles } from "./segment-files.js";

export interface LedgerContents {
	/** Those that were parked first come first. */
	readonly parked: readonly ParkedReceipt[];
	/** How many have no outcome yet. */
	readonly waiting: number;
	/** On the disk. */
	readonly bytes: number;
}

export interface ReadLedgerOptions {
	/** As the ledger's own. Milliseconds; default 30 days. */
	readonly keepMs?: number;
	readonly now?: () => Date;
}

/**
 * What a ledger holds, for others than its owner: writes nothing, so the gateway may go on meanwhile. Only ends of files are written, in
 * order, so this is the ledger as it was at some moment; what is half written is not there yet. No folder is an empty ledger.
 */
export async function readLedger(folder: string, options: ReadLedgerOptions = {}): Promise<LedgerContents> {
	const { keepMs = KEEP_MS, now = () => new Date() } = options;
	const states = new ReceiptStates();
	let bytes = 0;
	for (const { path } of await unlessGone(segmentFiles(folder), [])) {
		// The owner deletes oldest segments, of which everything is done.
		const file = await unlessGone(readFile(path), undefined);
		if (file === undefined) continue;
		const { records, end } = decodeRecords(file);
		for (const record of records) states.apply(record);
		bytes += end;
	}
	states.expire(now().getTime() - keepMs);
	return { parked: [...states.parked.values()], waiting: states.waiting.size, bytes };
}

async function unlessGone<T, U>(found: Promise<T>, otherwise: U): Promise<T | U> {
	return found.catch((error: NodeJS.ErrnoException) => {
		if (error.code === "ENOENT") return otherwise;
		throw error;
	});
}
