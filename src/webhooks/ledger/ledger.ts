import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LodeError } from "../../domain/errors.js";
import type { Notice, ParkedReceipt, Receipt } from "../receipt.js";
import { decodeRecords, encodeRecord, type LedgerRecord } from "./record.js";
import { SegmentWriter } from "./segment-writer.js";

export interface LedgerOptions {
	/** Below LODE_HOME; of one process at a time. */
	readonly folder: string;
	/** What it may take on the disk. Bytes. */
	readonly maxBytes: number;
	/** How long what is settled is remembered, so that a repeat is known. Milliseconds; default 30 days. */
	readonly keepMs?: number;
	/** Default 16 MiB. */
	readonly segmentBytes?: number;
	readonly now?: () => Date;
}

export interface LedgerState {
	readonly waiting: number;
	readonly parked: number;
	readonly bytes: number;
	readonly maxBytes: number;
	/** Records that could not be read when it was opened, set aside in the folder `damaged`. */
	readonly damaged: number;
	/** Nearly at its bound: nothing is accepted. */
	readonly full: boolean;
}

export interface Accepted {
	readonly receipt: Receipt;
	/** It was there already, under the same key. */
	readonly repeated: boolean;
}

const DAY_MS = 86_400_000;
const SEGMENT = /^(\d{10})\.log$/;
/** From this part of the bound on nothing is accepted: what is settled still has to be written down. */
const FULL = 0.9;
/** From this part on, segments of which everything is done go before their time. */
const TIGHT = 0.7;

interface Segment {
	readonly number: number;
	readonly path: string;
	readonly receipts: Set<string>;
	/** The newest receipt's. Milliseconds. */
	newest: number;
}

/**
 * Receipts of webhooks: each is on the disk before it is answered. A file is a segment, and only its end is ever written; what is
 * settled is written behind. @throws STORE_UNAVAILABLE, DISK_FULL where the disk refuses or the bound is near
 */
export class Ledger {
	readonly #byKey = new Map<string, Promise<Receipt>>();
	readonly #waiting = new Map<string, Receipt>();
	readonly #parked = new Map<string, ParkedReceipt>();
	readonly #segments: Segment[] = [];
	readonly #writer: SegmentWriter;
	readonly #now: () => Date;
	#last = 0;
	#bytes = 0;
	#damaged = 0;
	#arrived: (() => void) | undefined;

	private constructor(private readonly options: LedgerOptions) {
		this.#now = options.now ?? (() => new Date());
		this.#writer = new SegmentWriter(() => this.#nextSegment(), options.segmentBytes ?? 16 * 1024 * 1024);
	}

	/** Reads what is there. What cannot be read is set aside and reported; everything around it counts. */
	static async open(options: LedgerOptions): Promise<Ledger> {
		const ledger = new Ledger(options);
		await mkdir(options.folder, { recursive: true, mode: 0o700 });
		await ledger.#load();
		return ledger;
	}

