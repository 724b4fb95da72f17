import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { addSource, fileEntry, ingest, STATS, started, TestClock } from "../../../../test/support/catalog-fixtures.js";
import { sha256 } from "../../../domain/digest.js";
import type { Snapshot } from "../../../domain/snapshot.js";
import type { EventStore } from "../../events/events.port.js";
import { createSqliteEventStore } from "../../events/sqlite/sqlite-event-store.adapter.js";
import type { Catalog } from "../catalog.port.js";
import { type CatalogDatabase, openCatalogDatabase } from "./catalog-database.js";
import { createSqliteCatalog } from "./sqlite-catalog.adapter.js";

let db: CatalogDatabase;
let catalog: Catalog;
let events: EventStore;
let horizon: Snapshot;

// Of many ingestions a few are open or parked, of many entries a few have gone, and one source and one stream have nearly everything.
beforeEach(async () => {
	const clock = new TestClock();
	db = openCatalogDatabase(":memory:");
	catalog = createSqliteCatalog({ database: db, now: clock.now });
	events = createSqliteEventStore({ database: db, now: clock.now });
	await addSource(catalog, "big", { maxVersions: 1 });
	await addSource(catalog, "small");
	for (let n = 0; n < 80; n++) {
		const source = n % 40 === 0 ? "small" : "big";
		await ingest(catalog, source, commit(n), n % 20 === 1 ? { "a.ts": n } : { [`${n}.ts`]: 1, [`${n}.md`]: 1 });
		clock.advance(1);
	}
	for (const [source, sha] of [
		["small", "parked"],
		["big", "open"],
	] as const) {
		const { seq } = await started(catalog, source, sha);
		if (sha === "open") continue;
		await catalog.abort(seq, { code: "DISK_FULL", message: "the disk is full" });
		await catalog.release(seq, "parked");
	}
	const received = Array.from({ length: 200 }, (_, n) => ({
		type: n === 7 ? "WebhookRefused" : "WebhookReceived",
		data: {},
		metadata: { correlationId: "c", idempotencyKey: `hook-${n}`, source: "big" },
	}));
	await events.append("hooks", "any", received);
	const moved = await catalog.moveHorizon("big", clock.now());
	if (!moved) throw new Error("nothing is old enough to go");
	horizon = moved;
});
afterEach(() => {
	vi.restoreAllMocks();
	db.close();
});

const commit = (n: number) => sha256(`commit ${n}`).slice(0, 40);

/** The plan of what a call asks of a table by more than its key, as the code writes it. */
async function planOf(table: string, call: () => Promise<unknown>): Promise<string[]> {
	const prepare = vi.spyOn(db.database, "prepare");
	await call();
	const asked = new Set(prepare.mock.calls.map(([text]) => text));
	prepare.mockRestore();
	const plans = [...asked]
		.filter((text) => new RegExp(`(from|update) "${table.replace(" as ", `" as "`)}"`).test(text))
		.map((text) => db.database.raw.prepare(`EXPLAIN QUERY PLAN ${text}`).all())
		.map((steps) => steps.map(({ detail }) => String(detail).replace(" COVERING", "")).join("; "));
	return [...new Set(plans)];
}

