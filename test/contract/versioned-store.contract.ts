import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compareBytes } from "../../src/domain/byte-order.js";
import { EMPTY_TALLY, type Tally, tallyOf } from "../../src/domain/digest.js";
import { errorCode } from "../../src/domain/errors.js";
import { EMPTY_SNAPSHOT, isVisible, type Lifetime, type Seq, type Snapshot } from "../../src/domain/snapshot.js";
import type { VersionedStore } from "../../src/stores/versioned.port.js";
import { Ledger } from "../support/ledger.js";
import { wholeStoreContract } from "./whole-store.contract.js";

/** A store under test, empty at first. The suite makes one and shares it between its cases, each with sources of its own. */
export interface StoreUnderTest<S> {
	readonly store: S;
	/** Opens the same data again, as another process would. The caller closes it. */
	reopen(): Promise<S>;
	/** Closes the store and deletes its data. */
	destroy(): Promise<void>;
}

/** What the suite has to know of one kind of record. */
export interface VersionedDriver<S extends VersionedStore, R> {
	create(): Promise<StoreUnderTest<S>>;
	/** Record number `item` of an origin; another `version` has the same identity and other content. Equal arguments, equal records. */
	record(source: string, origin: string, item: number, version: number): R;
	stage(store: S, seq: Seq, records: readonly R[]): Promise<void>;
	records(store: S, snapshot: Snapshot, source: string, origin: string): Promise<R[]>;
	digest(record: R): string;
	/** Runs of the model test; server engines may lower it. */
	readonly modelRuns?: number;
}

