import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type {
	CollectReport,
	DiffReport,
	GraphReport,
	IngestReport,
	RemoveReport,
	RetryReport,
	SearchReport,
	SourceReport,
	StatusReport,
	VerifyReport,
} from "../../src/services/reports.js";
import { gatedEmbeddings } from "../support/gated-embeddings.js";
import { DevProcess, lode, lodeJson } from "../support/lode-process.js";
import { createShop, type Shop } from "../support/shop-repository.js";

/** Real: every process and every store; the repositories are made by git. Stand-in: the embedding endpoint of the last part. */

const INGEST_KEYS = [
	"chunks",
	"commit",
	"durationMs",
	"embedded",
	"entities",
	"files",
	"ingestion",
	"outcome",
	"reused",
	"runId",
	"snapshot",
	"source",
	"workflowId",
];
const HIT_KEYS = [
	...["certainty", "commit", "endLine", "group", "highlights", "id", "kind", "language", "model", "ordinal", "path"],
	...["score", "source", "startLine", "symbol", "text"],
];
const keys = (object: object | undefined): string[] => Object.keys(object ?? {}).sort();

interface PrintedError {
	readonly error: { readonly code: string; readonly message: string; readonly next?: string };
}

async function newHome(): Promise<string> {
	return mkdtemp(join(tmpdir(), "lode-e2e-"));
}

/** Runs a command that must fail: with its exit code, its error as JSON on standard error, and nothing on standard output. */
async function failing(home: string, args: readonly string[], extra?: Record<string, string>, cwd?: string) {
	const { code, stdout, stderr } = await lode(home, [...args, "--json"], extra, { cwd });
	expect(stdout).toBe("");
	const last = stderr.trimEnd().split("\n").at(-1) ?? "";
	return { exit: code, ...(JSON.parse(last) as PrintedError).error };
}

/** The ingestion once it is no longer running. */
async function ended(home: string, ingestion: string): Promise<StatusReport["ingestions"][number] | undefined> {
	for (;;) {
		const { ingestions } = await lodeJson<StatusReport>(home, ["status", ingestion]);
		if (ingestions[0]?.status !== "staging" && ingestions[0]?.status !== "aborted") return ingestions[0];
		await sleep(100);
	}
}

