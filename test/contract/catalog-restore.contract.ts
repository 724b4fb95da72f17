import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ArchivedHistory, Catalog, OriginEntry } from "../../src/stores/catalog/catalog.port.js";
import type { EventStore, StoredEvent } from "../../src/stores/events/events.port.js";
import {
	addSource,
	fileEntry,
	ingest,
	newGroup,
	STATS,
	showing,
	shown,
	started,
	TestClock,
} from "../support/catalog-fixtures.js";
import { runCatalogModel } from "../support/catalog-model.js";
import type { CatalogUnderTest } from "./catalog.contract.js";

const coded = (code: string) => expect.objectContaining({ code });
const FAILURE = { code: "DISK_FULL", message: "the disk is full" };

/** What an archive would hold of this catalog now. */
async function archived(catalog: Catalog, events: EventStore): Promise<ArchivedHistory & { all: StoredEvent[] }> {
	const all = await events.readAll(0, 100_000);
	const changes = new Map<number, ({ entry: OriginEntry } | { retired: string })[]>();
	for (const { seq } of await catalog.ingestions({ status: ["published"], limit: 10_000 })) {
		const added = await catalog.changedEntries(seq, "added", undefined, 10_000);
		const retired = await catalog.changedEntries(seq, "retired", undefined, 10_000);
		changes.set(seq, [...retired.map(({ origin }) => ({ retired: origin })), ...added.map((entry) => ({ entry }))]);
	}
	return {
		all,
		async *events() {
			yield* all;
		},
		async *changes(_source, seq) {
			yield* changes.get(seq) ?? [];
		},
	};
}

/** Everything that readers can ask a catalog for. */
async function told(catalog: Catalog) {
	const sources = await catalog.sources();
	const ingestions = await catalog.ingestions({ limit: 10_000 });
	const shownAt = await Promise.all(
		sources.flatMap(({ id }) =>
			ingestions
				.filter(({ source, snapshot }) => source === id && snapshot !== undefined)
				.map(async ({ snapshot: number = 0 }) => {
					const snapshot = await catalog.snapshot({ by: "number", number }, [id]).catch(({ code }) => code as string);
					if (typeof snapshot === "string") return { number, expired: snapshot };
					return {
						snapshot,
						head: await catalog.head(snapshot, id),
						entries: await catalog.entries(snapshot, id, undefined, 10_000),
						tally: await catalog.tally(snapshot, id),
					};
				}),
		),
	);
	const groups = await Promise.all(sources.map(({ id }) => catalog.groups(id)));
	return { sources, groups, ingestions, shownAt, open: await catalog.openSeqs() };
}