/** What every multi-version store does, whatever it keeps. */
export function versionedStoreContract<S extends VersionedStore, R>(name: string, driver: VersionedDriver<S, R>): void {
	describe(`${name}: versioned store`, () => {
		let under: StoreUnderTest<S>;
		let store: S;
		const ledger = new Ledger();
		let sources = 0;

		beforeAll(async () => {
			under = await driver.create();
			store = under.store;
		});
		afterAll(async () => {
			await under?.destroy();
		});

		const newSource = (): string => `source-${++sources}`;
		/** All items of one version of an origin. */
		const content = (source: string, origin: string, version: number, items = 2): R[] =>
			Array.from({ length: items }, (_, item) => driver.record(source, origin, item, version));
		const expectedTally = (records: readonly R[]): Tally => tallyOf(records.map((record) => driver.digest(record)));

		/** Replaces the content of some origins and publishes. */
		const ingest = async (source: string, origins: Record<string, R[]>): Promise<Snapshot> => {
			const seq = ledger.begin();
			await store.retire(seq, source, Object.keys(origins));
			await driver.stage(store, seq, Object.values(origins).flat());
			return ledger.publish(seq);
		};
		const undo = async (seq: Seq): Promise<void> => {
			await store.discard(seq);
			ledger.release(seq);
		};

		/** That exactly these records of the source are visible, by every way of asking. */
		const expectVisible = async (snapshot: Snapshot, source: string, origins: Record<string, R[]>): Promise<void> => {
			for (const [origin, records] of Object.entries(origins)) {
				const seen = await driver.records(store, snapshot, source, origin);
				expect(seen.map(driver.digest).sort()).toEqual(records.map(driver.digest).sort());
			}
			expect(await store.tally(snapshot, source)).toEqual(expectedTally(Object.values(origins).flat()));
			const byOrigin = Object.entries(origins)
				.filter(([, records]) => records.length > 0)
				.map(([origin, records]) => ({ origin, tally: expectedTally(records) }))
				.sort((a, b) => compareBytes(a.origin, b.origin));
			expect(await store.tallies(snapshot, source, undefined, 1000)).toEqual(byOrigin);
		};
		const expectRefused = async (write: Promise<unknown>): Promise<void> => {
			const code = await write.then(
				() => "written",
				(error: unknown) => errorCode(error) ?? String(error),
			);
			expect(code).toBe("SEQ_CLOSED");
		};

		describe("staging", () => {
			it("leaves once what is staged twice, in any order, interleaved with another source", async () => {
				const [a, b] = [newSource(), newSource()];
				const [seqA, seqB] = [ledger.begin(), ledger.begin()];
				const [x, y] = [content(a, "file:x", 1), content(a, "file:y", 1)];
				const other = content(b, "file:x", 1);
				await driver.stage(store, seqA, x);
				await driver.stage(store, seqB, other);
				await driver.stage(store, seqA, [...y].reverse());
				await driver.stage(store, seqB, other);
				await driver.stage(store, seqA, [...y, ...x]);
				expect(await store.staged(seqA, a)).toEqual({ added: expectedTally([...x, ...y]), retired: EMPTY_TALLY });
				expect(await store.staged(seqB, b)).toEqual({ added: expectedTally(other), retired: EMPTY_TALLY });
				ledger.publish(seqA);
				const snapshot = ledger.publish(seqB);
				await expectVisible(snapshot, a, { "file:x": x, "file:y": y });
				await expectVisible(snapshot, b, { "file:x": other });
			});

			it("takes doubles within one batch once", async () => {
				const source = newSource();
				const seq = ledger.begin();
				const records = content(source, "file:x", 1);
				await driver.stage(store, seq, [...records, ...records]);
				await expectVisible(ledger.publish(seq), source, { "file:x": records });
			});

			it("leaves a record that is there under the same seq as it is", async () => {
				const source = newSource();
				const seq = ledger.begin();
				const first = content(source, "file:x", 1);
				await driver.stage(store, seq, first);
				await driver.stage(store, seq, content(source, "file:x", 2));
				expect((await store.staged(seq, source)).added).toEqual(expectedTally(first));
				await undo(seq);
			});

			it("does nothing with empty batches", async () => {
				const source = newSource();
				const seq = ledger.begin();
				await driver.stage(store, seq, []);
				await store.retire(seq, source, []);
				expect(await store.staged(seq, source)).toEqual({ added: EMPTY_TALLY, retired: EMPTY_TALLY });
				expect(await store.staged(seq, source, [])).toEqual({ added: EMPTY_TALLY, retired: EMPTY_TALLY });
				await undo(seq);
			});

			it("tells what it staged over chosen origins, whose parts sum to the whole", async () => {
				const source = newSource();
				await ingest(source, { "file:x": content(source, "file:x", 1), "file:y": content(source, "file:y", 1) });
				const seq = ledger.begin();
				const [x2, z] = [content(source, "file:x", 2, 3), content(source, "file:z", 1)];
				await store.retire(seq, source, ["file:x", "file:y"]);
				await driver.stage(store, seq, [...x2, ...z]);
				const gone = (origin: string) => expectedTally(content(source, origin, 1));
				expect(await store.staged(seq, source, ["file:x"])).toEqual({
					added: expectedTally(x2),
					retired: gone("file:x"),
				});
				expect(await store.staged(seq, source, ["file:y", "file:z"])).toEqual({
					added: expectedTally(z),
					retired: gone("file:y"),
				});
				expect(await store.staged(seq, source, ["file:unknown"])).toEqual({
					added: EMPTY_TALLY,
					retired: EMPTY_TALLY,
				});
				expect((await store.staged(seq, source)).added).toEqual(expectedTally([...x2, ...z]));
				await undo(seq);
			});

			it("takes thousands of records and origins in one call", async () => {
				const source = newSource();
				const origins = Array.from({ length: 1200 }, (_, n) => `file:many/${n}`);
				const first = origins.flatMap((origin) => content(source, origin, 1, 1));
				const seq = ledger.begin();
				await driver.stage(store, seq, first);
				expect((await store.staged(seq, source, origins)).added).toEqual(expectedTally(first));
				ledger.publish(seq);
				const next = ledger.begin();
				await store.retire(next, source, origins);
				expect((await store.staged(next, source, origins)).retired).toEqual(expectedTally(first));
				await expectVisible(ledger.publish(next), source, { "file:many/0": [] });
			});

			it("keeps origins apart that differ by case, quotes, wildcards or composition only", async () => {
				const source = newSource();
				const origins = [
					"file:a",
					"file:A",
					"file:a'\"",
					"file:%",
					"file:_",
					"file:*",
					"file:\\",
					"file:é",
					"file:e\u0301",
				];
				const all = Object.fromEntries(origins.map((origin, n) => [origin, content(source, origin, n)]));
				await ingest(source, all);
				const snapshot = await ingest(source, { "file:%": [], "file:a": [] });
				await expectVisible(snapshot, source, { ...all, "file:%": [], "file:a": [] });
			});
		});

		describe("publication", () => {
			it("shows nothing before it and everything after it", async () => {
				const source = newSource();
				const old = { "file:x": content(source, "file:x", 1), "file:y": content(source, "file:y", 1) };
				const before = await ingest(source, old);
				const seq = ledger.begin();
				const x2 = content(source, "file:x", 2, 3);
				const z = content(source, "file:z", 1);
				await store.retire(seq, source, ["file:x", "file:y"]);
				await expectVisible(before, source, old);
				await driver.stage(store, seq, x2);
				await expectVisible(ledger.snapshot(), source, old);
				await driver.stage(store, seq, z);
				await expectVisible(before, source, { ...old, "file:z": [] });
				const after = ledger.publish(seq);
				await expectVisible(after, source, { "file:x": x2, "file:y": [], "file:z": z });
				await expectVisible(before, source, { ...old, "file:z": [] });
			});

			it("shows nothing in the empty snapshot", async () => {
				const source = newSource();
				await ingest(source, { "file:x": content(source, "file:x", 1) });
				await expectVisible(EMPTY_SNAPSHOT, source, { "file:x": [] });
			});

			it("shows the same to another connection", async () => {
				const source = newSource();
				const x = content(source, "file:x", 1);
				const snapshot = await ingest(source, { "file:x": x });
				const again = await under.reopen();
				try {
					expect(await again.tally(snapshot, source)).toEqual(expectedTally(x));
				} finally {
					await again.close();
				}
			});

			it("keeps sources that publish out of order apart", async () => {
				const [a, b] = [newSource(), newSource()];
				const a1 = content(a, "file:x", 1);
				const b1 = content(b, "file:x", 1);
				await ingest(a, { "file:x": a1 });
				const start = await ingest(b, { "file:x": b1 });
				const [early, late] = [ledger.begin(), ledger.begin()];
				const [a2, b2] = [content(a, "file:x", 2), content(b, "file:x", 2)];
				await store.retire(early, a, ["file:x"]);
				await store.retire(late, b, ["file:x"]);
				await driver.stage(store, late, b2);
				await driver.stage(store, early, a2);
				const first = ledger.publish(late);
				expect(first.excluding).toContain(early);
				await expectVisible(first, a, { "file:x": a1 });
				await expectVisible(first, b, { "file:x": b2 });
				const second = ledger.publish(early);
				await expectVisible(second, a, { "file:x": a2 });
				await expectVisible(second, b, { "file:x": b2 });
				await expectVisible(first, a, { "file:x": a1 });
				await expectVisible(start, b, { "file:x": b1 });
			});
		});

		describe("retiring and time travel", () => {
			it("gives each snapshot its own version", async () => {
				const source = newSource();
				const snapshots: Snapshot[] = [];
				for (let version = 1; version <= 4; version++) {
					const items = version === 3 ? 0 : version;
					snapshots.push(await ingest(source, { "file:x": content(source, "file:x", version, items) }));
				}
				for (const [index, snapshot] of snapshots.entries()) {
					const version = index + 1;
					const items = version === 3 ? 0 : version;
					await expectVisible(snapshot, source, { "file:x": content(source, "file:x", version, items) });
				}
			});

			it("commutes with staging under the same seq", async () => {
				const source = newSource();
				await ingest(source, { "file:x": content(source, "file:x", 1) });
				const seq = ledger.begin();
				const x2 = content(source, "file:x", 2);
				await store.retire(seq, source, ["file:x"]);
				await driver.stage(store, seq, x2);
				await store.retire(seq, source, ["file:x"]);
				await driver.stage(store, seq, x2);
				expect(await store.staged(seq, source)).toEqual({
					added: expectedTally(x2),
					retired: expectedTally(content(source, "file:x", 1)),
				});
				await expectVisible(ledger.publish(seq), source, { "file:x": x2 });
			});

			it("may be told that it was cut off, whatever of it had been done", async () => {
				const source = newSource();
				const old = { "file:x": content(source, "file:x", 1), "file:y": content(source, "file:y", 1) };
				await ingest(source, { "file:x": content(source, "file:x", 0), "file:y": [] });
				const before = await ingest(source, old);
				const seq = ledger.begin();
				await store.retire(seq, source, ["file:x"]);
				await store.retire(seq, source, ["file:x", "file:y"], { again: true });
				await expectVisible(before, source, old);
				expect(await store.staged(seq, source)).toEqual({
					added: EMPTY_TALLY,
					retired: expectedTally(Object.values(old).flat()),
				});
				await store.retire(seq, source, ["file:x", "file:y"], { again: true });
				await expectVisible(ledger.publish(seq), source, { "file:x": [], "file:y": [] });
				await expectVisible(before, source, old);
			});

			it("leaves other origins, other sources and what is retired already", async () => {
				const [a, b] = [newSource(), newSource()];
				const x1 = content(a, "file:x", 1);
				const y = content(a, "file:y", 1);
				const other = content(b, "file:x", 1);
				const first = await ingest(a, { "file:x": x1, "file:y": y });
				await ingest(b, { "file:x": other });
				const gone = await ingest(a, { "file:x": [] });
				const again = await ingest(a, { "file:x": [] });
				await expectVisible(first, a, { "file:x": x1, "file:y": y });
				await expectVisible(gone, a, { "file:x": [], "file:y": y });
				await expectVisible(again, a, { "file:x": [], "file:y": y });
				await expectVisible(again, b, { "file:x": other });
			});

			it("brings a reverted record back as a version of its own", async () => {
				const source = newSource();
				const x1 = content(source, "file:x", 1);
				const first = await ingest(source, { "file:x": x1 });
				const second = await ingest(source, { "file:x": content(source, "file:x", 2) });
				const third = await ingest(source, { "file:x": x1 });
				expect(await store.tally(third, source)).toEqual(await store.tally(first, source));
				await expectVisible(second, source, { "file:x": content(source, "file:x", 2) });
			});
		});

		describe("discard", () => {
			const stops: Record<string, (seq: Seq, source: string) => Promise<void>> = {
				"before anything was written": async () => {},
				"after retiring": (seq, source) => store.retire(seq, source, ["file:x", "file:y"]),
				"in the middle of staging": (seq, source) => driver.stage(store, seq, content(source, "file:x", 2).slice(0, 1)),
				"after everything": async (seq, source) => {
					await driver.stage(store, seq, [...content(source, "file:x", 2), ...content(source, "file:new", 1)]);
					await store.retire(seq, source, ["file:x", "file:y"]);
				},
			};
			for (const [when, write] of Object.entries(stops)) {
				it(`leaves no trace, once and twice: ${when}`, async () => {
					const source = newSource();
					const old = { "file:x": content(source, "file:x", 1), "file:y": content(source, "file:y", 1) };
					const before = await ingest(source, old);
					const seq = ledger.begin();
					await write(seq, source);
					await store.discard(seq);
					expect(await store.staged(seq, source)).toEqual({ added: EMPTY_TALLY, retired: EMPTY_TALLY });
					await store.discard(seq);
					ledger.release(seq);
					await expectVisible(before, source, { ...old, "file:new": [] });
					// The retired records are current again: the next ingestion retires them.
					const after = await ingest(source, { "file:x": content(source, "file:x", 3) });
					await expectVisible(after, source, { ...old, "file:x": content(source, "file:x", 3), "file:new": [] });
				});
			}

			it("leaves what other seqs staged", async () => {
				const [a, b] = [newSource(), newSource()];
				const [seqA, seqB] = [ledger.begin(), ledger.begin()];
				await driver.stage(store, seqA, content(a, "file:x", 1));
				await driver.stage(store, seqB, content(b, "file:x", 1));
				await undo(seqA);
				await expectVisible(ledger.publish(seqB), b, { "file:x": content(b, "file:x", 1) });
			});

			it("refuses late writes, or finds them when repeated", async () => {
				const source = newSource();
				const old = { "file:x": content(source, "file:x", 1) };
				const before = await ingest(source, old);
				const seq = ledger.begin();
				await store.discard(seq);
				const late = [
					() => driver.stage(store, seq, content(source, "file:x", 2)),
					() => store.retire(seq, source, ["file:x"]),
				];
				for (const write of late) {
					if (store.capabilities.refusesClosedSeq) await expectRefused(write());
					else await write().catch(() => {});
				}
				await store.discard(seq);
				ledger.release(seq);
				expect(await store.staged(seq, source)).toEqual({ added: EMPTY_TALLY, retired: EMPTY_TALLY });
				await expectVisible(before, source, old);
			});

			it("refuses late writes of another connection too", async () => {
				if (!store.capabilities.refusesClosedSeq) return;
				const source = newSource();
				const other = await under.reopen();
				try {
					const seq = ledger.begin();
					await driver.stage(other, seq, content(source, "file:x", 1));
					await undo(seq);
					await expectRefused(driver.stage(other, seq, content(source, "file:x", 1)));
					await expectRefused(other.retire(seq, source, ["file:x"]));
				} finally {
					await other.close();
				}
			});
		});

		describe("garbage collection", () => {
			it("deletes what the horizon no longer sees and nothing that it or a later snapshot sees", async () => {
				const source = newSource();
				const y = content(source, "file:y", 1);
				await ingest(source, { "file:x": content(source, "file:x", 1), "file:y": y });
				const horizon = await ingest(source, { "file:x": content(source, "file:x", 2) });
				const latest = await ingest(source, { "file:x": content(source, "file:x", 3) });
				expect(await store.collect(source, horizon, ledger.openSeqs())).toBe(2);
				expect(await store.collect(source, horizon, ledger.openSeqs())).toBe(0);
				await expectVisible(horizon, source, { "file:x": content(source, "file:x", 2), "file:y": y });
				await expectVisible(latest, source, { "file:x": content(source, "file:x", 3), "file:y": y });
				expect(await store.collect(source, latest, ledger.openSeqs())).toBe(2);
				await expectVisible(latest, source, { "file:x": content(source, "file:x", 3), "file:y": y });
				const next = await ingest(source, { "file:x": [], "file:y": [] });
				await expectVisible(next, source, { "file:x": [], "file:y": [] });
			});

			it("leaves other sources", async () => {
				const [a, b] = [newSource(), newSource()];
				const first = await ingest(a, { "file:x": content(a, "file:x", 1) });
				await ingest(a, { "file:x": content(a, "file:x", 2) });
				await ingest(b, { "file:x": content(b, "file:x", 1) });
				const horizon = await ingest(b, { "file:x": content(b, "file:x", 2) });
				expect(await store.collect(b, horizon, ledger.openSeqs())).toBe(2);
				await expectVisible(first, a, { "file:x": content(a, "file:x", 1) });
			});

			it("leaves what an ingestion retires that the horizon does not have", async () => {
				const [a, b] = [newSource(), newSource()];
				const x1 = content(a, "file:x", 1);
				await ingest(a, { "file:x": x1 });
				const running = ledger.begin();
				await store.retire(running, a, ["file:x"]);
				const horizon = await ingest(b, { "file:x": content(b, "file:x", 1) });
				expect(horizon.excluding).toContain(running);
				expect(await store.collect(a, horizon, ledger.openSeqs())).toBe(0);
				await expectVisible(horizon, a, { "file:x": x1 });
				await driver.stage(store, running, content(a, "file:x", 2));
				await expectVisible(ledger.publish(running), a, { "file:x": content(a, "file:x", 2) });
				await expectVisible(horizon, a, { "file:x": x1 });
			});

			it("closes the seqs up to the horizon but the open ones", async () => {
				const [a, b] = [newSource(), newSource()];
				const running = ledger.begin();
				const done = ledger.begin();
				await driver.stage(store, done, content(b, "file:x", 1));
				const horizon = ledger.publish(done);
				await store.collect(b, horizon, ledger.openSeqs());
				if (store.capabilities.refusesClosedSeq) {
					await expectRefused(driver.stage(store, done, content(b, "file:late", 1)));
					await expectRefused(store.retire(done, b, ["file:x"]));
				}
				await driver.stage(store, running, content(a, "file:x", 1));
				await store.collect(b, horizon, ledger.openSeqs());
				await driver.stage(store, running, content(a, "file:y", 1));
				const snapshot = ledger.publish(running);
				await expectVisible(snapshot, a, {
					"file:x": content(a, "file:x", 1),
					"file:y": content(a, "file:y", 1),
				});
				await store.collect(b, snapshot, ledger.openSeqs());
				if (store.capabilities.refusesClosedSeq)
					await expectRefused(driver.stage(store, running, content(a, "file:z", 1)));
			});
		});

		describe("digests", () => {
			it("follow from the visible records alone, whatever order, batches and history they came by", async () => {
				const source = newSource();
				const origins = Array.from({ length: 7 }, (_, n) => `file:${n}`);
				const final = Object.fromEntries(origins.map((origin, n) => [origin, content(source, origin, 9, n)]));
				for (const version of [1, 2])
					await ingest(
						source,
						Object.fromEntries([...origins, "file:gone"].map((origin) => [origin, content(source, origin, version)])),
					);
				await ingest(source, { "file:gone": [] });
				const failed = ledger.begin();
				await store.retire(failed, source, origins);
				await driver.stage(store, failed, content(source, "file:0", 5));
				await undo(failed);
				const incremental = await ingest(source, final);
				const tally = await store.tally(incremental, source);
				expect(tally).toEqual(expectedTally(Object.values(final).flat()));

				await store.dropSource(source);
				const seq = ledger.begin();
				for (const records of Object.values(final).reverse())
					for (const record of [...records].reverse()) await driver.stage(store, seq, [record]);
				expect(await store.tally(ledger.publish(seq), source)).toEqual(tally);
			});

			it("are the same page by page, in byte order", async () => {
				const source = newSource();
				// U+FF5E sorts before U+1F600 in bytes and after it in UTF-16 code units.
				const origins = ["file:b", "file:a", "file:a/b", "file:a.b", "file:\uff5e", "file:😀", "file:é", "commit:1"];
				const all = Object.fromEntries(origins.map((origin, n) => [origin, content(source, origin, 1, n + 1)]));
				const snapshot = await ingest(source, all);
				await expectVisible(snapshot, source, all);
				const whole = await store.tallies(snapshot, source, undefined, 100);
				for (const limit of [1, 2, 3, 8]) {
					const pages = [];
					let after: string | undefined;
					for (;;) {
						const page = await store.tallies(snapshot, source, after, limit);
						expect(page.length).toBeLessThanOrEqual(limit);
						pages.push(...page);
						if (page.length < limit) break;
						after = page.at(-1)?.origin;
					}
					expect(pages).toEqual(whole);
				}
			});
		});

		describe("dropping a source", () => {
			it("deletes it in every version and nothing else, any number of times", async () => {
				const [a, b] = [newSource(), newSource()];
				const first = await ingest(a, { "file:x": content(a, "file:x", 1) });
				const other = await ingest(b, { "file:x": content(b, "file:x", 1) });
				const second = await ingest(a, { "file:x": content(a, "file:x", 2) });
				await store.dropSource(a);
				await store.dropSource(a);
				await expectVisible(first, a, { "file:x": [] });
				await expectVisible(second, a, { "file:x": [] });
				await expectVisible(other, b, { "file:x": content(b, "file:x", 1) });
				const again = await ingest(a, { "file:x": content(a, "file:x", 1) });
				await expectVisible(again, a, { "file:x": content(a, "file:x", 1) });
			});
		});

		wholeStoreContract(driver);

		it("shows what a naive model shows in every kept snapshot, over random histories", async () => {
			await fc.assert(
				fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
					const model = new Model<R>(driver, ledger, store, [newSource(), newSource(), newSource()]);
					for (const one of steps) await model.take(one);
					await model.finish();
				}),
				{ numRuns: driver.modelRuns ?? 40 },
			);
		});

		it("finds no problem in a store with all this history", async () => {
			expect(await store.check()).toEqual([]);
		});
	});
}

