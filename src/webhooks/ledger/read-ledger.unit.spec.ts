import { appendFile, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { notice, temporaryLedger } from "./ledger.fixture.js";
import { readLedger } from "./read-ledger.js";

/** Real: the file system, and the ledger that writes meanwhile. */
describe("reading a ledger that another owns", () => {
	const temporary = temporaryLedger();
	const { open } = temporary;
	/** Names, sizes and times of change. */
	const everything = async () =>
		Promise.all(
			(await readdir(temporary.folder, { recursive: true })).sort().map(async (name) => {
				const { size, mtimeMs } = await stat(join(temporary.folder, name));
				return [name, size, mtimeMs];
			}),
		);

	it("finds what its owner has", async () => {
		const ledger = await open({ segmentBytes: 1_000 });
		for (let n = 0; n < 30; n += 1) await ledger.accept(notice(`key-${n}`));
		for (const [n, receipt] of ledger.waiting().entries()) {
			if (n % 3 === 0) await ledger.park(receipt, `reason ${n}`);
			if (n % 3 === 1) await ledger.done([receipt]);
		}
		await ledger.replay(ledger.parked().slice(0, 4));
		const { waiting, bytes } = ledger.state();
		expect(await readLedger(temporary.folder)).toEqual({ parked: ledger.parked(), waiting, bytes });
		expect(waiting).toBe(14);
	});

	it("leaves what is half written as it is, and does not count it", async () => {
		const ledger = await open();
		const { receipt } = await ledger.accept(notice("a"));
		await ledger.park(receipt, "no source");
		const found = await readLedger(temporary.folder);
		const [name] = (await readdir(temporary.folder)) as [string];
		const whole = await readFile(join(temporary.folder, name));
		for (const torn of [whole.subarray(0, 60), Buffer.alloc(500), Buffer.from("0123abcd {")]) {
			await appendFile(join(temporary.folder, name), torn);
			const before = await everything();
			expect(await readLedger(temporary.folder)).toEqual(found);
			expect(await everything()).toEqual(before);
		}
	});

	it("sees one moment after the other while its owner writes and lets go of segments", async () => {
		const ledger = await open({ segmentBytes: 1_000, keepMs: 0 });
		let writing = true;
		const write = (async () => {
			for (let n = 0; n < 300; n += 1) {
				const { receipt } = await ledger.accept(notice(`key-${n}`));
				await ledger.done([receipt]);
			}
			writing = false;
		})();
		while (writing) {
			const { waiting, parked } = await readLedger(temporary.folder);
			expect(waiting).toBeLessThanOrEqual(1);
			expect(parked).toEqual([]);
		}
		await write;
		expect((await readdir(temporary.folder)).length).toBeLessThan(5);
	});

	it("counts as done what was parked too long ago", async () => {
		const parkedAt = new Date("2026-01-01T00:00:00Z");
		const ledger = await open({ now: () => parkedAt });
		const { receipt } = await ledger.accept(notice("a"));
		await ledger.park(receipt, "no source");
		const at = async (now: string) => (await readLedger(temporary.folder, { now: () => new Date(now) })).parked.length;
		expect(await at("2026-01-30T23:59:59Z")).toBe(1);
		expect(await at("2026-01-31T00:00:01Z")).toBe(0);
	});

	it("finds nothing where no gateway ever ran, and makes nothing", async () => {
		await rm(temporary.folder, { recursive: true });
		expect(await readLedger(temporary.folder)).toEqual({ parked: [], waiting: 0, bytes: 0 });
		await expect(stat(temporary.folder)).rejects.toMatchObject({ code: "ENOENT" });
	});
});
