import { afterEach, beforeEach, describe, expect, it } from "vitest";
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
	});
}