/** A catalog that is lost and made again from what an archive has of it is the same catalog. */
export function catalogRestoreContract(
	name: string,
	create: (now: () => string) => Promise<CatalogUnderTest>,
	modelRuns = 15,
): void {
	describe(`${name}: a restored catalog`, () => {
		let under: CatalogUnderTest;
		let other: CatalogUnderTest;
		let clock: TestClock;
		beforeEach(async () => {
			clock = new TestClock();
			under = await create(clock.now);
			other = await create(clock.now);
		});
		afterEach(async () => {
			await under.destroy();
			await other.destroy();
		});

		it("tells all that the first one told, and goes on", async () => {
			const { catalog, events } = under;
			await addSource(catalog, "a", { maxVersions: 2 });
			await addSource(catalog, "b");
			await catalog.putGroup(newGroup("a", "docs", { maxVersions: 1 }));
			await catalog.putGroup(newGroup("a", "gone"));
			await catalog.removeGroup("a", "gone");
			await ingest(catalog, "a", "a1", { x: 1, y: 1 });
			await ingest(catalog, "b", "b1", { x: 5 });
			await ingest(catalog, "a", "a2", { x: 2, z: 1 });
			const failed = await started(catalog, "b", "b2");
			await catalog.abort(failed.seq, FAILURE);
			await catalog.release(failed.seq, "parked");
			clock.advance(60);
			await ingest(catalog, "a", "a3", { y: 0 });
			const horizon = await catalog.moveHorizon("a", clock.advance(60));
			expect(horizon).toBeDefined();
			const history = await archived(catalog, events);
			const before = await told(catalog);

			const report = await other.catalog.restore(history, { highestSeq: 0, replace: false });
			expect(report).toEqual({ events: history.all.length, entries: 4, knownSeq: 5, nextSeq: 6 });
			expect(await told(other.catalog)).toEqual(before);
			expect((await other.events.readAll(0, 1_000)).slice(0, -1)).toEqual(history.all);
			expect((await other.events.readAll(0, 1_000)).at(-1)).toMatchObject({ type: "CatalogRebuilt", version: 1 });
			expect(await other.catalog.check()).toEqual([]);
			expect(await other.events.checkpoint("rebuild")).toBe(history.all.length);

			const next = await ingest(other.catalog, "a", "a4", { x: 4 });
			expect(next).toMatchObject({ ingestion: { seq: 6 }, snapshot: { number: 5, seq: 6, excluding: [] } });
			expect(await shown(other.catalog, next.snapshot, "a")).toEqual(showing({ x: 4, z: 1 }));
			expect(await other.catalog.check()).toEqual([]);
		});

		it("passes over numbers that ingestions may have had which are not archived", async () => {
			const { catalog, events } = under;
			await addSource(catalog, "a");
			await ingest(catalog, "a", "a1", { x: 1 });
			const history = await archived(catalog, events);
			const report = await other.catalog.restore(history, { highestSeq: 9, replace: false });
			expect(report).toMatchObject({ knownSeq: 1, nextSeq: 10 });
			const next = await ingest(other.catalog, "a", "a2", { x: 2 });
			expect(next).toMatchObject({ ingestion: { seq: 10 }, snapshot: { number: 10, seq: 10 } });
			expect(await other.catalog.check()).toEqual([]);

			// And once more, from what is archived of that one.
			const later = await archived(other.catalog, other.events);
			await catalog.restore(later, { highestSeq: 3, replace: true });
			expect(await catalog.check()).toEqual([]);
			expect((await ingest(catalog, "a", "a3", { x: 3 })).ingestion.seq).toBe(11);
		});

		it("leaves open what was open, and sources that were going without their entries", async () => {
			const { catalog, events } = under;
			await addSource(catalog, "a");
			await addSource(catalog, "gone");
			await ingest(catalog, "gone", "g1", { x: 1 });
			await ingest(catalog, "a", "a1", { x: 1 });
			const open = await started(catalog, "a", "a2");
			await catalog.recordBatch(open.seq, { batch: "0", retired: [], entries: [fileEntry("w")] });
			await catalog.markRemoved("gone");
			const history = await archived(catalog, events);

			await other.catalog.restore(history, { highestSeq: 0, replace: false });
			expect(await other.catalog.openSeqs()).toEqual([open.seq]);
			await other.catalog.abort(open.seq, FAILURE);
			await other.catalog.release(open.seq, "abandoned");
			expect(await other.catalog.source("gone")).toMatchObject({ removing: true });
			await other.catalog.dropSource("gone");
			expect(await other.catalog.check()).toEqual([]);
		});

		it("is refused where something is there, unless that may go", async () => {
			await addSource(under.catalog, "a");
			await ingest(under.catalog, "a", "a1", { x: 1 });
			const history = await archived(under.catalog, under.events);
			await addSource(other.catalog, "b");
			const open = await started(other.catalog, "b", "b1");
			await other.catalog.recordBatch(open.seq, { batch: "0", retired: [], entries: [fileEntry("w")] });
			const options = { highestSeq: 0, replace: false };
			await expect(other.catalog.restore(history, options)).rejects.toEqual(coded("USAGE"));
			expect(await other.catalog.openSeqs()).toEqual([open.seq]);
			await other.catalog.restore(history, { ...options, replace: true });
			expect(await told(other.catalog)).toEqual(await told(under.catalog));
			expect(await other.catalog.check()).toEqual([]);
		});

		it("is all or nothing", async () => {
			const { catalog, events } = under;
			await addSource(catalog, "a");
			await ingest(catalog, "a", "a1", { x: 1 });
			const history = await archived(catalog, events);
			const options = { highestSeq: 0, replace: true };
			const lacking = (without: number): ArchivedHistory => ({
				...history,
				async *events() {
					yield* history.all.filter(({ position }) => position !== without);
				},
			});
			const before = await told(catalog);
			await expect(catalog.restore(lacking(2), options)).rejects.toEqual(coded("STORE_CORRUPT"));
			await expect(catalog.restore({ ...history, async *events() {} }, options)).rejects.toEqual(
				coded("NOTHING_ARCHIVED"),
			);
			const broken = {
				...history,
				// biome-ignore lint/correctness/useYield: it fails before its first value.
				async *changes(): AsyncGenerator<never> {
					throw new Error("the archive is away");
				},
			};
			await expect(catalog.restore(broken, options)).rejects.toThrow("the archive is away");
			expect(await told(catalog)).toEqual(before);
			expect(await catalog.check()).toEqual([]);
		});

		it("is the same whatever happened to the first one", async () => {
			await fc.assert(
				fc.asyncProperty(fc.array(fc.nat(4_095), { minLength: 20, maxLength: 60 }), async (dice) => {
					const [first, second] = [await create(clock.now), await create(clock.now)];
					try {
						await runCatalogModel(first.catalog, dice);
						await second.catalog.restore(await archived(first.catalog, first.events), {
							highestSeq: 0,
							replace: false,
						});
						const [before, after] = [await told(first.catalog), await told(second.catalog)];
						expect(after).toEqual(before);
						for (const seq of after.open) {
							await second.catalog.abort(seq, FAILURE);
							await second.catalog.release(seq, "abandoned");
						}
						expect(await second.catalog.check()).toEqual([]);
						const { id } = after.sources[0] ?? { id: "" };
						expect((await ingest(second.catalog, id, "next", { new: 1 })).ingestion.stats).toEqual(STATS);
						expect(await second.catalog.check()).toEqual([]);
					} finally {
						await first.destroy();
						await second.destroy();
					}
				}),
				{ numRuns: modelRuns },
			);
		});
	});
}
