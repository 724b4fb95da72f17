import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import type { Notice } from "../receipt.js";
import { Ledger, type LedgerOptions } from "./ledger.js";

export interface TemporaryLedger {
	/** A new one for each test. */
	readonly folder: string;
	/** Opens the ledger in it, as often as a test likes; closed when the test ends. */
	open(options?: Partial<LedgerOptions>): Promise<Ledger>;
}

/** Real: the file system. Call it in a `describe`. */
export function temporaryLedger(): TemporaryLedger {
	let folder = "";
	const opened: Ledger[] = [];
	beforeEach(async () => {
		folder = await mkdtemp(join(tmpdir(), "lode-ledger-"));
	});
	afterEach(async () => {
		for (const ledger of opened.splice(0)) await ledger.close();
		await rm(folder, { recursive: true, force: true });
	});
	return {
		get folder() {
			return folder;
		},
		async open(options = {}) {
			const ledger = await Ledger.open({ folder, maxBytes: 1 << 30, ...options });
			opened.push(ledger);
			return ledger;
		},
	};
}

export const notice = (key: string): Notice => ({
	sender: "generic",
	key,
	event: "moved",
	repository: ["https://git.example/a/b"],
	branch: "main",
});