describe("a session with lode dev", () => {
	let home: string;
	let shop: Shop;
	let dev: DevProcess;
	let source: string;
	const ingested: IngestReport[] = [];
	const run = <T>(...args: string[]) => lodeJson<T>(home, args);

	beforeAll(async () => {
		home = await newHome();
		shop = await createShop();
		dev = await DevProcess.start(home, { LODE_GC_GRACE: "0" });
	});
	afterAll(async () => {
		await dev.stop();
		await shop.remove();
		await rm(home, { recursive: true, force: true, maxRetries: 5 });
	});

	test("init leaves what is there and says what it created", async () => {
		const report = await run<{ home: string; file: string; created: string[] }>("init");
		expect(report).toEqual({ home, file: join(home, "lode.config.json"), created: [join(home, "lode.config.json")] });
		expect((await run<{ created: string[] }>("init")).created).toEqual([]);
	});

	test("nothing is there before the first ingestion", async () => {
		expect(await failing(home, ["search", "orders"])).toMatchObject({ exit: 3, code: "NOTHING_PUBLISHED" });
		expect(await run("sources")).toEqual({ sources: [] });
		expect(keys(await run("status"))).toEqual(["ingestions", "parked", "temporalUi"]);
	});

	test("ingest publishes each commit, and a repeat publishes nothing", async () => {
		for (const commit of shop.commits) {
			const [before] = ingested.slice(-1);
			const report = await lodeJson<IngestReport>(home, ["ingest", shop.path, "--ref", commit], {
				LODE_RETENTION_MAX_VERSIONS: "1",
			});
			expect(keys(report)).toEqual(INGEST_KEYS);
			expect(keys(report.files)).toEqual(["added", "changed", "failed", "removed"]);
			expect(report).toMatchObject({ commit, outcome: "published", snapshot: (before?.snapshot ?? 0) + 1 });
			ingested.push(report);
		}
		expect(ingested.map(({ files }) => files)).toEqual([
			{ added: 8, changed: 0, removed: 0, failed: 0 },
			{ added: 0, changed: 1, removed: 0, failed: 0 },
			{ added: 0, changed: 0, removed: 1, failed: 0 },
		]);
		source = ingested[0]?.source as string;
		const repeat = await run<IngestReport>("ingest", shop.path);
		expect(keys(repeat)).toEqual(INGEST_KEYS);
		expect(repeat).toMatchObject({ outcome: "unchanged", snapshot: 3, embedded: 0, chunks: 0, entities: 0 });
	});

	test("search answers with hits that are exact lines of the file at that commit", async () => {
		const report = await run<SearchReport>("search", "money goes back to the customer");
		expect(keys(report)).toEqual(["hits", "model", "snapshot", "tookMs"]);
		expect(report).toMatchObject({ snapshot: 3, model: "lexical-v1-384" });
		const [hit] = report.hits;
		expect(keys(hit)).toEqual(HIT_KEYS);
		expect(hit).toMatchObject({ source, commit: shop.commits[2], path: "src/orders.ts", symbol: "refundedOrders" });
		const file = await shop.git("show", `${shop.commits[2]}:src/orders.ts`);
		expect(hit?.text).toBe(
			file
				.split("\n")
				.slice((hit?.startLine ?? 0) - 1, hit?.endLine)
				.join("\n"),
		);
	});

	test("each filter of search narrows what is found", async () => {
		const search = async (...args: string[]) => (await run<SearchReport>("search", "orders", ...args)).hits;
		const paths = async (...args: string[]) => new Set((await search(...args)).map(({ path }) => path));
		expect((await paths()).size).toBeGreaterThan(3);
		expect(await paths("--path", "src/**")).toEqual(new Set(["src/orders.ts"]));
		expect(await paths("--kind", "section")).toEqual(new Set(["README.md"]));
		expect((await search("--kind", "function,model")).map(({ kind }) => kind).sort()).toContain("model");
		expect(await search("--limit", "1")).toHaveLength(1);
		expect((await search("--source", source)).length).toBeGreaterThan(3);
		expect((await search("--source", shop.path)).length).toBeGreaterThan(3);
		expect((await search("--group", "default")).length).toBeGreaterThan(3);
		expect(await failing(home, ["search", "x", "--source", "nowhere"])).toMatchObject({ code: "SOURCE_NOT_FOUND" });
		expect(await failing(home, ["search", "x", "--group", "others"])).toMatchObject({
			exit: 3,
			code: "GROUP_NOT_FOUND",
		});
		expect(await failing(home, ["search", "x", "--kind", "poem"])).toMatchObject({ exit: 2, code: "USAGE" });
		expect(await failing(home, ["search", "x", "--limit", "0"])).toMatchObject({ exit: 2, code: "USAGE" });
	});

	test("--at takes a snapshot number, a time and a commit", async () => {
		const { ingestions } = await run<StatusReport>("status");
		const first = ingestions.find(({ snapshot }) => snapshot === 1);
		for (const at of ["1", first?.endedAt as string, shop.commits[0], shop.commits[0].slice(0, 8)]) {
			const report = await run<SearchReport>("search", "refundedOrders", "--at", at);
			expect(report.snapshot, at).toBe(1);
			expect(report.hits.map(({ symbol }) => symbol)).not.toContain("refundedOrders");
			expect(new Set(report.hits.map(({ commit }) => commit))).toEqual(new Set([shop.commits[0]]));
		}
		expect((await run<SearchReport>("search", "refundedOrders", "--at", "2")).hits[0]?.symbol).toBe("refundedOrders");
		expect(await failing(home, ["search", "x", "--at", "99"])).toMatchObject({ exit: 3, code: "SNAPSHOT_NOT_FOUND" });
		expect(await failing(home, ["search", "x", "--at", "2001-01-01"])).toMatchObject({ exit: 3 });
		expect(await failing(home, ["search", "x", "--at", "ffffffff"])).toMatchObject({ exit: 3 });
		expect(await failing(home, ["search", "x", "--at", "soon"])).toMatchObject({ exit: 2, code: "USAGE" });
	});

	test("graph show answers with an entity and what is around it", async () => {
		const report = await run<GraphReport>("graph", "show", "customers");
		expect(keys(report)).toEqual(["alternatives", "edges", "entities", "entity", "snapshot", "truncated"]);
		expect(report.entity).toMatchObject({ kind: "data_model", name: "customers" });
		expect(keys(report.entity)).toEqual(["key", "kind", "name", "origins", "props", "sources"]);
		const out = report.edges.filter(({ from }) => from === report.entity.key);
		const names = (kind: string) => out.filter((edge) => edge.kind === kind).map(({ to }) => report.entities[to]?.name);
		expect(names("DERIVES_FROM")).toEqual(["stg_orders"]);
		expect(names("HAS_COLUMN")).toEqual(["customer_id", "number_of_orders"]);
		const deeper = await run<GraphReport>("graph", "show", report.entity.key, "--depth", "2", "--source", source);
		expect(Math.max(...deeper.edges.map(({ depth }) => depth))).toBe(2);
		expect((await run<GraphReport>("graph", "show", "customers", "--limit", "1")).edges).toHaveLength(1);
		expect(await failing(home, ["graph", "show", "refundedOrders", "--at", "1"])).toMatchObject({
			exit: 3,
			code: "ENTITY_NOT_FOUND",
		});
	});

	test("sources and status say what is there", async () => {
		const { sources } = await run<{ sources: SourceReport[] }>("sources");
		expect(sources).toHaveLength(1);
		expect(sources[0]).toMatchObject({ id: source, kind: "git", branch: "main", commit: shop.commits[2], snapshot: 3 });
		const status = await run<StatusReport>("status");
		expect(status.ingestions.map(({ status }) => status)).toEqual(["published", "published", "published"]);
		expect(status.temporalUi).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
		const one = await run<StatusReport>("status", ingested[1]?.ingestion as string);
		expect(one.ingestions).toHaveLength(1);
		expect(one.ingestions[0]).toMatchObject({ commit: shop.commits[1], snapshot: 2 });
	});

	test("diff names what two commits differ in", async () => {
		const [a, b, c] = shop.commits;
		const report = await run<DiffReport>("diff", source, a.slice(0, 7), b);
		expect(keys(report)).toEqual(["added", "changed", "from", "removed", "source", "to"]);
		expect(report).toMatchObject({ from: a, to: b, removed: [] });
		expect(report.added.map(({ name }) => name)).toContain("refundedOrders");
		expect(keys(report.added[0])).toEqual(["change", "key", "kind", "name"]);
		const later = await run<DiffReport>("diff", source, b, c);
		expect(later.removed.map(({ name }) => name)).toContain("raw_payments");
		expect(await failing(home, ["diff", source, "HEAD", b])).toMatchObject({ exit: 2, code: "USAGE" });
	});

	test("verify recomputes the digests, of any snapshot", async () => {
		const report = await run<VerifyReport>("verify");
		expect(keys(report)).toEqual(["ok", "problems", "snapshot", "stores"]);
		expect(keys(report.stores)).toEqual(["artifacts", "catalog", "graph", "vectors"]);
		for (const tally of Object.values(report.stores)) expect(keys(tally)).toEqual(["count", "digest"]);
		expect(report).toMatchObject({ ok: true, snapshot: 3, problems: [] });
		const earlier = await run<VerifyReport>("verify", "--source", source, "--at", shop.commits[0]);
		expect(earlier).toMatchObject({ ok: true, snapshot: 1 });
		expect(earlier.stores.graph.digest).not.toBe(report.stores.graph.digest);
	});

	test("config shows settings and changes them", async () => {
		const all = await run<{ settings: Record<string, { value: unknown; from: string }> }>("config", "get");
		expect(all.settings.LODE_HOME).toEqual({ value: home, from: "environment" });
		expect(all.settings.LODE_CHUNK_SIZE).toEqual({ value: 1200, from: "default" });
		const file = join(home, "lode.config.json");
		expect(await run("config", "set", "chunks.size", "1600")).toEqual({ setting: "LODE_CHUNK_SIZE", file });
		expect(await run("config", "get", "LODE_CHUNK_SIZE")).toEqual({
			settings: { LODE_CHUNK_SIZE: { value: 1600, from: "file" } },
		});
		await run("config", "set", "LODE_CHUNK_SIZE", "");
		expect(await failing(home, ["config", "set", "LODE_EMBEDDING_API_KEY", "abcdefgh"])).toMatchObject({
			exit: 2,
			code: "CONFIG_INVALID",
		});
		expect(await failing(home, ["config", "get", "LODE_NOTHING"])).toMatchObject({ exit: 2, code: "USAGE" });
	});

	test("doctor finds everything", async () => {
		const report = await run<{ ok: boolean; checks: { name: string; status: string }[] }>("doctor");
		expect(report.ok).toBe(true);
		expect(report.checks.map(({ name }) => name)).toEqual([
			"Node",
			"git",
			"configuration",
			"home",
			"Temporal",
			"embeddings",
			"stores",
			"runtime",
		]);
	});

	test("retry and cancel answer where there is nothing to do", async () => {
		expect(await run<RetryReport>("retry")).toEqual({ retried: [], failed: [] });
		for (const command of ["cancel", "retry", "status"]) {
			expect(await failing(home, [command, "ing-999"])).toMatchObject({ exit: 3, code: "INGESTION_NOT_FOUND" });
		}
		expect(await failing(home, ["cancel", ingested[0]?.ingestion as string])).toMatchObject({ exit: 2, code: "USAGE" });
	});

	test("--no-wait answers with the ingestion that began", async () => {
		const commit = await shop.commit({ message: "Say more", files: { "README.md": "# Shop\n\nOpen on Sundays.\n" } });
		const report = await run<IngestReport>("ingest", shop.path, "--no-wait");
		expect(keys(report)).toEqual(INGEST_KEYS);
		expect(report).toMatchObject({ outcome: "started", commit, snapshot: null });
		const ingestion = await ended(home, report.ingestion as string);
		expect(ingestion).toMatchObject({ status: "published", runId: report.runId, workflowId: report.workflowId });
		expect((await run<SearchReport>("search", "open on sundays")).hits[0]?.path).toBe("README.md");
	});

	test("gc deletes what retention does not keep: an older --at then answers SNAPSHOT_EXPIRED", async () => {
		expect((await run<SearchReport>("search", "orders", "--at", "1")).snapshot).toBe(1);
		const report = await run<CollectReport>("gc");
		expect(keys(report)).toEqual(["bytes", "horizons", "objects", "records"]);
		expect(report.horizons).toEqual({ [source]: 4 });
		expect(report.records.graph).toBeGreaterThan(0);
		for (const at of ["1", shop.commits[0]]) {
			expect(await failing(home, ["search", "orders", "--at", at])).toMatchObject({
				exit: 3,
				code: "SNAPSHOT_EXPIRED",
			});
		}
		expect(await failing(home, ["graph", "show", "customers", "--at", "2"])).toMatchObject({
			code: "SNAPSHOT_EXPIRED",
		});
		expect((await run<VerifyReport>("verify")).ok).toBe(true);
		expect((await run<SearchReport>("search", "orders")).snapshot).toBe(4);
	});

	test("a named place that does not exist, or cannot be used, ends with its own exit code", async () => {
		const nowhere = join(home, "nowhere");
		expect(await failing(home, ["ingest", nowhere])).toMatchObject({ exit: 3, code: "SOURCE_NOT_FOUND" });
		expect(await failing(home, ["ingest", shop.path, "--ref", "no-such-branch"])).toMatchObject({
			exit: 3,
			code: "REF_NOT_FOUND",
		});
		expect(await failing(home, ["ingest", "https://user:password@host.example/x.git"])).toMatchObject({
			exit: 2,
			code: "CREDENTIALS_IN_URL",
		});
		expect(await failing(home, ["remove", "nobody"])).toMatchObject({ exit: 3, code: "SOURCE_NOT_FOUND" });
		expect(await failing(home, ["ingset", "."])).toMatchObject({ exit: 2, code: "USAGE" });
		expect(await failing(home, ["search", "x"], { LODE_CHUNK_SIZE: "many" })).toMatchObject({
			exit: 2,
			code: "CONFIG_INVALID",
		});
	});

	test("a relative path is meant from the folder of the command", async () => {
		const inside = await lode(home, ["ingest", ".", "--json"], {}, { cwd: shop.path });
		expect(JSON.parse(inside.stdout)).toMatchObject({ source, outcome: "unchanged" });
		// What npm says to `npm --prefix CLONE run lode`, which it starts in the clone.
		const npm = { npm_lifecycle_event: "lode", INIT_CWD: shop.path };
		const throughNpm = await lode(home, ["ingest", ".", "--json"], npm, { cwd: tmpdir() });
		expect(JSON.parse(throughNpm.stdout)).toMatchObject({ source, outcome: "unchanged" });
	});

	test("remove takes everything of a source away", async () => {
		const report = await run<RemoveReport>("remove", source);
		expect(report).toEqual({ source, workflowId: `remove/${source}` });
		expect(await run("sources")).toEqual({ sources: [] });
		expect(await failing(home, ["search", "orders"])).toMatchObject({ exit: 3, code: "NOTHING_PUBLISHED" });
		const again = await run<IngestReport>("ingest", shop.path);
		expect(again).toMatchObject({ outcome: "published", source, embedded: 0 });
		expect((await run<VerifyReport>("verify")).ok).toBe(true);
	});
});