type Step =
	| {
			readonly do: "write";
			readonly source: number;
			readonly origins: readonly number[];
			readonly items: number;
			readonly stageFirst: boolean;
			readonly twice: boolean;
	  }
	| { readonly do: "publish" | "discard" | "late"; readonly source: number }
	| { readonly do: "collect"; readonly source: number; readonly horizon: number };

const ORIGINS = ["file:a", "file:b", "file:c", "commit:d"];
const source = fc.nat(2);
const step: fc.Arbitrary<Step> = fc.oneof(
	{
		weight: 5,
		arbitrary: fc.record({
			do: fc.constant("write" as const),
			source,
			origins: fc.uniqueArray(fc.nat(ORIGINS.length - 1), { minLength: 1, maxLength: 3 }),
			items: fc.nat(3),
			stageFirst: fc.boolean(),
			twice: fc.boolean(),
		}),
	},
	{ weight: 4, arbitrary: fc.record({ do: fc.constant("publish" as const), source }) },
	{ weight: 1, arbitrary: fc.record({ do: fc.constant("discard" as const), source }) },
	{ weight: 1, arbitrary: fc.record({ do: fc.constant("late" as const), source }) },
	{ weight: 1, arbitrary: fc.record({ do: fc.constant("collect" as const), source, horizon: fc.nat(20) }) },
);

