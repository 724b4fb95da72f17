import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LodeError } from "../../domain/errors.js";
import type { Notice, ParkedReceipt, Receipt } from "../receipt.js";
import { KEEP_MS, ReceiptStates } from "./receipt-states.js";
import { decodeRecords, encodeRecord, type LedgerRecord } from "./record.js";
import { segmentFile, segmentFiles } from "./segment-files.js";
import { SegmentWriter } from "./segment-writer.js";

export interface LedgerOptions {
	/** Below LODE_HOME; of one process at a time. */
	readonly folder: string;
	/** What it may take on the disk. Bytes. */
	readonly maxBytes: number;
	/** How long what is settled is remembered, so that a repeat is known, and what is parked can be replayed. Milliseconds; default 30 days. */
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

/** From this part of the bound on nothing is accepted: what is settled still has to be written down. */
const FULL = 0.9;
/** From this part on, segments of which everything is done go before their time. */
const TIGHT = 0.7;

interface Segment {
	readonly number: number;
	readonly path: string;
	/** Ids, and the keys that they came with. */
	readonly receipts: Map<string, string>;
	/** The newest receipt's. Milliseconds. */
	newest: number;
}

/**
 * Receipts of webhooks: each is on the disk before it is answered. A file is a segment, and only its end is ever written; what is
 * settled is written behind. @throws STORE_UNAVAILABLE, DISK_FULL where the disk refuses or the bound is near
 */
export class Ledger {
	readonly #byKey = new Map<string, Promise<Receipt>>();
	readonly #states = new ReceiptStates();
	/** On their way to wait again: they do not get too old meanwhile. */
	readonly #replaying = new Set<string>();
	readonly #segments: Segment[] = [];
	readonly #writer: SegmentWriter;
	readonly #now: () => Date;
	readonly #keepMs: number;
	/** The newest receipt's number. */
	#last = 0;
	#bytes = 0;
	#damaged = 0;
	#arrived: (() => void) | undefined;

