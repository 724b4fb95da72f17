import type { ParkedReceipt, Receipt } from "../receipt.js";
import type { LedgerRecord } from "./record.js";

/** How long what is settled is remembered. Milliseconds. */
export const KEEP_MS = 30 * 86_400_000;

/** What records say, one after the other in the order of the ledger: which receipts wait, and which are parked. */
export class ReceiptStates {
	readonly #waiting = new Map<string, Receipt>();
	readonly #parked = new Map<string, ParkedReceipt>();
	#last = 0;

	/** Without an outcome, oldest first. */
	get waiting(): ReadonlyMap<string, Receipt> {
		return this.#waiting;
	}

	/** Those that were parked first come first. */
	get parked(): ReadonlyMap<string, ParkedReceipt> {
		return this.#parked;
	}

	/** The highest number that a receipt was given. */
	get last(): number {
		return this.#last;
	}

	apply(record: LedgerRecord): void {
		if (record.is === "receipt") {
			this.#last = Math.max(this.#last, numberOf(record.receipt.id));
			this.#waiting.set(record.receipt.id, record.receipt);
			return;
		}
		// The receipt may have gone with its segment; its number is not given twice.
		this.#last = Math.max(this.#last, numberOf(record.id));
		const receipt = this.#waiting.get(record.id) ?? withoutReason(this.#parked.get(record.id));
		if (receipt === undefined) return;
		this.#waiting.delete(record.id);
		this.#parked.delete(record.id);
		if (record.outcome === "again") this.#waiting.set(record.id, receipt);
		if (record.outcome === "parked") {
			this.#parked.set(record.id, { ...receipt, reason: record.reason ?? "", parkedAt: record.at });
		}
	}

	/** What was parked before this moment (milliseconds) counts as done, but for those that are kept: nobody wanted it in all that time. */
	expire(before: number, kept: ReadonlySet<string> = new Set()): void {
		for (const { id, parkedAt } of this.#parked.values()) {
			// In the order in which they were parked: what follows is younger.
			if (Date.parse(parkedAt) >= before) return;
			if (!kept.has(id)) this.#parked.delete(id);
		}
	}
}

function withoutReason(parked: ParkedReceipt | undefined): Receipt | undefined {
	if (parked === undefined) return undefined;
	const { reason: _, parkedAt: __, ...receipt } = parked;
	return receipt;
}

const numberOf = (id: string): number => Number(id.slice("rcp-".length));