interface ModelRecord<R> extends Lifetime {
	readonly source: string;
	readonly origin: string;
	readonly record: R;
	removedAt: Seq | null;
}

/** A store as an array of records, run beside the real one and compared with it in all snapshots that collection keeps. */
class Model<R> {
	#records: ModelRecord<R>[] = [];
	readonly #running = new Map<string, Seq>();
	readonly #closed = new Map<string, Seq>();
	/** Per source: the first snapshot that can still be asked. */
	readonly #horizon = new Map<string, number>();
	readonly #snapshots: Snapshot[] = [];
	#version = 0;

	constructor(
		// biome-ignore lint/suspicious/noExplicitAny: the model does not care which store the driver drives.
		private readonly driver: VersionedDriver<any, R>,
		private readonly ledger: Ledger,
		private readonly store: VersionedStore,
		private readonly sources: readonly string[],
	) {}

	async take(step: Step): Promise<void> {
		const source = this.sources[step.source] as string;
		const running = this.#running.get(source);
		if (step.do === "write") await this.#write(source, step);
		else if (step.do === "collect") await this.#collect(source, step.horizon);
		else if (step.do === "late") await this.#late(source);
		else if (running !== undefined && step.do === "publish") {
			this.#snapshots.push(this.ledger.publish(running));
			this.#running.delete(source);
			await this.#compare();
		} else if (running !== undefined) await this.#discard(source, running);
	}

