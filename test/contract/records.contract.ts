import { beforeAll, describe, expect, it } from "vitest";
import { compareBytes } from "../../src/domain/byte-order.js";
import type { ArtifactStore } from "../../src/stores/artifacts/artifacts.port.js";
import type { Ledger } from "../support/ledger.js";
import type { StoreUnderTest } from "./versioned-store.contract.js";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** What every artifact store does with records. `ledger` gives the seqs of the store. */
export function recordsContract(
	open: () => StoreUnderTest<ArtifactStore>,
	ledger: Ledger,
	tick: () => Promise<string>,
): void {
	describe("records", () => {
		let under: StoreUnderTest<ArtifactStore>;
		let store: ArtifactStore;
		beforeAll(() => {
			under = open();
			store = under.store;
		});

		const put = (...keys: readonly string[]) => Promise.all(keys.map((key) => store.putRecord(key, bytes(key))));

		it("come back by their key, and the first bytes stay", async () => {
			const all = Uint8Array.from({ length: 256 }, (_, n) => n);
			await store.putRecord("first/0001", all);
			await store.putRecord("first/0001", bytes("other"));
			await store.putRecord("first/empty", bytes(""));
			await store.putRecord("first/empty", bytes("other"));
			const other = await under.reopen();
			try {
				await other.putRecord("first/0001", bytes("another"));
				expect(await other.getRecord("first/0001")).toEqual(Buffer.from(all));
			} finally {
				await other.close();
			}
			expect(await store.getRecord("first/0001")).toEqual(Buffer.from(all));
			expect(await store.getRecord("first/empty")).toEqual(Buffer.from(""));
			expect(await store.getRecord("first")).toBeUndefined();
			expect(await store.getRecord("first/0002")).toBeUndefined();
		});

		it("keep the bytes of one writer where many come at once", async () => {
			const other = await under.reopen();
			try {
				for (let round = 0; round < 10; round++) {
					const key = `raced/${round}`;
					const seen = await Promise.all(
						[store, other, store, other].map(async (one, writer) => {
							await one.putRecord(key, bytes(`writer ${writer} `.repeat(500)));
							return Buffer.from((await one.getRecord(key)) ?? []).toString();
						}),
					);
					expect(seen[0]).toMatch(/^(writer (\d) )(writer \2 ){499}$/);
					expect(new Set(seen).size).toBe(1);
				}
			} finally {
				await other.close();
			}
		});

		it("are other things than derived objects of the same key", async () => {
			await store.putDerived("both/a", bytes("derived"));
			await store.putRecord("both/a", bytes("record"));
			await store.removeDerived("both/");
			expect(await store.getRecord("both/a")).toEqual(Buffer.from("record"));
		});

		it("are listed in byte order of the keys, by prefix and after a key", async () => {
			const keys = ["l/1", "l/1-a", "l/1.a", "l/1/a", "l/1/a/b", "l/10", "l/10/x", "l/1_", "l/1a", "l/2"];
			await put(...[...keys].reverse(), "l2/1", "k/1");
			expect([...keys].sort(compareBytes)).toEqual(keys);
			expect(await store.recordKeys("l/")).toEqual(keys);
			// Keys that are there, and such as are not, before, between and behind them.
			for (const after of [...keys, "k/1", "l/0", "l/1/0", "l/1/a/", "l/10/", "l/10/y", "l/3", "m"])
				expect(await store.recordKeys("l/", after), after).toEqual(keys.filter((key) => key > after));
			expect(await store.recordKeys("l/1/")).toEqual(["l/1/a", "l/1/a/b"]);
			expect(await store.recordKeys("l/1/", "l/1/a")).toEqual(["l/1/a/b"]);
			expect(await store.recordKeys("l/1")).toEqual(keys.slice(0, -1));
			expect(await store.recordKeys("l/3/")).toEqual([]);
			expect(await store.recordKeys("nothing/")).toEqual([]);
		});

		it("are listed whole where there are more than one page of them", async () => {
			const keys = Array.from({ length: 1_005 }, (_, n) => `pages/${n % 5}/${String(n).padStart(6, "0")}`);
			await put(...keys);
			keys.sort(compareBytes);
			expect(await store.recordKeys("pages/")).toEqual(keys);
			expect(await store.recordKeys("pages/", keys[2])).toEqual(keys.slice(3));
			await store.removeRecords("pages/");
			expect(await store.recordKeys("pages/")).toEqual([]);
		});

		it("are removed by the beginning of their keys, and may then be written anew", async () => {
			await put("r/1", "r/1/a", "r/1/b/c", "r/10/a", "r/2");
			await store.removeRecords("r/1/");
			await store.removeRecords("r/1/");
			expect(await store.recordKeys("r/")).toEqual(["r/1", "r/10/a", "r/2"]);
			expect(await store.getRecord("r/1/a")).toBeUndefined();
			await store.putRecord("r/1/a", bytes("new"));
			expect(await store.getRecord("r/1/a")).toEqual(Buffer.from("new"));
			await store.removeRecords("r/1");
			expect(await store.recordKeys("r/")).toEqual(["r/2"]);
			await store.removeRecords("unknown/");
		});

		it("outlive collections, discards and dropped sources", async () => {
			const source = "of-records";
			const [seq, gone] = [ledger.begin(), ledger.begin()];
			await store.stageRoot(seq, { source, commit: "c", object: "0".repeat(64) });
			const horizon = ledger.publish(seq);
			await put(`changes/${source}/1`, "events/0");
			await store.discard(gone);
			ledger.release(gone);
			await store.collectRoots(source, horizon, ledger.openSeqs());
			await store.collectObjects(() => false, await tick());
			await store.dropSource(source);
			for (const key of [`changes/${source}/1`, "events/0"])
				expect(await store.getRecord(key)).toEqual(Buffer.from(key));
		});

		it("have keys as derived objects have, and a size that one request carries", async () => {
			for (const key of ["", "/a", "a/", "a//b", "../a", "a/.", "A", "a b", "a~", "é", "x".repeat(201)]) {
				await expect(store.putRecord(key, bytes("x")), key).rejects.toMatchObject({ code: "INTERNAL" });
				await expect(store.getRecord(key), key).rejects.toMatchObject({ code: "INTERNAL" });
			}
			for (const prefix of ["", "/", "../", "a//"]) {
				await expect(store.recordKeys(prefix), prefix).rejects.toMatchObject({ code: "INTERNAL" });
				await expect(store.removeRecords(prefix), prefix).rejects.toMatchObject({ code: "INTERNAL" });
			}
			const largest = Buffer.alloc(8 * 1024 * 1024, "x");
			await store.putRecord("size/largest", largest);
			await store.putRecord("size/largest", bytes("other"));
			expect((await store.getRecord("size/largest"))?.length).toBe(largest.length);
			await expect(store.putRecord("size/more", Buffer.alloc(largest.length + 1))).rejects.toMatchObject({
				code: "INTERNAL",
				message: expect.stringContaining("size/more"),
			});
		});
	});
}