describe("without lode dev", () => {
	let home: string;
	let shop: Shop;

	beforeAll(async () => {
		home = await newHome();
		shop = await createShop();
	});
	afterAll(async () => {
		await shop.remove();
		await rm(home, { recursive: true, force: true, maxRetries: 5 });
	});

	test("ingest starts what it needs, stops it, and says so on standard error only", async () => {
		const { code, stdout, stderr } = await lode(home, ["ingest", shop.path]);
		expect(code).toBe(0);
		expect(stdout).toMatch(/^Published shop-|^Published repository-/);
		expect(stderr).toContain("Temporal Web UI: http://127.0.0.1:");
		expect((await lodeJson<StatusReport>(home, ["status"])).temporalUi).toBeNull();
	});

	test("a server that does not answer is named", async () => {
		expect(await failing(home, ["ingest", shop.path], { TEMPORAL_ADDRESS: "127.0.0.1:1" })).toMatchObject({
			exit: 4,
			code: "TEMPORAL_UNAVAILABLE",
		});
	});

	test("damage is found by verify, named, and ends with 5", async () => {
		const database = new DatabaseSync(join(home, "vectors.db"));
		database.exec("DELETE FROM chunk WHERE rowid = (SELECT min(rowid) FROM chunk)");
		database.close();
		const { code, stdout } = await lode(home, ["verify", "--json"]);
		const report = JSON.parse(stdout) as VerifyReport;
		expect(code).toBe(5);
		expect(report.ok).toBe(false);
		expect(keys(report.problems[0])).toEqual(["problem", "record", "source", "store"]);
		expect(report.problems.map(({ store }) => store)).toContain("vectors");
	});
});