	/** Discards what still runs and compares for the last time. */
	async finish(): Promise<void> {
		for (const [source, seq] of [...this.#running]) await this.#discard(source, seq);
		this.#snapshots.push(this.ledger.snapshot());
		await this.#compare();
	}

	async #write(source: string, step: Step & { do: "write" }): Promise<void> {
		const seq = this.#running.get(source) ?? this.ledger.begin();
		this.#running.set(source, seq);
		// An ingestion says each origin once.
		const origins = step.origins
			.map((index) => ORIGINS[index] as string)
			.filter((origin) => !this.#records.some((r) => r.source === source && r.origin === origin && r.addedAt === seq));
		const version = ++this.#version;
		const added = origins.flatMap((origin) =>
			Array.from({ length: step.items }, (_, item) => ({
				source,
				origin,
				record: this.driver.record(source, origin, item, version),
				addedAt: seq,
				removedAt: null,
			})),
		);
		const stage = () =>
			this.driver.stage(
				this.store,
				seq,
				added.map(({ record }) => record),
			);
		const retire = () => this.store.retire(seq, source, origins);
		for (let round = 0; round < (step.twice ? 2 : 1); round++) {
			if (step.stageFirst) await stage();
			await retire();
			if (!step.stageFirst) await stage();
		}
		for (const record of this.#records)
			if (record.source === source && origins.includes(record.origin) && record.addedAt < seq) record.removedAt ??= seq;
		this.#records.push(...added);
		const staged = await this.store.staged(seq, source);
		expect(staged.added).toEqual(this.#tally((record) => record.source === source && record.addedAt === seq));
		expect(staged.retired).toEqual(this.#tally((record) => record.source === source && record.removedAt === seq));
	}

	async #discard(source: string, seq: Seq): Promise<void> {
		await this.store.discard(seq);
		this.ledger.release(seq);
		this.#running.delete(source);
		this.#closed.set(source, seq);
		this.#records = this.#records.filter((record) => record.addedAt !== seq);
		for (const record of this.#records) if (record.removedAt === seq) record.removedAt = null;
		await this.#compare();
	}

	async #late(source: string): Promise<void> {
		const seq = this.#closed.get(source);
		if (seq === undefined) return;
		const writes = [
			() => this.driver.stage(this.store, seq, [this.driver.record(source, "file:a", 0, ++this.#version)]),
			() => this.store.retire(seq, source, ORIGINS),
		];
		for (const write of writes) await write().catch(() => {});
		// A source waits until a repeated discard finds nothing, so this is never beside a write of its next seq.
		if (!this.store.capabilities.refusesClosedSeq) await this.store.discard(seq);
		await this.#compare();
	}

	async #collect(source: string, index: number): Promise<void> {
		const first = this.#horizon.get(source) ?? 0;
		if (this.#snapshots.length === 0) return;
		const chosen = Math.min(this.#snapshots.length - 1, Math.max(first, index));
		const horizon = this.#snapshots[chosen] as Snapshot;
		this.#horizon.set(source, chosen);
		await this.store.collect(source, horizon, this.ledger.openSeqs());
		await this.#compare();
	}

	async #compare(): Promise<void> {
		for (const source of this.sources)
			for (const snapshot of this.#snapshots.slice(this.#horizon.get(source) ?? 0)) {
				const visible = this.#records.filter((record) => record.source === source && isVisible(snapshot, record));
				expect(await this.store.tally(snapshot, source)).toEqual(
					tallyOf(visible.map(({ record }) => this.driver.digest(record))),
				);
				for (const origin of ORIGINS) {
					const seen = await this.driver.records(this.store, snapshot, source, origin);
					const expected = visible.filter((record) => record.origin === origin);
					expect(seen.map(this.driver.digest).sort()).toEqual(
						expected.map(({ record }) => this.driver.digest(record)).sort(),
					);
				}
			}
	}

	#tally(of: (record: ModelRecord<R>) => boolean): Tally {
		return tallyOf(this.#records.filter(of).map(({ record }) => this.driver.digest(record)));
	}
}