	private constructor(private readonly options: LedgerOptions) {
		this.#now = options.now ?? (() => new Date());
		this.#keepMs = options.keepMs ?? KEEP_MS;
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
		// Where nothing is accepted nothing is dispatched either, which is when old segments go otherwise.
		if (this.#isFull()) await this.#prune().catch(() => undefined);
		const known = this.#byKey.get(notice.key);
		if (known !== undefined) return { receipt: await known, repeated: true };
		if (this.#isFull()) {
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
		return [...this.#states.waiting.values()];
	}

	/** The one that waits longest. */
	oldestWaiting(): Receipt | undefined {
		return this.#states.waiting.values().next().value;
	}

	/** Those of the last `keepMs`. */
	parked(): readonly ParkedReceipt[] {
		this.#expire();
		return [...this.#states.parked.values()];
	}

	/** Resolves when something waits. */
	async somethingWaits(): Promise<void> {
		if (this.#states.waiting.size > 0) return;
		await new Promise<void>((resolve) => {
			this.#arrived = resolve;
		});
	}

	/** Their effect is there. A crash before this is on the disk has them dispatched again, which changes nothing. */
	async done(receipts: readonly Receipt[]): Promise<void> {
		await this.#settle(receipts, { outcome: "done" });
		await this.#prune();
	}

	/** It cannot have an effect as things are. */
	async park(receipt: Receipt, reason: string): Promise<void> {
		await this.#settle([receipt], { outcome: "parked", reason });
	}

	/** Has those wait again that are still parked, and returns them. */
	async replay(receipts: readonly ParkedReceipt[]): Promise<readonly Receipt[]> {
		this.#expire();
		const again = receipts.filter(({ id }) => this.#states.parked.has(id) && !this.#replaying.has(id));
		for (const { id } of again) this.#replaying.add(id);
		try {
			await this.#settle(again, { outcome: "again" });
		} finally {
			for (const { id } of again) this.#replaying.delete(id);
		}
		this.#wake();
		return again;
	}

	state(): LedgerState {
		const { maxBytes } = this.options;
		this.#expire();
		return {
			waiting: this.#states.waiting.size,
			parked: this.#states.parked.size,
			bytes: this.#bytes,
			maxBytes,
			damaged: this.#damaged,
			full: this.#isFull(),
		};
	}

	#isFull(): boolean {
		return this.#bytes >= this.options.maxBytes * FULL;
	}

	async close(): Promise<void> {
		await this.#writer.close();
		this.#wake();
	}

	/** Together: nothing is settled in memory before all of it is on the disk. */
	async #settle(
		receipts: readonly Receipt[],
		as: { readonly outcome: "done" | "parked" | "again"; readonly reason?: string },
	): Promise<void> {
		const at = this.#now().toISOString();
		const records = receipts.map(({ id }) => ({ is: "settled", id, ...as, at }) as const);
		await Promise.all(records.map((record) => this.#append(record)));
		for (const record of records) this.#states.apply(record);
	}

	/** What was parked too long ago counts as done. */
	#expire(): void {
		this.#states.expire(this.#now().getTime() - this.#keepMs, this.#replaying);
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
		this.#states.apply({ is: "receipt", receipt });
		const segment = this.#segments.findLast((one) => one.path === path);
		if (segment) hold(segment, receipt);
		this.#wake();
	}

	#wake(): void {
		this.#arrived?.();
		this.#arrived = undefined;
	}

	#nextSegment(): string {
		const { number, path } = segmentFile(this.options.folder, (this.#segments.at(-1)?.number ?? 0) + 1);
		this.#segments.push({ number, path, receipts: new Map(), newest: 0 });
		return path;
	}

	async #load(): Promise<void> {
		const files = await segmentFiles(this.options.folder);
		for (const [index, { number, name, path }] of files.entries()) {
			const file = await readFile(path);
			const { records, damaged, end } = decodeRecords(file);
			for (const part of damaged) await this.#setAside(name, part.offset, part.bytes);
			const segment: Segment = { number, path, receipts: new Map(), newest: 0 };
			this.#segments.push(segment);
			for (const record of records) {
				this.#states.apply(record);
				if (record.is !== "receipt") continue;
				this.#byKey.set(record.receipt.key, Promise.resolve(record.receipt));
				hold(segment, record.receipt);
			}
			const last = index === files.length - 1;
			this.#bytes += last ? end : file.length;
			if (last) await this.#writer.resume(path, end);
		}
		this.#last = this.#states.last;
	}

	/** A copy for people; one that is there from an earlier start is the same. */
	async #setAside(segment: string, offset: number, bytes: Buffer): Promise<void> {
		this.#damaged += 1;
		const folder = join(this.options.folder, "damaged");
		await mkdir(folder, { recursive: true, mode: 0o700 });
		await writeFile(join(folder, `${segment}-${offset}`), bytes, { mode: 0o600 });
	}

	#isWanted(id: string): boolean {
		return this.#states.waiting.has(id) || this.#states.parked.has(id);
	}

	/** Deletes the oldest segments, as far as all that they hold is done, and old enough or in the way. */
	async #prune(): Promise<void> {
		const { maxBytes } = this.options;
		this.#expire();
		for (
			let oldest = this.#segments[0];
			oldest !== undefined && this.#segments.length > 1;
			oldest = this.#segments[0]
		) {
			const isOld = oldest.newest + this.#keepMs < this.#now().getTime();
			if (!isOld && this.#bytes < maxBytes * TIGHT) return;
			for (const id of oldest.receipts.keys()) if (this.#isWanted(id)) return;
			this.#segments.shift();
			const { size } = await stat(oldest.path);
			await rm(oldest.path);
			this.#bytes -= size;
			for (const key of oldest.receipts.values()) this.#byKey.delete(key);
		}
	}
}

function hold(segment: Segment, receipt: Receipt): void {
	segment.receipts.set(receipt.id, receipt.key);
	segment.newest = Math.max(segment.newest, Date.parse(receipt.receivedAt));
}