describe("while an ingestion runs", () => {
	test("status shows how far it is, nothing of it is visible, and cancel discards it", async () => {
		const home = await newHome();
		const shop = await createShop();
		const embeddings = await gatedEmbeddings();
		const settings = {
			LODE_EMBEDDING_PROVIDER: "openai",
			LODE_EMBEDDING_BASE_URL: embeddings.url,
			LODE_EMBEDDING_MODEL: "gated",
		};
		const dev = await DevProcess.start(home, settings);
		try {
			const { ingestion } = await lodeJson<IngestReport>(home, ["ingest", shop.path, "--no-wait"], settings);
			await embeddings.asked;
			const { ingestions } = await lodeJson<StatusReport>(home, ["status"]);
			expect(ingestions[0]).toMatchObject({ id: ingestion, status: "staging" });
			expect(ingestions[0]?.progress).toMatchObject({ stage: "files", filesTotal: 7 });
			const text = await lode(home, ["status", ingestion as string]);
			expect(text.stdout).toMatch(/staging: files +\d\/7/);
			expect(await failing(home, ["search", "orders"])).toMatchObject({ code: "NOTHING_PUBLISHED" });

			const waiting = lode(home, ["ingest", shop.path, "--json"], settings, {
				onStart: (child) => {
					child.stderr?.once("data", () => child.kill("SIGINT"));
				},
			});
			expect((await waiting).code).toBe(130);

			const cancelled = await lodeJson<StatusReport>(home, ["cancel", ingestion as string]);
			expect(cancelled.ingestions[0]).toMatchObject({ id: ingestion, status: "cancelled" });
			expect(await failing(home, ["search", "orders"])).toMatchObject({ code: "NOTHING_PUBLISHED" });
			embeddings.open();
			const again = await lodeJson<IngestReport>(home, ["ingest", shop.path], settings);
			expect(again).toMatchObject({ outcome: "published" });
			expect((await lodeJson<VerifyReport>(home, ["verify"], settings)).ok).toBe(true);
		} finally {
			embeddings.open();
			expect(await dev.stop()).toBe(0);
			await embeddings.close();
			await shop.remove();
			await rm(home, { recursive: true, force: true, maxRetries: 5 });
		}
	});
});
