import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { compareBytes } from "../../src/domain/byte-order.js";
import { EMPTY_TALLY, tallyOf } from "../../src/domain/digest.js";
import { fileOrigin } from "../../src/domain/keys.js";
import { artifactReferenceDigest, type OriginEntry, originEntryDigest } from "../../src/domain/origin-entry.js";
import { EMPTY_SNAPSHOT, type Snapshot } from "../../src/domain/snapshot.js";
import type { Catalog, Reference } from "../../src/stores/catalog/catalog.port.js";
import type { EventStore } from "../../src/stores/events/events.port.js";
import {
	addSource,
	beginning,
	fileEntry,
	folderEntry,
	ingest,
	newGroup,
	newSource,
	STATS,
	showing,
	shown,
	started,
	TestClock,
} from "../support/catalog-fixtures.js";
import { runCatalogModel } from "../support/catalog-model.js";

/** A catalog and the event store beside it, fresh and empty. */
export interface CatalogUnderTest {
	readonly catalog: Catalog;
	readonly events: EventStore;
	/** Opens the same data once more, as another process would. `destroy` closes it. */
	reopen(): Promise<{ catalog: Catalog; events: EventStore }>;
	/** Closes everything and deletes the data. */
	destroy(): Promise<void>;
}

const coded = (code: string) => expect.objectContaining({ code });
const FAILURE = { code: "DISK_FULL", message: "the disk is full" };
const tick = () => new Promise(setImmediate);

