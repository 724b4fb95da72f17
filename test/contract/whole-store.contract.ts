import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EMPTY_TALLY, tallyOf } from "../../src/domain/digest.js";
import type { Snapshot } from "../../src/domain/snapshot.js";
import type { VersionedStore } from "../../src/stores/versioned.port.js";
import type { StoreUnderTest, VersionedDriver } from "./versioned-store.contract.js";

/** What every multi-version store does as a whole, whatever source it is about: each case has a store of its own. */
export function wholeStoreContract<S extends VersionedStore, R>(driver: VersionedDriver<S, R>): void {
	describe("the whole store", () => {
		let under: StoreUnderTest<S>;
		let store: S;
		beforeEach(async () => {
			under = await driver.create();
			store = under.store;
		});
		afterEach(async () => {
			await under?.destroy();
		});

		const content = (source: string, origin: string, version: number, items = 2): R[] =>
			Array.from({ length: items }, (_, item) => driver.record(source, origin, item, version));
		const at = (seq: number, excluding: number[] = []): Snapshot => ({
			number: seq,
			seq,
			excluding,
			publishedAt: new Date(Date.UTC(2026, 0, 1)).toISOString(),
		});

		it("knows the highest seq of any record", async () => {
			expect(await store.highestSeq()).toBe(0);
			await driver.stage(store, 7, content("a", "file:x", 1));
			await driver.stage(store, 3, content("b", "file:x", 1));
			expect(await store.highestSeq()).toBe(7);
			await store.retire(9, "a", ["file:x"]);
			expect(await store.highestSeq()).toBe(9);
			await driver.stage(store, 1_000_000, content("b", "file:y", 1));
			const [again, other] = [await under.reopen(), await driver.create()];
			try {
				expect(await again.highestSeq()).toBe(1_000_000);
				expect(await other.store.highestSeq()).toBe(0);
			} finally {
				await again.close();
				await other.destroy();
			}
			await store.dropSource("b");
			expect(await store.highestSeq()).toBe(9);
		});

		it("knows the highest seq that was closed, where it closes any", async () => {
			await driver.stage(store, 7, content("a", "file:x", 1));
			const known = (closed: number) => (store.capabilities.refusesClosedSeq ? closed : 7);
			await store.discard(12);
			expect(await store.highestSeq()).toBe(known(12));
			await store.discard(10);
			expect(await store.highestSeq()).toBe(known(12));
			await store.collect("a", at(20), [15, 20]);
			expect(await store.highestSeq()).toBe(known(20));
			await store.discard(21);
			expect(await store.highestSeq()).toBe(known(21));
			await store.discard(7);
			expect(await store.highestSeq()).toBe(store.capabilities.refusesClosedSeq ? 21 : 0);
		});

		describe("cleared", () => {
			/** Two sources in several versions, a retired origin, seqs closed one by one and up to a mark. */
			const fill = async () => {
				await driver.stage(store, 2, content("a", "file:x", 1));
				await driver.stage(store, 5, content("b", "file:y", 1));
				await store.retire(8, "a", ["file:x"]);
				await driver.stage(store, 8, content("a", "file:x", 2));
				await store.collect("b", at(5), []);
				await store.discard(6);
			};
			const expectEmpty = async (one: S) => {
				expect(await one.highestSeq()).toBe(0);
				for (const source of ["a", "b"]) {
					for (const seq of [2, 5, 8]) expect(await one.tally(at(seq), source)).toEqual(EMPTY_TALLY);
					expect(await driver.records(one, at(8), source, "file:x")).toEqual([]);
				}
				expect(await one.check()).toEqual([]);
			};

			it("holds nothing, once and twice, and takes any seq again", async () => {
				await store.clear();
				await expectEmpty(store);
				await fill();
				// More than one transaction deletes.
				await driver.stage(store, 8, content("b", "file:many", 1, 1_100));
				await store.clear();
				await expectEmpty(store);
				await store.clear();
				await expectEmpty(store);
				const records = content("a", "file:x", 3, 3);
				const tally = tallyOf(records.map(driver.digest));
				for (const seq of [2, 5, 6]) {
					await store.retire(seq, "a", ["file:x"]);
					await driver.stage(store, seq, records);
					expect(await store.highestSeq()).toBe(seq);
					expect(await store.tally(at(seq), "a")).toEqual(tally);
				}
				expect((await store.staged(6, "a")).retired).toEqual(tally);
				expect(await store.check()).toEqual([]);
			});

			it("is cleared for other connections that know it, and other installations keep theirs", async () => {
				const [again, other] = [await under.reopen(), await driver.create()];
				try {
					await fill();
					for (const one of [again, other.store]) await driver.stage(one, 9, content("c", "file:z", 1));
					const tally = tallyOf(content("c", "file:z", 1).map(driver.digest));
					expect(await again.tally(at(9), "c")).toEqual(tally);
					await store.clear();
					// Without a question before, which could tell it.
					await driver.stage(again, 6, content("c", "file:z", 2));
					await again.retire(8, "c", ["file:z"]);
					expect(await store.tally(at(6), "c")).toEqual(tallyOf(content("c", "file:z", 2).map(driver.digest)));
					for (const one of [store, again]) {
						expect(await one.highestSeq()).toBe(8);
						expect(await one.tally(at(8), "a")).toEqual(EMPTY_TALLY);
					}
					expect(await store.check()).toEqual([]);
					expect(await other.store.tally(at(9), "c")).toEqual(tally);
					expect(await other.store.check()).toEqual([]);
				} finally {
					await again.close();
					await other.destroy();
				}
			});
		});
	});
}
