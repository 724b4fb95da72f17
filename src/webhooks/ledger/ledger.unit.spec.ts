import { appendFile, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Notice, ParkedReceipt, Receipt } from "../receipt.js";
import { notice, temporaryLedger } from "./ledger.fixture.js";
import { Ledger } from "./ledger.js";

/** Real: the file system. */
describe("the ledger", () => {
	const temporary = temporaryLedger();
	const { open } = temporary;
	const keys = (receipts: readonly Notice[]) => receipts.map(({ key }) => key);
	const segments = async () => (await readdir(temporary.folder)).filter((name) => name.endsWith(".log")).sort();

	it("takes a notice once, however often and however much at once it comes", async () => {
		const ledger = await open();
		const accepted = await Promise.all(Array.from({ length: 300 }, (_, n) => ledger.accept(notice(`key-${n % 100}`))));
		expect(accepted.filter(({ repeated }) => !repeated)).toHaveLength(100);
		expect(new Set(accepted.map(({ receipt }) => receipt.id)).size).toBe(100);
		expect(ledger.waiting()).toHaveLength(100);
		const again = await open();
		expect(keys(again.waiting())).toEqual(keys(ledger.waiting()));
		expect((await again.accept(notice("key-7"))).repeated).toBe(true);
		expect((await again.accept(notice("another"))).receipt.id).toBe("rcp-101");
	});

	it("remembers what is done, parked and waits again", async () => {
		const ledger = await open();
		for (const key of ["a", "b", "c", "d"]) await ledger.accept(notice(key));
		const [a, b, c] = ledger.waiting() as [ParkedReceipt, ParkedReceipt, ParkedReceipt];
		await ledger.done([a]);
		await ledger.park(b, "no source");
		await ledger.park(c, "no source");
		await ledger.replay(ledger.parked().filter(({ key }) => key === "c"));
		for (const one of [ledger, await open()]) {
			expect(keys(one.waiting()).sort()).toEqual(["c", "d"]);
			expect(one.parked()).toMatchObject([{ key: "b", reason: "no source" }]);
		}
	});

	it("keeps everything that was acknowledged, wherever the end of the file is cut off or overwritten", async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.integer({ min: 1, max: 30 }),
				fc.nat({ max: 400 }),
				fc.constantFrom("cut", "zeros", "noise", "half"),
				async (count, back, how) => {
					await rm(temporary.folder, { recursive: true, force: true });
					const ledger = await Ledger.open({ folder: temporary.folder, maxBytes: 1 << 30, segmentBytes: 2_000 });
					for (let n = 0; n < count; n += 1) await ledger.accept(notice(`key-${n}`));
					await ledger.close();
					const last = join(temporary.folder, (await segments()).at(-1) as string);
					const intact = await readFile(last);
					if (how === "cut") await truncate(last, Math.max(0, intact.length - back));
					if (how === "zeros") await appendFile(last, Buffer.alloc(back));
					if (how === "noise")
						await appendFile(last, Buffer.from('0123abcd {"is":"receipt"'.repeat(9)).subarray(0, back));
					if (how === "half") await appendFile(last, intact.subarray(0, Math.min(back, 50)));
					const lost = how === "cut" ? intact.subarray(Math.max(0, intact.length - back)) : Buffer.alloc(0);
					const lostRecords = lost.length === 0 ? 0 : lost.toString().split("\n").length - 1;
					const again = await Ledger.open({ folder: temporary.folder, maxBytes: 1 << 30, segmentBytes: 2_000 });
					// Of what was cut off nothing can be there; everything before it is.
					expect(keys(again.waiting())).toEqual(Array.from({ length: count - lostRecords }, (_, n) => `key-${n}`));
					await again.accept(notice("new"));
					await again.close();
					const third = await Ledger.open({ folder: temporary.folder, maxBytes: 1 << 30 });
					expect(keys(third.waiting()).at(-1)).toBe("new");
					expect(third.waiting()).toHaveLength(count - lostRecords + 1);
					await third.close();
				},
			),
			{ numRuns: 60 },
		);
	});

	it("sets a record aside that was damaged in the middle, and keeps those around it", async () => {
		const ledger = await open();
		for (const key of ["a", "b", "c"]) await ledger.accept(notice(key));
		await ledger.close();
		const [name] = (await segments()) as [string];
		const text = (await readFile(join(temporary.folder, name), "utf8")).replace('"key":"b"', '"key":"B"');
		await writeFile(join(temporary.folder, name), text);
		const again = await open();
		expect(keys(again.waiting())).toEqual(["a", "c"]);
		expect(again.state().damaged).toBe(1);
		const [aside] = await readdir(join(temporary.folder, "damaged"));
		expect(await readFile(join(temporary.folder, "damaged", aside as string), "utf8")).toContain('"key":"B"');
	});

	it("writes segments, and lets go of those that are done and old", async () => {
		let now = new Date("2026-01-01T00:00:00Z");
		const ledger = await open({ segmentBytes: 1_000, keepMs: 86_400_000, now: () => now });
		for (let n = 0; n < 20; n += 1) await ledger.accept(notice(`old-${n}`));
		const before = (await segments()).length;
		expect(before).toBeGreaterThan(3);
		await ledger.done(ledger.waiting().slice(1));
		now = new Date("2026-02-01T00:00:00Z");
		// The oldest still waits: nothing behind it goes either.
		await ledger.accept(notice("new"));
		await ledger.done([]);
		expect((await segments()).length).toBeGreaterThanOrEqual(before);
		await ledger.done(ledger.waiting());
		expect((await segments()).length).toBeLessThan(before);
		expect((await ledger.accept(notice("old-3"))).repeated).toBe(false);
		expect((await open()).state().bytes).toBe(ledger.state().bytes);
	});

	it("lets go of what was parked too long ago, and of its segments", async () => {
		let now = new Date("2026-01-01T00:00:00Z");
		const options = { segmentBytes: 1_000, keepMs: 86_400_000, now: () => now };
		const ledger = await open(options);
		for (let n = 0; n < 20; n += 1) await ledger.accept(notice(`old-${n}`));
		const before = (await segments()).length;
		const [first, second, ...others] = ledger.waiting() as [Receipt, Receipt, ...Receipt[]];
		await ledger.park(first, "no source");
		await ledger.done(others);
		now = new Date("2026-01-03T00:00:00Z");
		await ledger.park(second, "no source");
		// Old enough are all of them, but one was parked just now.
		await ledger.accept(notice("new"));
		await ledger.done(ledger.waiting());
		for (const one of [ledger, await open(options)]) {
			expect(keys(one.parked())).toEqual(["old-1"]);
			expect(one.state()).toMatchObject({ waiting: 0, parked: 1 });
		}
		now = new Date("2026-01-04T00:00:01Z");
		expect(ledger.parked()).toEqual([]);
		await ledger.done([]);
		expect((await segments()).length).toBeLessThan(before);
		expect((await ledger.accept(notice("old-0"))).repeated).toBe(false);
		expect((await open(options)).state()).toEqual(ledger.state());
	});

	it("has wait again what was still parked, also where it gets too old meanwhile", async () => {
		let now = new Date("2026-01-01T00:00:00Z");
		const options = { keepMs: 86_400_000, now: () => now };
		const ledger = await open(options);
		for (const key of ["a", "b"]) await ledger.accept(notice(key));
		for (const receipt of ledger.waiting()) await ledger.park(receipt, "no source");
		const [a] = ledger.parked() as [ParkedReceipt];
		const parked = ledger.parked();
		now = new Date("2026-01-02T00:00:00Z");
		const replaying = [ledger.replay([a]), ledger.replay([a])];
		now = new Date("2026-01-02T00:00:01Z");
		expect(keys(ledger.parked())).toEqual(["a"]);
		expect((await Promise.all(replaying)).map(keys)).toEqual([["a"], []]);
		expect(await ledger.replay(parked)).toEqual([]);
		for (const one of [ledger, await open(options)]) {
			expect(keys(one.waiting())).toEqual(["a"]);
			expect(one.waiting()[0]).not.toHaveProperty("reason");
			expect(one.parked()).toEqual([]);
		}
	});

	it("takes again, full of parked ones, when they are old", async () => {
		let now = new Date("2026-01-01T00:00:00Z");
		const ledger = await open({ maxBytes: 20_000, segmentBytes: 2_000, keepMs: 86_400_000, now: () => now });
		for (let n = 0; !ledger.state().full; n += 1) {
			const { receipt } = await ledger.accept(notice(`key-${n}`));
			await ledger.park(receipt, "no source");
		}
		await expect(ledger.accept(notice("new"))).rejects.toMatchObject({ code: "DISK_FULL" });
		now = new Date("2026-01-03T00:00:00Z");
		// All at once, and still once.
		const accepted = await Promise.all([ledger.accept(notice("new")), ledger.accept(notice("new"))]);
		expect(accepted.map(({ repeated }) => repeated).sort()).toEqual([false, true]);
	});

	it("refuses before its bound, says so, and takes again when there is room", async () => {
		const ledger = await open({ maxBytes: 20_000, segmentBytes: 2_000 });
		let refusal: unknown;
		for (let n = 0; refusal === undefined; n += 1) {
			refusal = await ledger.accept(notice(`key-${n}`)).then(
				() => undefined,
				(error) => error,
			);
		}
		expect(refusal).toMatchObject({ code: "DISK_FULL", next: expect.stringContaining("LODE_WEBHOOK_LEDGER_BYTES") });
		expect(ledger.state()).toMatchObject({ full: true });
		expect(ledger.state().bytes).toBeLessThan(20_000);
		const waiting = ledger.waiting().length;
		expect((await open()).waiting()).toHaveLength(waiting);
		for (const receipt of ledger.waiting()) await ledger.done([receipt]);
		expect(ledger.state().full).toBe(false);
		await ledger.accept(notice("again"));
	});
});