/** `modelRuns`: random histories; fewer where each needs a schema of its own on a server. */
export function catalogContract(
	name: string,
	create: (now: () => string) => Promise<CatalogUnderTest>,
	modelRuns = 40,
): void {
	describe(`${name}: catalog`, () => {
		let under: CatalogUnderTest;
		let catalog: Catalog;
		let clock: TestClock;
		beforeEach(async () => {
			clock = new TestClock();
			under = await create(clock.now);
			catalog = under.catalog;
		});
		afterEach(async () => {
			try {
				expect(await catalog.check()).toEqual([]);
			} finally {
				await under.destroy();
			}
		});
		const latest = () => catalog.snapshot({ by: "latest" });

		describe("sources and groups", () => {
			it("creates a source with its default group once", async () => {
				const first = await catalog.putSource(newSource("a"), newGroup("a"));
				clock.advance(1);
				const again = await catalog.putSource({ ...newSource("a"), policy: "head" }, newGroup("a"));
				expect(again).toEqual(first);
				expect(first).toEqual({ ...newSource("a"), createdAt: "2026-01-01T00:00:00.000Z" });
				expect(await catalog.source("a")).toEqual(first);
				expect(await catalog.source("b")).toBeUndefined();
				await addSource(catalog, "B");
				expect((await catalog.sources()).map(({ id }) => id)).toEqual(["B", "a"]);
				expect(await catalog.groups("a")).toEqual([newGroup("a")]);
			});

			it("replaces a group and orders groups by name", async () => {
				await addSource(catalog, "a");
				await catalog.putGroup(newGroup("a", "b"));
				await catalog.putGroup({ ...newGroup("a", "b"), include: ["docs/**"] });
				await catalog.putGroup(newGroup("a", "a"));
				expect((await catalog.groups("a")).map((group) => [group.name, group.include[0]])).toEqual([
					["a", "**"],
					["b", "docs/**"],
					["default", "**"],
				]);
				await expect(catalog.putGroup(newGroup("nobody"))).rejects.toEqual(coded("SOURCE_NOT_FOUND"));
			});

			it("removes a group, once, and tells of it; never default", async () => {
				await addSource(catalog, "a");
				await catalog.putGroup(newGroup("a", "b"));
				await catalog.removeGroup("a", "b");
				await catalog.removeGroup("a", "b");
				await catalog.removeGroup("nobody", "b");
				await expect(catalog.removeGroup("a", "default")).rejects.toEqual(coded("INTERNAL"));
				expect((await catalog.groups("a")).map(({ name }) => name)).toEqual(["default"]);
				const events = await under.events.read("source-a");
				expect(events.slice(3).map(({ type, data }) => ({ type, data }))).toEqual([
					{ type: "GroupRemoved", data: { source: "a", name: "b" } },
				]);
				expect(await catalog.check()).toEqual([]);
			});

			it("changes groups from what there is, all or none", async () => {
				await addSource(catalog, "a");
				await catalog.putGroup(newGroup("a", "b"));
				const seen: unknown[] = [];
				const changed = await catalog.changeGroups("a", (groups, open) => {
					seen.push(
						groups.map(({ name }) => name),
						open,
					);
					return { save: [newGroup("a", "c")], remove: ["b"] };
				});
				expect(seen).toEqual([["b", "default"], false]);
				expect(changed).toEqual([newGroup("a", "c"), newGroup("a")]);
				expect(await catalog.groups("a")).toEqual(changed);
				await started(catalog, "a", "c1");
				const refused = catalog.changeGroups("a", (_, open) => ({
					save: [newGroup("a", `open-${open}`)],
					remove: ["c", "default"],
				}));
				await expect(refused).rejects.toEqual(coded("INTERNAL"));
				expect(await catalog.groups("a")).toEqual(changed);
				const nothing = () => ({ save: [], remove: [] });
				await expect(catalog.changeGroups("nobody", nothing)).rejects.toEqual(coded("SOURCE_NOT_FOUND"));
				await catalog.changeGroups("a", (_, open) => ({ save: [newGroup("a", `open-${open}`)], remove: [] }));
				expect((await catalog.groups("a")).map(({ name }) => name)).toEqual(["c", "default", "open-true"]);
				expect(await catalog.check()).toEqual([]);
			});

			it("begins nothing of a source that is unknown or being removed", async () => {
				await expect(beginning(catalog, "a", "c1")).rejects.toEqual(coded("SOURCE_NOT_FOUND"));
				await addSource(catalog, "a");
				await catalog.markRemoved("a");
				await catalog.markRemoved("a");
				await expect(beginning(catalog, "a", "c1")).rejects.toEqual(coded("SOURCE_NOT_FOUND"));
			});

			it("drops all of a source but its events, and leaves the others' snapshots as they were", async () => {
				await addSource(catalog, "a");
				await addSource(catalog, "b");
				await ingest(catalog, "a", "c1", { x: 1 });
				const { snapshot } = await ingest(catalog, "b", "d1", { y: 1 });
				await ingest(catalog, "a", "c2", { x: 2 });
				const open = await started(catalog, "a", "c3");
				await expect(catalog.dropSource("a")).rejects.toEqual(coded("SOURCE_BUSY"));
				await catalog.abort(open.seq, FAILURE);
				await catalog.release(open.seq, "cancelled");
				await catalog.dropSource("a");
				await catalog.dropSource("a");
				expect(await catalog.source("a")).toBeUndefined();
				expect(await catalog.groups("a")).toEqual([]);
				expect(await catalog.ingestions({ source: "a", limit: 10 })).toEqual([]);
				expect(await shown(catalog, await latest(), "a")).toEqual({});
				expect(await shown(catalog, await latest(), "b")).toEqual(showing({ y: 1 }));
				expect(await catalog.snapshot({ by: "number", number: 2 })).toEqual(snapshot);
				const types = (await under.events.read("source-a")).map(({ type }) => type);
				expect(types.at(-1)).toBe("SourceRemoved");
				// It may come back, with new numbers.
				await addSource(catalog, "a");
				const again = await started(catalog, "a", "c1");
				expect(again).toMatchObject({ seq: open.seq + 1, baseSeq: undefined });
			});
		});

		describe("begin", () => {
			it("starts from nothing, and again gives the same", async () => {
				await addSource(catalog, "a");
				const request = { source: "a", commit: "c1", recipe: "r", workflowId: "ingest/a/c1", runId: "run" };
				const first = await catalog.begin(request);
				expect(first).toMatchObject({ outcome: "started", base: EMPTY_SNAPSHOT, rebuild: false });
				expect(first).toMatchObject({
					ingestion: { id: "ing-1", seq: 1, source: "a", commit: "c1", recipe: "r", status: "staging", runId: "run" },
				});
				expect(await catalog.begin(request)).toEqual(first);
				expect(await (await under.reopen()).catalog.begin(request)).toEqual(first);
				await expect(catalog.begin({ ...request, commit: "c2" })).rejects.toEqual(coded("INTERNAL"));
				expect(await catalog.openSeqs()).toEqual([1]);
			});

			it("repeats with the base that it had, whatever was published since", async () => {
				await addSource(catalog, "a");
				await addSource(catalog, "b");
				const { snapshot } = await ingest(catalog, "a", "c1", { x: 1 });
				const request = { source: "a", commit: "c2", recipe: "other", workflowId: "w", runId: "run" };
				const first = await catalog.begin(request);
				expect(first).toMatchObject({ outcome: "started", base: snapshot, rebuild: true });
				expect(first).toMatchObject({ ingestion: { baseCommit: "c1", baseSeq: 1 } });
				await ingest(catalog, "b", "d1", { y: 1 });
				expect(await catalog.begin(request)).toEqual(first);
			});

			it("waits for the ingestion before: staging or aborted, until it is released", async () => {
				await addSource(catalog, "a");
				await addSource(catalog, "b");
				const { seq, id } = await started(catalog, "a", "c1");
				expect(await beginning(catalog, "a", "c2")).toMatchObject({ outcome: "busy", by: { id, status: "staging" } });
				expect(await beginning(catalog, "b", "c2")).toMatchObject({ outcome: "started" });
				await catalog.abort(seq, FAILURE);
				expect(await beginning(catalog, "a", "c2")).toMatchObject({ outcome: "busy", by: { id, status: "aborted" } });
				await catalog.release(seq, "parked");
				expect(await beginning(catalog, "a", "c2")).toMatchObject({ outcome: "started", rebuild: false });
			});

			it("finds the head unchanged, and rebuilds where the recipe changed", async () => {
				await addSource(catalog, "a");
				const { ingestion, snapshot } = await ingest(catalog, "a", "c1", { x: 1 });
				expect(await beginning(catalog, "a", "c1")).toEqual({ outcome: "unchanged", ingestion, snapshot });
				expect(await catalog.openSeqs()).toEqual([]);
				expect(await beginning(catalog, "a", "c1", "recipe-2")).toMatchObject({ outcome: "started", rebuild: true });
			});

			it("lets exactly one of several processes begin", async () => {
				await addSource(catalog, "a");
				const others = [await under.reopen(), await under.reopen()];
				const results = await Promise.all(
					[under, ...others, under].map((one, index) => beginning(one.catalog, "a", `c${index}`)),
				);
				expect(results.map(({ outcome }) => outcome).sort()).toEqual(["busy", "busy", "busy", "started"]);
			});
		});

		describe("recording", () => {
			it("takes back what batches of a name recorded, and nothing of others", async () => {
				await addSource(catalog, "a");
				await ingest(catalog, "a", "c1", { x: 1, y: 1, z: 1 });
				const { seq } = await started(catalog, "a", "c2");
				await catalog.undoBatches(seq, "link-");
				const kept = { batch: "batch-0", retired: [fileOrigin("z")], entries: [fileEntry("z", 2)] };
				await catalog.recordBatch(seq, kept);
				const expected = await catalog.expected(seq);
				await catalog.recordBatch(seq, { batch: "link-0", retired: [fileOrigin("x")], entries: [fileEntry("x", 2)] });
				await catalog.recordBatch(seq, { batch: "link-4", retired: [fileOrigin("y")], entries: [fileEntry("w")] });
				await catalog.undoBatches(seq, "link-");
				expect(await catalog.expected(seq)).toEqual(expected);
				const { snapshot } = await catalog.publish(seq, STATS);
				expect(await shown(catalog, snapshot, "a")).toEqual(showing({ x: 1, y: 1, z: 2 }));
			});

			it("replaces a batch that is recorded again, also with other origins", async () => {
				await addSource(catalog, "a");
				await ingest(catalog, "a", "c1", { x: 1, y: 1, z: 1 });
				const { seq } = await started(catalog, "a", "c2");
				const record = { batch: "0", retired: [fileOrigin("x"), fileOrigin("y")], entries: [fileEntry("x", 2)] };
				await catalog.recordBatch(seq, record);
				const once = await catalog.expected(seq);
				await catalog.recordBatch(seq, record);
				expect(await catalog.expected(seq)).toEqual(once);
				expect(once).toEqual({
					origins: 2,
					graph: {
						added: fileEntry("x", 2).graph,
						retired: (await totalsOf([fileEntry("x"), fileEntry("y")])).graph,
					},
					vectors: {
						added: fileEntry("x", 2).vectors,
						retired: (await totalsOf([fileEntry("x"), fileEntry("y")])).vectors,
					},
				});
				await catalog.recordBatch(seq, { batch: "0", retired: [fileOrigin("z")], entries: [fileEntry("w", 2)] });
				const { snapshot } = await catalog.publish(seq, STATS);
				expect(await shown(catalog, snapshot, "a")).toEqual(showing({ w: 2, x: 1, y: 1 }));
			});

			it("refuses an origin that another batch holds, and keeps nothing of that batch", async () => {
				await addSource(catalog, "a");
				await ingest(catalog, "a", "c1", { x: 1, y: 1 });
				const { seq } = await started(catalog, "a", "c2");
				await catalog.recordBatch(seq, { batch: "0", retired: [fileOrigin("x")], entries: [fileEntry("x", 2)] });
				const adding = { batch: "1", retired: [fileOrigin("y")], entries: [fileEntry("v"), fileEntry("x", 3)] };
				await expect(catalog.recordBatch(seq, adding)).rejects.toEqual(coded("INTERNAL"));
				const retiring = { batch: "1", retired: [fileOrigin("x")], entries: [fileEntry("v")] };
				await expect(catalog.recordBatch(seq, retiring)).rejects.toEqual(coded("INTERNAL"));
				const twice = { batch: "1", retired: [], entries: [fileEntry("v"), fileEntry("v", 2)] };
				await expect(catalog.recordBatch(seq, twice)).rejects.toEqual(coded("INTERNAL"));
				const { snapshot } = await catalog.publish(seq, STATS);
				expect(await shown(catalog, snapshot, "a")).toEqual(showing({ x: 2, y: 1 }));
			});

			it("retires once however often an origin is named, and ignores what the base does not have", async () => {
				await addSource(catalog, "a");
				await ingest(catalog, "a", "c1", { x: 1 });
				const { seq } = await started(catalog, "a", "c2");
				const retired = [fileOrigin("x"), fileOrigin("x"), fileOrigin("nothing")];
				await catalog.recordBatch(seq, { batch: "0", retired, entries: [] });
				expect(await catalog.expected(seq)).toMatchObject({ origins: 1, graph: { added: EMPTY_TALLY } });
				const { snapshot, ingestion } = await catalog.publish(seq, STATS);
				expect(await shown(catalog, snapshot, "a")).toEqual({});
				expect(ingestion.totals).toEqual({
					catalog: EMPTY_TALLY,
					graph: EMPTY_TALLY,
					vectors: EMPTY_TALLY,
					artifacts: EMPTY_TALLY,
				});
			});

			it("pages through what a seq added and retired, in byte order", async () => {
				await addSource(catalog, "a");
				await addSource(catalog, "b");
				// UTF-16 order would put the emoji before the private-use letter.
				const paths = ["b", "a", "\u{e000}", "\u{1f600}", "a/b", "a-b"];
				const origins = paths.map(fileOrigin).sort(compareBytes);
				await ingest(catalog, "a", "c1", Object.fromEntries(paths.map((path) => [path, 1])));
				const { seq } = await started(catalog, "a", "c2");
				const other = await started(catalog, "b", "d1");
				await catalog.recordBatch(other.seq, { batch: "0", retired: [], entries: [fileEntry("b")] });
				await catalog.recordBatch(seq, {
					batch: "0",
					retired: origins,
					entries: paths.map((path) => fileEntry(path, 2)),
				});
				for (const which of ["added", "retired"] as const) {
					const found: OriginEntry[] = [];
					for (;;) {
						const page = await catalog.changedEntries(seq, which, found.at(-1)?.origin, 4);
						found.push(...page);
						if (page.length < 4) break;
					}
					expect(found.map(({ origin }) => origin)).toEqual(origins);
					expect(found).toContainEqual(fileEntry("a", which === "added" ? 2 : 1));
				}
				expect((await catalog.expected(seq)).origins).toBe(6);
				await catalog.publish(seq, STATS);
				expect((await catalog.expected(seq)).origins).toBe(6);
				await expect(catalog.expected(99)).rejects.toEqual(coded("INGESTION_NOT_FOUND"));
			});

			it("records many entries, and nothing once the seq is closed", async () => {
				await addSource(catalog, "a");
				const { seq } = await started(catalog, "a", "c1");
				const entries = Array.from({ length: 1_200 }, (_, index) => fileEntry(`f${index}`));
				await catalog.recordBatch(seq, { batch: "0", retired: entries.map(({ origin }) => origin), entries });
				const { ingestion } = await catalog.publish(seq, STATS);
				expect(ingestion.totals?.catalog.count).toBe(1_200);
				const late = { batch: "late", retired: [], entries: [fileEntry("late")] };
				await expect(catalog.recordBatch(seq, late)).rejects.toEqual(coded("SEQ_CLOSED"));
				const next = await started(catalog, "a", "c2");
				await catalog.recordBatch(next.seq, {
					batch: "0",
					retired: entries.map(({ origin }) => origin),
					entries: [],
				});
				await catalog.abort(next.seq, FAILURE);
				await expect(catalog.recordBatch(next.seq, late)).rejects.toEqual(coded("SEQ_CLOSED"));
				await catalog.release(next.seq, "parked");
				await expect(catalog.recordBatch(next.seq, late)).rejects.toEqual(coded("SEQ_CLOSED"));
				expect((await catalog.tally(await latest(), "a")).catalog).toEqual(ingestion.totals?.catalog);
			});
		});

		describe("publish", () => {
			it("shows nothing before and all of it afterwards, and keeps every earlier version", async () => {
				await addSource(catalog, "a");
				const one = await ingest(catalog, "a", "c1", { x: 1, y: 1 });
				const { seq } = await started(catalog, "a", "c2");
				await catalog.recordBatch(seq, {
					batch: "0",
					retired: [fileOrigin("x"), fileOrigin("y")],
					entries: [fileEntry("x", 2), fileEntry("z", 1)],
				});
				expect(await latest()).toEqual(one.snapshot);
				expect(await shown(catalog, await latest(), "a")).toEqual(showing({ x: 1, y: 1 }));
				clock.advance(60);
				const two = await catalog.publish(seq, STATS);
				expect(two.snapshot).toEqual({ number: 2, seq: 2, excluding: [], publishedAt: "2026-01-01T00:01:00.000Z" });
				expect(two.ingestion).toMatchObject({ status: "published", snapshot: 2, stats: STATS, baseSeq: 1 });
				expect(two.ingestion.endedAt).toBe(two.snapshot.publishedAt);
				expect(await catalog.publish(seq, { ...STATS, chunks: 99 })).toEqual(two);
				expect(await latest()).toEqual(two.snapshot);
				expect(await shown(catalog, two.snapshot, "a")).toEqual(showing({ x: 2, z: 1 }));
				expect(await shown(catalog, one.snapshot, "a")).toEqual(showing({ x: 1, y: 1 }));
				expect(await catalog.entriesOf(two.snapshot, "a", ["file:z", "file:x", "file:x", "file:y"])).toEqual([
					fileEntry("x", 2),
					fileEntry("z", 1),
				]);
				expect(await catalog.entries(two.snapshot, "a", "file:x", 10)).toEqual([fileEntry("z", 1)]);
			});

			it("sums up what is visible, whatever the way there", async () => {
				await addSource(catalog, "a");
				await addSource(catalog, "b");
				await ingest(catalog, "a", "c1", { x: 1, y: 1 });
				await ingest(catalog, "a", "c2", { x: 2, z: 1 });
				const last = await ingest(catalog, "a", "c3", { y: 0, x: 3 });
				const { seq } = await started(catalog, "b", "c3");
				await catalog.recordBatch(seq, { batch: "1", retired: [], entries: [fileEntry("z", 1)] });
				await catalog.recordBatch(seq, { batch: "0", retired: [], entries: [fileEntry("x", 3)] });
				const direct = await catalog.publish(seq, STATS);
				const expected = await totalsOf([fileEntry("x", 3), fileEntry("z", 1)]);
				expect(direct.ingestion.totals).toEqual(expected);
				expect(last.ingestion.totals).toEqual(expected);
				expect(await catalog.tally(direct.snapshot, "a")).toEqual(expected);
				expect(await catalog.tally(direct.snapshot, "b")).toEqual(expected);
				expect((await catalog.head(direct.snapshot, "a"))?.totals).toEqual(expected);
			});

			it("counts only files among the artifacts", async () => {
				await addSource(catalog, "a");
				const { seq } = await started(catalog, "a", "c1");
				await catalog.recordBatch(seq, { batch: "0", retired: [], entries: [fileEntry("src/x"), folderEntry("src")] });
				const { ingestion } = await catalog.publish(seq, STATS);
				expect(ingestion.totals).toEqual(await totalsOf([fileEntry("src/x"), folderEntry("src")]));
				expect(ingestion.totals).toMatchObject({ catalog: { count: 2 }, artifacts: { count: 1 } });
			});

			it("refuses a changed origin whose base was not retired", async () => {
				await addSource(catalog, "a");
				await ingest(catalog, "a", "c1", { x: 1 });
				const { seq } = await started(catalog, "a", "c2");
				await catalog.recordBatch(seq, { batch: "0", retired: [], entries: [fileEntry("x", 2)] });
				await expect(catalog.publish(seq, STATS)).rejects.toEqual(coded("INTERNAL"));
				expect(await catalog.ingestion("ing-2")).toMatchObject({ status: "staging" });
				await catalog.recordBatch(seq, { batch: "1", retired: [fileOrigin("x")], entries: [] });
				expect((await catalog.publish(seq, STATS)).snapshot.number).toBe(2);
			});

			it("publishes out of order: a late one appears without disturbing what came before", async () => {
				for (const source of ["a", "b", "c"]) await addSource(catalog, source);
				const a = await started(catalog, "a", "c1");
				const b = await started(catalog, "b", "d1");
				const c = await started(catalog, "c", "e1");
				await catalog.recordBatch(a.seq, { batch: "0", retired: [], entries: [fileEntry("x")] });
				await catalog.recordBatch(b.seq, { batch: "0", retired: [], entries: [fileEntry("y")] });
				await catalog.recordBatch(c.seq, { batch: "0", retired: [], entries: [fileEntry("z")] });
				const first = await catalog.publish(c.seq, STATS);
				expect(first.snapshot).toMatchObject({ number: 1, seq: 3, excluding: [1, 2] });
				await catalog.abort(b.seq, FAILURE);
				const second = await catalog.publish(a.seq, STATS);
				expect(second.snapshot).toMatchObject({ number: 2, seq: 3, excluding: [2] });
				await catalog.release(b.seq, "parked");
				const third = await ingest(catalog, "b", "d1", { y: 2 });
				expect(third.snapshot).toMatchObject({ number: 3, seq: 4, excluding: [] });
				expect(await shown(catalog, first.snapshot, "a")).toEqual({});
				expect(await shown(catalog, second.snapshot, "a")).toEqual(showing({ x: 1 }));
				expect(await shown(catalog, second.snapshot, "b")).toEqual({});
				expect(await shown(catalog, third.snapshot, "b")).toEqual(showing({ y: 2 }));
				expect(await catalog.head(first.snapshot, "a")).toBeUndefined();
				expect(await catalog.head(second.snapshot, "a")).toMatchObject({ commit: "c1", seq: 1, snapshot: 2 });
				const all = ["a", "b", "none"];
				expect([...(await catalog.heads(first.snapshot, all))]).toEqual([]);
				expect([...(await catalog.heads(second.snapshot, all)).keys()]).toEqual(["a"]);
				const heads = await catalog.heads(third.snapshot, all);
				for (const source of all) expect(heads.get(source)).toEqual(await catalog.head(third.snapshot, source));
				expect(heads.size).toBe(2);
			});

			it("still shows what an unpublished ingestion retires, to those who read past its seq", async () => {
				await addSource(catalog, "a");
				await addSource(catalog, "b");
				await ingest(catalog, "a", "c1", { x: 1, y: 1 });
				const { seq } = await started(catalog, "a", "c2");
				await catalog.recordBatch(seq, { batch: "0", retired: ["file:x"], entries: [fileEntry("x", 2)] });
				const { snapshot } = await ingest(catalog, "b", "d1", { z: 1 });
				expect(snapshot).toMatchObject({ seq: 3, excluding: [2] });
				const before = showing({ x: 1, y: 1 });
				expect(await shown(catalog, snapshot, "a")).toEqual(before);
				const after = await catalog.publish(seq, STATS);
				expect(await shown(catalog, snapshot, "a")).toEqual(before);
				expect(await shown(catalog, after.snapshot, "a")).toEqual(showing({ x: 2, y: 1 }));
				expect(await catalog.head(snapshot, "a")).toMatchObject({ commit: "c1" });
			});

			it("gives every publication a later time, though the clock stands still or goes back", async () => {
				await addSource(catalog, "a");
				clock.advance(60);
				const times: string[] = [];
				for (const commit of ["c1", "c2", "c3"]) {
					times.push((await ingest(catalog, "a", commit, { x: times.length + 1 })).snapshot.publishedAt);
					clock.advance(-10);
				}
				expect(times).toEqual([...new Set(times)].sort());
			});

			it("lets the first of publish and abort win, in any process", async () => {
				await addSource(catalog, "a");
				const other = (await under.reopen()).catalog;
				for (const [index, commit] of ["c1", "c2", "c3", "c4"].entries()) {
					const { seq } = await started(catalog, "a", commit);
					await catalog.recordBatch(seq, { batch: "0", retired: ["file:x"], entries: [fileEntry("x", index + 1)] });
					const [published, aborted] = await Promise.allSettled(
						index % 2 === 0
							? [catalog.publish(seq, STATS), other.abort(seq, FAILURE)]
							: [other.publish(seq, STATS), catalog.abort(seq, FAILURE)],
					);
					expect([published?.status, aborted?.status].sort()).toEqual(["fulfilled", "rejected"]);
					const lost = published?.status === "rejected" ? published : (aborted as PromiseRejectedResult);
					expect(lost.reason).toEqual(coded("SEQ_CLOSED"));
					if (aborted?.status === "fulfilled") await catalog.release(seq, "parked");
				}
			});

			it("numbers publications of several processes without a gap", async () => {
				const processes = [under, await under.reopen(), await under.reopen()];
				const sources = await Promise.all(
					Array.from({ length: 6 }, (_, index) => addSource(catalog, `source-${index}`)),
				);
				const published = await Promise.all(
					sources.map(async (source, index) => {
						const own = processes[index % processes.length]?.catalog ?? catalog;
						const found: number[] = [];
						for (const commit of ["c1", "c2", "c3"]) {
							found.push((await ingest(own, source, commit, { [`f-${commit}`]: 1 })).snapshot.number);
							await tick();
						}
						return found;
					}),
				);
				expect(published.flat().sort((x, y) => x - y)).toEqual(Array.from({ length: 18 }, (_, index) => index + 1));
				for (const source of sources) {
					expect(await shown(catalog, await latest(), source)).toEqual(showing({ "f-c1": 1, "f-c2": 1, "f-c3": 1 }));
				}
			});
		});

		describe("abort and release", () => {
			it("leaves nothing of a released ingestion, and its base as it was", async () => {
				await addSource(catalog, "a");
				const { snapshot, ingestion } = await ingest(catalog, "a", "c1", { x: 1, y: 1 });
				const { seq } = await started(catalog, "a", "c2");
				await catalog.recordBatch(seq, { batch: "0", retired: ["file:x", "file:y"], entries: [fileEntry("x", 2)] });
				await expect(catalog.release(seq, "parked")).rejects.toEqual(coded("SEQ_CLOSED"));
				clock.advance(5);
				const aborted = await catalog.abort(seq, FAILURE);
				expect(aborted).toMatchObject({ status: "aborted", failure: FAILURE, endedAt: "2026-01-01T00:00:05.000Z" });
				expect(await catalog.abort(seq, { code: "INTERNAL", message: "another" })).toEqual(aborted);
				await expect(catalog.publish(seq, STATS)).rejects.toEqual(coded("SEQ_CLOSED"));
				expect(await catalog.openSeqs()).toEqual([2]);
				const released = await catalog.release(seq, "parked");
				expect(released).toEqual({ ...aborted, status: "parked" });
				expect(await catalog.release(seq, "cancelled")).toEqual(released);
				expect(await catalog.abort(seq, FAILURE)).toEqual(released);
				expect(await catalog.openSeqs()).toEqual([]);
				for (const which of ["added", "retired"] as const) {
					expect(await catalog.changedEntries(seq, which, undefined, 10)).toEqual([]);
				}
				expect(await catalog.tally(snapshot, "a")).toEqual(ingestion.totals);
				const again = await ingest(catalog, "a", "c2", { x: 2, y: 0 });
				expect(await shown(catalog, again.snapshot, "a")).toEqual(showing({ x: 2 }));
				await expect(catalog.release(again.ingestion.seq, "parked")).rejects.toEqual(coded("SEQ_CLOSED"));
			});

			it("lists ingestions, newest first, by source, status and commit", async () => {
				await addSource(catalog, "a");
				await addSource(catalog, "b");
				await ingest(catalog, "a", "c1", { x: 1 });
				const parked = await started(catalog, "a", "c2");
				await catalog.abort(parked.seq, FAILURE);
				await catalog.release(parked.seq, "parked");
				await ingest(catalog, "b", "c1", { x: 1 });
				const ids = async (filter: Parameters<Catalog["ingestions"]>[0]) =>
					(await catalog.ingestions(filter)).map(({ seq }) => seq);
				expect(await ids({ limit: 2 })).toEqual([3, 2]);
				expect(await ids({ source: "a", limit: 9 })).toEqual([2, 1]);
				expect(await ids({ status: ["parked", "aborted"], limit: 9 })).toEqual([2]);
				expect(await ids({ status: [], limit: 9 })).toEqual([]);
				expect(await ids({ commit: "c1", limit: 9 })).toEqual([3, 1]);
				expect(await catalog.ingestion("ing-9")).toBeUndefined();
			});
		});

		describe("snapshots", () => {
			it("are found by number, time and commit", async () => {
				await expect(latest()).rejects.toEqual(coded("NOTHING_PUBLISHED"));
				await expect(catalog.snapshot({ by: "number", number: 1 })).rejects.toEqual(coded("NOTHING_PUBLISHED"));
				await addSource(catalog, "a");
				await addSource(catalog, "b");
				const shas = ["abcdef0111", "abcdef0222", "abcdef0222", "9999999999"] as const;
				const one = (await ingest(catalog, "a", shas[0], { x: 1 })).snapshot;
				clock.advance(60);
				const two = (await ingest(catalog, "a", shas[1], { x: 2 })).snapshot;
				clock.advance(60);
				const three = (await ingest(catalog, "b", shas[2], { x: 2 })).snapshot;
				clock.advance(60);
				const four = (await ingest(catalog, "a", shas[3], { x: 4 })).snapshot;

				expect(await catalog.snapshot({ by: "number", number: 2 })).toEqual(two);
				await expect(catalog.snapshot({ by: "number", number: 5 })).rejects.toEqual(coded("SNAPSHOT_NOT_FOUND"));
				expect(await catalog.snapshot({ by: "time", time: two.publishedAt })).toEqual(two);
				// One minute after the first, as people two hours to the east write it.
				expect(await catalog.snapshot({ by: "time", time: "2026-01-01T02:00:59.999+02:00" })).toEqual(one);
				expect(await catalog.snapshot({ by: "time", time: "2030-01-01" })).toEqual(four);
				await expect(catalog.snapshot({ by: "time", time: "2020-01-01" })).rejects.toEqual(coded("SNAPSHOT_NOT_FOUND"));
				await expect(catalog.snapshot({ by: "time", time: "soon" })).rejects.toEqual(coded("USAGE"));
				const at = (commit: string, source?: string) => catalog.snapshot({ by: "commit", commit, source });
				expect(await at(shas[1])).toEqual(three);
				expect(await at(shas[1], "a")).toEqual(two);
				expect(await at("abcdef01")).toEqual(one);
				expect(await at("abcdef02", "a")).toEqual(two);
				expect(await at("9999999")).toEqual(four);
				await expect(at("abcdef0")).rejects.toEqual(coded("SNAPSHOT_NOT_FOUND"));
				await expect(at("999999")).rejects.toEqual(coded("SNAPSHOT_NOT_FOUND"));
				await expect(at("9999999", "b")).rejects.toEqual(coded("SNAPSHOT_NOT_FOUND"));
				expect((await catalog.snapshots("a", 2)).map(({ snapshot }) => snapshot)).toEqual([four, two]);
				expect((await catalog.snapshots("a", 9)).map(({ ingestion }) => ingestion.commit)).toEqual([
					shas[3],
					shas[1],
					shas[0],
				]);
				expect(await catalog.head(three, "a")).toMatchObject({ commit: shas[1], ingestion: "ing-2", snapshot: 2 });
			});

			it("show the same for ever, whatever begins, fails and ends around them", async () => {
				await fc.assert(
					fc.asyncProperty(fc.array(fc.noBias(fc.nat(0xffff_ffff)), { minLength: 20, maxLength: 60 }), async (dice) => {
						const fresh = await create(clock.now);
						try {
							await runCatalogModel(fresh.catalog, dice);
							expect(await fresh.catalog.check()).toEqual([]);
						} finally {
							await fresh.destroy();
						}
					}),
					{ numRuns: modelRuns },
				);
			});
		});

		describe("files", () => {
			it("tells whether a folder still has any", async () => {
				await addSource(catalog, "a");
				const { snapshot } = await ingest(catalog, "a", "c1", { "src/a": 1, "src/deep/b": 1, "src-x/c": 1, src0: 1 });
				const under = (folder: string, without: string[]) => catalog.hasFilesUnder(snapshot, "a", folder, without);
				expect(await under("src", [])).toBe(true);
				expect(await under("src", ["src/a"])).toBe(true);
				expect(await under("src", ["src/a", "src/deep/b", "src/none"])).toBe(false);
				expect(await under("src/deep", ["src/a"])).toBe(true);
				expect(await under("sr", [])).toBe(false);
				expect(await under("", ["src/a", "src/deep/b", "src-x/c"])).toBe(true);
				expect(await under("", ["src/a", "src/deep/b", "src-x/c", "src0"])).toBe(false);
				expect(await catalog.hasFilesUnder(EMPTY_SNAPSHOT, "a", "src", [])).toBe(false);
			});

			it("lists every reference to bytes of every version and of what is being staged", async () => {
				await addSource(catalog, "a");
				await addSource(catalog, "b");
				await ingest(catalog, "a", "c1", { x: 1, y: 1 });
				await ingest(catalog, "a", "c2", { x: 2 });
				const { seq } = await started(catalog, "b", "d1");
				await catalog.recordBatch(seq, { batch: "0", retired: [], entries: [fileEntry("x", 3), folderEntry("")] });
				const found: Reference[] = [];
				for (;;) {
					const page = await catalog.references(found.at(-1)?.cursor, 2);
					found.push(...page);
					if (page.length < 2) break;
				}
				const expected = [fileEntry("x", 1), fileEntry("x", 2), fileEntry("y", 1), fileEntry("x", 3)];
				expect(found.map(({ artifact, mined }) => [artifact, mined])).toEqual(
					expected.map(({ file }) => [file?.artifact, file?.mined]),
				);
				expect(found.some((one) => "further" in one)).toBe(false);
			});

			it("lists what was mined of a file for other groups", async () => {
				await addSource(catalog, "a");
				const { seq } = await started(catalog, "a", "c1");
				const plain = fileEntry("x") as Required<OriginEntry>;
				const entry = { ...plain, file: { ...plain.file, minedBy: { b: "mined/2", c: "mined/2", d: "mined/3" } } };
				await catalog.recordBatch(seq, { batch: "0", retired: [], entries: [entry] });
				await catalog.publish(seq, STATS);
				expect((await catalog.references(undefined, 5))[0]?.further).toEqual(["mined/2", "mined/3"]);
				expect(await catalog.entriesOf(await latest(), "a", ["file:x"])).toEqual([entry]);
				expect(await catalog.check()).toEqual([]);
			});
		});

		describe("retention", () => {
			const NEVER = "1970-01-01T00:00:00.000Z";
			/** Five versions, a minute apart, the last one now; another source publishes before each. */
			const fiveVersions = async (retention: { maxVersions?: number; ttl?: number }): Promise<Snapshot[]> => {
				await addSource(catalog, "a", retention);
				await addSource(catalog, "b");
				const snapshots: Snapshot[] = [];
				for (let version = 1; version <= 5; version++) {
					clock.advance(60);
					await ingest(catalog, "b", `d${version}`, { y: version });
					snapshots.push((await ingest(catalog, "a", `c${version}`, { x: version })).snapshot);
				}
				return snapshots;
			};

			it("keeps everything unless told otherwise", async () => {
				await fiveVersions({});
				expect(await catalog.moveHorizon("a", clock.now())).toBeUndefined();
				expect(await catalog.snapshot({ by: "number", number: 1 })).toMatchObject({ number: 1 });
			});

			it("keeps the last versions, and expires what is older for readers of the source", async () => {
				const [, , , four, five] = await fiveVersions({ maxVersions: 2 });
				const horizon = await catalog.moveHorizon("a", clock.now());
				expect(horizon).toEqual(four);
				const older = { by: "number", number: (four?.number ?? 0) - 1 } as const;
				await expect(catalog.snapshot(older)).rejects.toEqual(coded("SNAPSHOT_EXPIRED"));
				await expect(catalog.snapshot(older, ["b", "a"])).rejects.toEqual(coded("SNAPSHOT_EXPIRED"));
				expect(await catalog.snapshot(older, ["b"])).toMatchObject({ number: older.number });
				expect(await catalog.snapshot(older, [])).toMatchObject({ number: older.number });
				await expect(catalog.snapshot({ by: "commit", commit: "c3" })).rejects.toEqual(coded("SNAPSHOT_EXPIRED"));
				expect(await catalog.snapshot({ by: "latest" })).toEqual(five);
				expect(await catalog.check()).toEqual([]);
				expect(await catalog.collect("a", horizon as Snapshot)).toBe(3);
				expect(await catalog.collect("a", horizon as Snapshot)).toBe(0);
				expect(await shown(catalog, four as Snapshot, "a")).toEqual(showing({ x: 4 }));
				expect(await shown(catalog, five as Snapshot, "a")).toEqual(showing({ x: 5 }));
				await expect(catalog.collect("a", five as Snapshot)).rejects.toEqual(coded("INTERNAL"));
			});

			it("keeps what was superseded within the time to live", async () => {
				// Version 3 was superseded when version 4 came, 60 s ago; version 2 120 s ago.
				const [, , three] = await fiveVersions({ ttl: 90 });
				expect(await catalog.moveHorizon("a", clock.now())).toEqual(three);
			});

			it("lets go only what both bounds let go", async () => {
				const [, two, three] = await fiveVersions({ maxVersions: 4, ttl: 90 });
				expect(await catalog.moveHorizon("a", clock.now())).toEqual(two);
				await catalog.putGroup(newGroup("a", "default", { maxVersions: 1, ttl: 90 }));
				expect(await catalog.moveHorizon("a", clock.now())).toEqual(three);
			});

			it("follows the longest group, spares running readers, and never goes back", async () => {
				const [, two, , four, five] = await fiveVersions({ maxVersions: 1 });
				await catalog.putGroup(newGroup("a", "longer", { maxVersions: 4 }));
				expect(await catalog.moveHorizon("a", NEVER)).toBeUndefined();
				expect(await catalog.moveHorizon("a", clock.now())).toEqual(two);
				await catalog.putGroup(newGroup("a", "longer", { maxVersions: 1 }));
				// Version 4 was superseded by 5 just now: a reader may still use it.
				expect(await catalog.moveHorizon("a", new Date(Date.parse(clock.now()) - 1_000).toISOString())).toEqual(four);
				expect(await catalog.moveHorizon("a", clock.advance(1))).toEqual(five);
				await catalog.putGroup(newGroup("a", "longer"));
				expect(await catalog.moveHorizon("a", clock.now())).toEqual(five);
			});
		});

		it("tells every transition as one event", async () => {
			await addSource(catalog, "a", { maxVersions: 1 });
			const { seq } = await started(catalog, "a", "c1");
			await catalog.recordBatch(seq, { batch: "0", retired: [], entries: [fileEntry("x")] });
			const { snapshot, ingestion } = await catalog.publish(seq, STATS);
			await catalog.publish(seq, STATS);
			const failed = await started(catalog, "a", "c2");
			await catalog.abort(failed.seq, FAILURE);
			await catalog.release(failed.seq, "parked");
			await catalog.release(failed.seq, "parked");
			await ingest(catalog, "a", "c2", { x: 2 });
			await catalog.moveHorizon("a", clock.advance(60));
			await catalog.putGroup(newGroup("a", "default", { maxVersions: 1 }));
			await catalog.markRemoved("a");
			await catalog.dropSource("a");

			const types = async (stream: string) => (await under.events.read(stream)).map(({ type }) => type);
			expect(await types("source-a")).toEqual([
				"SourceAdded",
				"GroupChanged",
				"HorizonMoved",
				"SourceRemovalStarted",
				"SourceRemoved",
			]);
			expect(await types("ingestion-ing-1")).toEqual(["IngestionStarted", "IngestionPublished"]);
			expect(await types("ingestion-ing-2")).toEqual(["IngestionStarted", "IngestionAborted", "IngestionReleased"]);
			const [, published] = await under.events.read("ingestion-ing-1");
			expect(published).toMatchObject({
				version: 2,
				time: snapshot.publishedAt,
				data: { source: "a", commit: "c1", snapshot: { ...snapshot }, totals: { ...ingestion.totals } },
				metadata: { correlationId: "ing-1", causationId: ingestion.runId, source: "a" },
			});
			const all = await under.events.readAll(0, 100);
			expect(all.map(({ position }) => position)).toEqual(all.map((_, index) => index + 1));
		});
	});
}

async function totalsOf(entries: readonly OriginEntry[]) {
	const sum = (tallies: readonly { count: number; digest: string }[]) => {
		const total = tallies.reduce((all, { digest }) => all + BigInt(`0x${digest}`), 0n) % (1n << 256n);
		return { count: tallies.reduce((all, { count }) => all + count, 0), digest: total.toString(16).padStart(64, "0") };
	};
	return {
		catalog: tallyOf(entries.map(originEntryDigest)),
		graph: sum(entries.map(({ graph }) => graph)),
		vectors: sum(entries.map(({ vectors }) => vectors)),
		artifacts: tallyOf(
			entries.flatMap(({ origin, file }) =>
				file && file.mode !== "submodule" ? [artifactReferenceDigest(origin, file)] : [],
			),
		),
	};
}
