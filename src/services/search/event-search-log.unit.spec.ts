import { describe, expect, it } from "vitest";
import { redact } from "../../config/secret.js";
import { LodeError } from "../../domain/errors.js";
import { openCatalogDatabase } from "../../stores/catalog/sqlite/sqlite-catalog.adapter.js";
import type { EventStore } from "../../stores/events/events.port.js";
import { createSqliteEventStore } from "../../stores/events/sqlite/sqlite-event-store.adapter.js";
import type { SearchReport } from "../reports.js";
import { createSearchLog, type SearchLogOptions } from "./event-search-log.js";
import { searchStream } from "./search-events.js";

const REPORT = {
	snapshot: 3,
	model: "m",
	tookMs: 1,
	hits: [{ id: "s:default:0:a.ts", certainty: 0.8 }],
} as unknown as SearchReport;
const TIMES = { processingMs: 12, vectorMs: 3 };
const QUERY = { text: "secret words", path: "src/**", limit: 10 };

/** Real: the SQLite event store, in memory. Away: while `gate.away` is set. */
function open(options: Partial<SearchLogOptions> = {}) {
	const store = createSqliteEventStore({ database: openCatalogDatabase(":memory:") });
	const gate = { away: false, calls: 0 };
	const events: Pick<EventStore, "append"> = {
		append: (...args) => {
			gate.calls += 1;
			return gate.away ? Promise.reject(new LodeError("STORE_UNAVAILABLE", "away")) : store.append(...args);
		},
	};
	const lost: number[] = [];
	const log = createSearchLog(events, {
		...{ userData: "full", redact, flushAfterMs: 5, closeWithinMs: 300, onLost: (searches) => lost.push(searches) },
		...options,
	});
	const read = async () =>
		(await store.read(searchStream(new Date().toISOString()))).map(({ type, data, metadata }) => ({
			type,
			data,
			metadata,
		}));
	return { log, gate, lost, read };
}

describe("createSearchLog", () => {
	it("keeps no key that somebody put into a question, wherever it stands", async () => {
		const { log, read } = open();
		const key = `lode_${"0".repeat(12)}_${"Ab-_".repeat(10)}xyz`;
		log
			.received({ ...QUERY, text: `is "${key}" mine`, at: key })
			.rejected(new LodeError("USAGE", `"${key}" is no snapshot`));
		await log.close();
		const [received, rejected] = await read();
		expect(JSON.stringify([received, rejected])).not.toContain("Ab-_");
		const shown = "lode_000000000000_[secret]";
		expect(received?.data).toMatchObject({ query: { text: `is "${shown}" mine`, at: shown } });
		expect(rejected?.data).toMatchObject({ reason: "USAGE", message: `"${shown}" is no snapshot` });
	});

	it("tells each search from its question to its answer, in batches", async () => {
		const { log, gate, read, lost } = open({ flushAfterMs: 50 });
		for (let n = 0; n < 20; n += 1) log.received({ ...QUERY, correlationId: `c${n}` }).generated(REPORT, TIMES);
		expect(gate.calls).toBe(0);
		await log.close();
		const events = await read();
		expect(events).toHaveLength(40);
		expect(gate.calls).toBe(1);
		expect(lost).toEqual([]);
		const [received, generated] = events;
		expect(received).toMatchObject({ type: "SEARCH_QUERY_RECEIVED", data: { query: QUERY, userData: "full" } });
		expect(generated).toMatchObject({
			type: "SEARCH_RESULTS_GENERATED",
			data: { ...TIMES, snapshot: 3, model: "m", confidence: 0.8, hits: 1, ids: ["s:default:0:a.ts"] },
			metadata: { correlationId: "c0", causationId: received?.data.search },
		});
	});

	it("tells why a search was rejected", async () => {
		const { log, read } = open();
		log.received(QUERY).rejected(new LodeError("GROUP_NOT_FOUND", "no group pay"));
		log.received(QUERY).rejected(new Error("anything at all"));
		await log.close();
		const rejected = (await read()).filter(({ type }) => type === "SEARCH_QUERY_REJECTED").map(({ data }) => data);
		expect(rejected).toMatchObject([{ reason: "GROUP_NOT_FOUND", message: "no group pay" }, { reason: "INTERNAL" }]);
		expect(JSON.stringify(rejected)).not.toContain("anything");
	});

	it.each(["hashed", "off"] as const)("with user data %s no event has a word of the user", async (userData) => {
		const { log, read } = open({ userData });
		const rules = [{ name: "secret", glob: "secret/**" }];
		log
			.received({ ...QUERY, like: "secret", grouping: { by: "custom", rules } })
			.rejected(new LodeError("USAGE", "secret"));
		log.received(QUERY).generated(REPORT, TIMES);
		await log.close();
		const [first, , second] = await read();
		const all = JSON.stringify(await read());
		expect(all).not.toContain("secret");
		expect(all).not.toContain("src/**");
		const hash = (event: typeof first) => (event?.data.query as Record<string, unknown> | undefined)?.textSha256;
		expect(hash(first)).toEqual(userData === "hashed" ? expect.stringMatching(/^[0-9a-f]{64}$/) : undefined);
		expect(hash(first)).toEqual(hash(second));
	});

	it("keeps what it heard while the store was away, once, and searches on", async () => {
		const { log, gate, read, lost } = open();
		gate.away = true;
		log.received(QUERY).generated(REPORT, TIMES);
		await expect.poll(() => gate.calls).toBeGreaterThan(1);
		gate.away = false;
		await expect.poll(async () => (await read()).length).toBe(2);
		await log.close();
		expect(await read()).toHaveLength(2);
		expect(lost).toEqual([]);
	});

	it("keeps so many in memory, counts the rest, and tells the count when the store is back", async () => {
		const { log, gate, read, lost } = open({ maxPending: 4 });
		gate.away = true;
		for (let n = 0; n < 5; n += 1) log.received(QUERY).generated(REPORT, TIMES);
		expect(lost).toEqual([1]);
		gate.away = false;
		await log.close();
		const events = await read();
		expect(events.slice(0, 4).map(({ type }) => type)).toEqual([
			...["SEARCH_QUERY_RECEIVED", "SEARCH_RESULTS_GENERATED", "SEARCH_QUERY_RECEIVED", "SEARCH_RESULTS_GENERATED"],
		]);
		expect(events.slice(4)).toMatchObject([{ type: "SEARCH_EVENTS_LOST", data: { searches: 3 } }]);
	});

	it("ends though the store stays away, and says how many searches are not told", async () => {
		const { log, gate, lost } = open({ closeWithinMs: 30 });
		gate.away = true;
		for (let n = 0; n < 3; n += 1) log.received(QUERY).generated(REPORT, TIMES);
		await log.close();
		expect(lost).toEqual([3]);
		log.received(QUERY).generated(REPORT, TIMES);
		await log.close();
	});
});