	/** Resolves when the notice is on the disk, once for all deliveries of one key. */
	async accept(notice: Notice): Promise<Accepted> {
		const known = this.#byKey.get(notice.key);
		if (known !== undefined) return { receipt: await known, repeated: true };
		if (this.state().full) {
			throw new LodeError("DISK_FULL", "The ledger of webhooks is full", {
				next: "Start what dispatches it (Temporal), or raise LODE_WEBHOOK_LEDGER_BYTES.",
				retryAfterMs: 30_000,
			});
		}
		const receipt: Receipt = { ...notice, id: `rcp-${++this.#last}`, receivedAt: this.#now().toISOString() };
		const written = this.#append({ is: "receipt", receipt }).then((path) => {
			this.#remember(receipt, path);
			return receipt;
		});
		this.#byKey.set(notice.key, written);
		try {
			return { receipt: await written, repeated: false };
		} catch (error) {
			// What was not promised may be sent again.
			this.#byKey.delete(notice.key);
			throw error;
		}
	}

	/** What has no outcome yet, oldest first. */
	waiting(): readonly Receipt[] {
		return [...this.#waiting.values()];
	}

	parked(): readonly ParkedReceipt[] {
		return [...this.#parked.values()];
	}

	/** Resolves when something waits. */
	async somethingWaits(): Promise<void> {
		if (this.#waiting.size > 0) return;
		await new Promise<void>((resolve) => {
			this.#arrived = resolve;
		});
	}

	/** Their effect is there. A crash before this is on the disk has them dispatched again, which changes nothing. */
	async done(receipts: readonly Receipt[]): Promise<void> {
		const at = this.#now().toISOString();
		await Promise.all(receipts.map(({ id }) => this.#append({ is: "settled", id, outcome: "done", at })));
		for (const { id } of receipts) {
			this.#waiting.delete(id);
			this.#parked.delete(id);
		}
		await this.#prune();
	}

	/** It cannot have an effect as things are. */
	async park(receipt: Receipt, reason: string): Promise<void> {
		const at = this.#now().toISOString();
		await this.#append({ is: "settled", id: receipt.id, outcome: "parked", reason, at });
		this.#waiting.delete(receipt.id);
		this.#parked.set(receipt.id, { ...receipt, reason, parkedAt: at });
	}

	/** Parked receipts wait again. */
	async replay(receipts: readonly ParkedReceipt[]): Promise<void> {
		const at = this.#now().toISOString();
		await Promise.all(receipts.map(({ id }) => this.#append({ is: "settled", id, outcome: "again", at })));
		for (const { reason: _, parkedAt: __, ...receipt } of receipts) {
			this.#parked.delete(receipt.id);
			this.#waiting.set(receipt.id, receipt);
		}
		this.#wake();
	}

	state(): LedgerState {
		const { maxBytes } = this.options;
		return {
			waiting: this.#waiting.size,
			parked: this.#parked.size,
			bytes: this.#bytes,
			maxBytes,
			damaged: this.#damaged,
			full: this.#bytes >= maxBytes * FULL,
		};
	}

	async close(): Promise<void> {
		await this.#writer.close();
		this.#wake();
	}

	async #append(record: LedgerRecord): Promise<string> {
		const bytes = encodeRecord(record);
		try {
			const path = await this.#writer.append(bytes);
			this.#bytes += bytes.length;
			return path;
		} catch (error) {
			const full = (error as NodeJS.ErrnoException).code === "ENOSPC";
			throw new LodeError(full ? "DISK_FULL" : "STORE_UNAVAILABLE", "The ledger of webhooks cannot be written", {
				next: "Make room on the disk of LODE_HOME.",
				cause: error,
				retryAfterMs: 30_000,
			});
		}
	}

	/** In the segment that holds it: that one may not go before it is done. */
	#remember(receipt: Receipt, path: string): void {
		this.#waiting.set(receipt.id, receipt);
		const segment = this.#segments.findLast((one) => one.path === path);
		segment?.receipts.add(receipt.id);
		if (segment) segment.newest = Math.max(segment.newest, Date.parse(receipt.receivedAt));
		this.#wake();
	}

	#wake(): void {
		this.#arrived?.();
		this.#arrived = undefined;
	}

	#nextSegment(): string {
		const number = (this.#segments.at(-1)?.number ?? 0) + 1;
		const path = join(this.options.folder, `${String(number).padStart(10, "0")}.log`);
		this.#segments.push({ number, path, receipts: new Set(), newest: 0 });
		return path;
	}

	async #load(): Promise<void> {
		const names = (await readdir(this.options.folder)).filter((name) => SEGMENT.test(name)).sort();
		const known = new Map<string, Receipt>();
		for (const [index, name] of names.entries()) {
			const path = join(this.options.folder, name);
			const file = await readFile(path);
			const { records, damaged, end } = decodeRecords(file);
			for (const part of damaged) await this.#setAside(name, part.offset, part.bytes);
			const segment: Segment = { number: Number(SEGMENT.exec(name)?.[1]), path, receipts: new Set(), newest: 0 };
			this.#segments.push(segment);
			for (const record of records) this.#replayRecord(record, segment, known);
			const last = index === names.length - 1;
			this.#bytes += last ? end : file.length;
			if (last) await this.#writer.resume(path, end);
		}
	}

	#replayRecord(record: LedgerRecord, segment: Segment, known: Map<string, Receipt>): void {
		if (record.is === "receipt") {
			const { receipt } = record;
			known.set(receipt.id, receipt);
			this.#byKey.set(receipt.key, Promise.resolve(receipt));
			this.#waiting.set(receipt.id, receipt);
			this.#last = Math.max(this.#last, numberOf(receipt.id));
			segment.receipts.add(receipt.id);
			segment.newest = Math.max(segment.newest, Date.parse(receipt.receivedAt));
			return;
		}
		// The receipt may have gone with its segment; its number is not given twice.
		this.#last = Math.max(this.#last, numberOf(record.id));
		const receipt = known.get(record.id);
		if (receipt === undefined) return;
		this.#waiting.delete(record.id);
		this.#parked.delete(record.id);
		if (record.outcome === "again") this.#waiting.set(record.id, receipt);
		if (record.outcome === "parked") {
			this.#parked.set(record.id, { ...receipt, reason: record.reason ?? "", parkedAt: record.at });
		}
	}

	/** A copy for people; one that is there from an earlier start is the same. */
	async #setAside(segment: string, offset: number, bytes: Buffer): Promise<void> {
		this.#damaged += 1;
		const folder = join(this.options.folder, "damaged");
		await mkdir(folder, { recursive: true, mode: 0o700 });
		await writeFile(join(folder, `${segment}-${offset}`), bytes, { mode: 0o600 });
	}

	/** Deletes the oldest segments, as far as all that they hold is done, and old enough or in the way. */
	async #prune(): Promise<void> {
		const { maxBytes, keepMs = 30 * DAY_MS } = this.options;
		for (
			let oldest = this.#segments[0];
			oldest !== undefined && this.#segments.length > 1;
			oldest = this.#segments[0]
		) {
			const isOld = oldest.newest + keepMs < this.#now().getTime();
			if (!isOld && this.#bytes < maxBytes * TIGHT) return;
			for (const id of oldest.receipts) if (this.#waiting.has(id) || this.#parked.has(id)) return;
			this.#segments.shift();
			const { size } = await stat(oldest.path);
			await rm(oldest.path);
			this.#bytes -= size;
			const gone = oldest.receipts;
			for (const [key, written] of this.#byKey) if (gone.has((await written).id)) this.#byKey.delete(key);
		}
	}
}

const numberOf = (id: string): number => Number(id.slice("rcp-".length));