const plans = async () => {
	const [published, open, parked] = (["published", "staging", "parked"] as const).map((status) => [status]);
	const after = (await catalog.references(undefined, 50)).at(-1)?.cursor;
	const [staging] = await catalog.ingestions({ source: "big", status: ["staging"], limit: 1 });
	const seq = staging?.seq ?? 0;
	const record = { batch: "0", retired: ["file:78.ts"], entries: [fileEntry("78.ts", 2)] };
	return {
		"all open seqs": await planOf("ingestion", () => catalog.openSeqs()),
		"parked ingestions": await planOf("ingestion", () => catalog.ingestions({ status: parked, limit: 9 })),
		"open ingestions of a source": await planOf("ingestion", () =>
			catalog.ingestions({ source: "big", status: open, limit: 9 }),
		),
		"the ingestion of a commit": await planOf("ingestion", () =>
			catalog.ingestions({ source: "big", commit: commit(3), status: published, limit: 1 }),
		),
		"a parked ingestion of a commit": await planOf("ingestion", () =>
			catalog.ingestions({ source: "big", commit: commit(3), status: parked, limit: 1 }),
		),
		"a commit by its beginning": await planOf("ingestion", () =>
			catalog.snapshot({ by: "commit", commit: commit(77).slice(0, 12), source: "big" }, []),
		),
		"a snapshot by its time": (
			await planOf("snapshot", () => catalog.snapshot({ by: "time", time: horizon.publishedAt }, []))
		).slice(1),
		"what is collected": await planOf("entry", () => catalog.collect("big", horizon)),
		"a batch": await planOf("entry", () => catalog.recordBatch(seq, record)),
		"the same batch again": await planOf("entry", () => catalog.recordBatch(seq, record)),
		"what is expected": await planOf("entry as a", () => catalog.expected(seq)),
		"what an ingestion retired": await planOf("entry", () => catalog.changedEntries(seq, "retired", undefined, 9)),
		"a publication": await planOf("entry", () => catalog.publish(seq, STATS)),
		"a release": await planOf("entry", async () => {
			const { seq: next } = await started(catalog, "big", "next");
			await catalog.abort(next, { code: "DISK_FULL", message: "the disk is full" });
			await catalog.release(next, "parked");
		}),
		"the next references": await planOf("entry", () => catalog.references(after, 9)),
		"a stream's last": await planOf("event", () => events.latest(1, { stream: "hooks" })),
		"a stream's next": await planOf("event", () => events.readAll(100, 9, { stream: "hooks" })),
		"a stream's last of a type": await planOf("event", () =>
			events.latest(1, { stream: "hooks", types: ["WebhookReceived"], sources: ["big"] }),
		),
		"a stream's next of a type": await planOf("event", () =>
			events.readAll(100, 9, { stream: "hooks", types: ["WebhookReceived"] }),
		),
		"a stream's next about a source": await planOf("event", () =>
			events.readAll(100, 9, { stream: "hooks", source: "big" }),
		),
		"a stream's next about sources": await planOf("event", () =>
			events.readAll(100, 9, { stream: "hooks", sources: ["big"] }),
		),
	};
};

const STREAM = ["SEARCH event USING INDEX sqlite_autoindex_event_1 (stream=?)"];
// From where the position is, which halving finds: nothing that is before it in the stream is read.
const NEXT = [
	[
		"SEARCH event USING INDEX sqlite_autoindex_event_1 (stream=? AND version>?)",
		"SCALAR SUBQUERY 3",
		"CO-ROUTINE halved",
		"SETUP",
		"SEARCH stream USING PRIMARY KEY (name=?)",
		"RECURSIVE STEP",
		"SCAN halved",
		"SEARCH event USING INDEX sqlite_autoindex_event_1 (stream=? AND version=?)",
		"SEARCH halved",
	].join("; "),
];
const BATCH = [
	"SEARCH entry USING INDEX entry_removed (source=? AND removed_at=? AND origin=?)",
	"SEARCH entry USING INDEX sqlite_autoindex_entry_1 (source=? AND origin=? AND added_at<?)",
	"SEARCH entry USING INDEX entry_added (added_at=? AND origin=?)",
];
const EXPECTED = {
	"all open seqs": ["SEARCH ingestion USING INDEX ingestion_open (status=?); USE TEMP B-TREE FOR ORDER BY"],
	"parked ingestions": ["SEARCH ingestion USING INDEX ingestion_open (status=?)"],
	"open ingestions of a source": ["SEARCH ingestion USING INDEX ingestion_source (source=? AND status=?)"],
	"the ingestion of a commit": ["SEARCH ingestion USING INDEX ingestion_commit (commit_id=?)"],
	"a parked ingestion of a commit": ["SEARCH ingestion USING INDEX ingestion_commit (commit_id=?)"],
	"a commit by its beginning": [
		"SEARCH ingestion USING INDEX ingestion_commit (commit_id=?)",
		"SEARCH ingestion USING INDEX ingestion_commit (commit_id>? AND commit_id<?)",
		"SEARCH ingestion USING INDEX ingestion_commit (commit_id=?); SEARCH snapshot USING INTEGER PRIMARY KEY (rowid=?); USE TEMP B-TREE FOR ORDER BY",
	],
	"a snapshot by its time": ["SEARCH snapshot USING INDEX sqlite_autoindex_snapshot_1 (published_at<?)"],
	// Of the source alone: others may keep much more of what they removed.
	"what is collected": ["SEARCH entry USING INDEX entry_removed (source=? AND removed_at>? AND removed_at<?)"],
	"a batch": BATCH,
	"the same batch again": [
		"SEARCH entry USING INDEX entry_added (added_at=?)",
		"SEARCH entry USING INDEX entry_removed (source=? AND removed_at=?)",
		...BATCH,
	],
	"what is expected": [
		"SEARCH r USING INDEX entry_removed (source=? AND removed_at=?); SEARCH a USING INDEX sqlite_autoindex_entry_1 (source=? AND origin=? AND added_at=?)",
	],
	"what an ingestion retired": [
		"SEARCH entry USING INDEX entry_removed (source=? AND removed_at=?); SCALAR SUBQUERY 1; SEARCH ingestion USING INTEGER PRIMARY KEY (rowid=?)",
	],
	"a publication": [
		"SEARCH a USING INDEX entry_added (added_at=?); SEARCH b USING INDEX sqlite_autoindex_entry_1 (source=? AND origin=? AND added_at<?)",
		"SEARCH entry USING INDEX entry_removed (source=? AND removed_at=?)",
	],
	"a release": [
		"SEARCH entry USING INDEX entry_added (added_at=?)",
		"SEARCH entry USING INDEX entry_removed (source=? AND removed_at=?)",
	],
	"the next references": ["SEARCH entry USING INDEX sqlite_autoindex_entry_1 ((source,origin,added_at)>(?,?,?))"],
	"a stream's last": STREAM,
	"a stream's next": NEXT,
	"a stream's last of a type": STREAM,
	"a stream's next of a type": NEXT,
	"a stream's next about a source": NEXT,
	"a stream's next about sources": NEXT,
};

// A new home has no statistics, and SQLite then takes any equality to be narrow; with them it skips through indexes.
test.each([
	["before anything was analysed", false],
	["after", true],
])("what is asked often goes through no more than it finds, %s", async (_, analysed) => {
	if (analysed) db.database.raw.exec("ANALYZE");
	expect(await plans()).toEqual(EXPECTED);
});

test("says the same in the order that it goes by", async () => {
	const hooks = await events.readAll(0, 1_000, { stream: "hooks" });
	expect(hooks.map(({ version }) => version)).toEqual(Array.from({ length: 200 }, (_, n) => n + 1));
	const [, , third, fourth] = hooks;
	expect(await events.readAll(third?.position ?? 0, 1, { stream: "hooks" })).toEqual([fourth]);
	const after = (position: number) => events.readAll(position, 500, { stream: "hooks" });
	db.database.raw.exec("DELETE FROM event WHERE stream = 'hooks' AND version = 100");
	const left = hooks.filter(({ version }) => version !== 100);
	for (const { position } of hooks) {
		expect(await after(position)).toEqual(left.filter((event) => event.position > position));
	}
	expect(await events.latest(2, { stream: "hooks" })).toEqual(hooks.slice(-2).reverse());
	expect(await events.latest(9, { stream: "hooks", types: ["WebhookRefused"], source: "big" })).toEqual([hooks[7]]);
	expect(await events.latest(9, { stream: "hooks", sources: ["small"] })).toEqual([]);
	expect((await catalog.ingestions({ status: ["parked", "staging"], limit: 9 })).map(({ commit: id }) => id)).toEqual([
		"open",
		"parked",
	]);
});
