import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import type { TestWorkflowEnvironment } from "@temporalio/testing";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { columnKey, commitKey, datasetKey } from "../../src/domain/keys.js";
import type { ServerAddresses } from "../servers/server.js";
import { type CountingProxy, countingProxy } from "../support/counting-proxy.js";
import { createLakefsRepository, type LakefsTestRepository } from "../support/lakefs-repository.js";
import { LodeInstance } from "../support/lode-instance.js";
import { hasServer, useServer } from "../support/servers.js";
import { temporalEnvironment } from "../support/temporal-environment.js";

async function parquet(query: string): Promise<Uint8Array> {
	const folder = await mkdtemp(join(tmpdir(), "lode-parquet-"));
	try {
		const connection = await (await DuckDBInstance.create(":memory:")).connect();
		await connection.run(`COPY (${query}) TO '${folder}/a.parquet' (FORMAT parquet)`);
		return new Uint8Array(await readFile(join(folder, "a.parquet")));
	} finally {
		await rm(folder, { recursive: true });
	}
}

// Real: lakeFS, the whole pipeline, its stores. A proxy between counts requests and breaks some.
describe.runIf(hasServer("lakefs"))("ingesting from lakeFS", () => {
	let environment: TestWorkflowEnvironment;
	let server: ServerAddresses["lakefs"];
	let proxy: CountingProxy;
	let repository: LakefsTestRepository;
	const opened: LodeInstance[] = [];
	beforeAll(async () => {
		environment = await temporalEnvironment();
		server = await useServer("lakefs");
	});
	afterAll(() => environment?.teardown());
	beforeEach(async () => {
		repository = await createLakefsRepository(server);
		proxy = await countingProxy(server.endpoint);
	});
	afterEach(async () => {
		for (const instance of opened.splice(0)) await instance.close();
		await proxy.close();
		await repository.remove().catch(() => undefined);
	});

	async function open(): Promise<LodeInstance> {
		const env = {
			LODE_LAKEFS_ENDPOINT: proxy.url,
			LODE_LAKEFS_ACCESS_KEY_ID: server.accessKeyId,
			LODE_LAKEFS_SECRET_ACCESS_KEY: server.secretAccessKey,
		};
		const instance = await LodeInstance.open(environment, { env });
		opened.push(instance);
		return instance;
	}

	test("data files become datasets with columns, types, rows and statistics, the same in steps and directly", async () => {
		const orders = await parquet("SELECT range::INTEGER AS id, range * 1.5 AS amount FROM range(7)");
		const more = await parquet("SELECT range::INTEGER AS id, range * 1.5 AS amount FROM range(9)");
		const loaded = await repository.commit({
			files: [
				["raw/customers.csv", "id,name,since\n1,Ada,2020-01-01\n2,,2021-06-30\n"],
				["raw/events.jsonl", '{"kind":"click","at":5}\n{"kind":"view","at":9}\n{"kind":"view","at":null}\n'],
				["marts/orders.parquet", orders],
				["README.md", "# The shop's lake\n\nOrders and customers.\n"],
			],
			message: "the first load",
			metadata: { job: "nightly-load", run: "42" },
		});
		await repository.branch("work");
		const lode = await open();
		const first = await lode.ingest(`${repository.target}/main`);
		expect(first.files).toEqual({ added: 4, changed: 0, removed: 0, failed: 0 });

		await repository.commit({ branch: "work", files: [["marts/orders.parquet", more]], message: "two orders more" });
		await repository.commit({ files: [["README.md", "# The lake\n"]], deletes: ["raw/events.jsonl"] });
		await repository.merge("work");
		const second = await lode.ingest(repository.target);
		expect(second.files).toEqual({ added: 0, changed: 2, removed: 1, failed: 0 });

		const { source } = second;
		const snapshot = await lode.ports.catalog.snapshot({ by: "latest" }, []);
		const propsOf = async (key: string) => (await lode.ports.graph.entity({ snapshot }, key))?.props;
		const customers = datasetKey(source, "raw/customers.csv");
		expect(await propsOf(customers)).toMatchObject({ format: "csv", rowCount: 2, columnCount: 3 });
		expect(await propsOf(columnKey(customers, "name"))).toMatchObject({ type: "VARCHAR", nullCount: 1, min: "Ada" });
		expect(await propsOf(columnKey(customers, "since"))).toMatchObject({ type: "DATE", max: "2021-06-30" });
		const ordersKey = datasetKey(source, "marts/orders.parquet");
		expect(await propsOf(ordersKey)).toMatchObject({ format: "parquet", rowCount: 9 });
		expect(await propsOf(columnKey(ordersKey, "id"))).toMatchObject({ type: "INTEGER", mean: 4, distinctCount: 9 });
		expect(await propsOf(datasetKey(source, "raw/events.jsonl"))).toBeUndefined();
		const before = await lode.ports.catalog.snapshot({ by: "number", number: first.snapshot as number }, []);
		const events = datasetKey(source, "raw/events.jsonl");
		const old = (key: string) => lode.ports.graph.entity({ snapshot: before }, key);
		expect((await old(events))?.props).toMatchObject({ format: "jsonl", rowCount: 3 });
		expect((await old(columnKey(events, "at")))?.props).toMatchObject({ type: "BIGINT", nullCount: 1, mean: 7 });

		const commitEntity = await lode.ports.graph.entity({ snapshot }, commitKey(source, loaded));
		expect(commitEntity?.props).toMatchObject({
			subject: "the first load",
			metadata: { job: "nightly-load", run: "42" },
		});
		const hits = await lode.reader.search({ text: "lake", limit: 5 });
		expect(hits.hits[0]?.path).toBe("README.md");

		const { stores } = await lode.verified();
		await lode.close();
		const directly = await open();
		await directly.ingest(repository.target);
		// Everything that was published is there without lakeFS.
		await proxy.close();
		expect((await directly.verified()).stores).toEqual(stores);
	}, 120_000);

	test("2,500 objects, then a commit that changes 3: requests and records follow the 3", async () => {
		// More than two of lakeFS's pages: whoever reads the whole tree again asks for each of the three.
		const names = Array.from({ length: 2_500 }, (_, index) => `part-${index % 10}/file-${index}.txt`);
		await repository.commit({ files: names.map((name) => [name, `line of ${name}`]) });
		const lode = await open();
		const first = await lode.ingest(repository.target);
		expect(first.files).toEqual({ added: 2_500, changed: 0, removed: 0, failed: 0 });

		await repository.commit({
			files: [
				[names[17] as string, "changed"],
				["part-3/new.txt", "new"],
			],
			deletes: [names[1_711] as string],
		});
		proxy.requests.length = 0;
		const second = await lode.ingest(repository.target);
		expect(second.files).toEqual({ added: 1, changed: 1, removed: 1, failed: 0 });
		const kinds = (part: string) => proxy.requests.filter((line) => line.includes(part)).length;
		console.log(`requests to lakeFS for three changes among 2,500 objects: ${proxy.requests.length}`);
		expect(kinds("/objects?path=")).toBe(2);
		expect(kinds("/objects/ls")).toBe(0);
		// The change set, and what the one commit touched.
		expect(kinds("/diff/")).toBe(2);
		// Besides: repository and branch by the command, the commit by the worker (twice: before planning and mining), the log.
		expect(proxy.requests.length).toBeLessThanOrEqual(12);
		// A chunk and a file and what holds them for each changed object, and the commit; nothing for the other 2,497.
		const { seq = 0 } = (await lode.ports.catalog.ingestion(second.ingestion ?? "")) ?? {};
		const graph = await lode.ports.graph.staged(seq, second.source);
		const vectors = await lode.ports.vectors.staged(seq, second.source);
		expect(graph.added.count).toBeLessThanOrEqual(12);
		expect(graph.retired.count).toBeLessThanOrEqual(12);
		// Two chunks, and what the commit says.
		expect([vectors.added.count, vectors.retired.count]).toEqual([3, 2]);
		expect(second.embedded).toBe(2);
	}, 400_000);

	test("waits while lakeFS is away, and goes on by itself", async () => {
		await repository.commit({ files: [["a.md", "# A\n"]] });
		const lode = await open();
		let broken = 9;
		proxy.intercept = (line) => (line.includes("/objects") && broken-- > 0 ? { status: 503 } : undefined);
		const report = await lode.ingest(repository.target);
		expect(broken).toBeLessThan(0);
		expect(report.files).toMatchObject({ added: 1, failed: 0 });
	}, 120_000);

	test("is parked with what happened when the repository is deleted meanwhile, and leaves nothing", async () => {
		await repository.commit({ files: [["a.md", "# A\n"]] });
		const lode = await open();
		proxy.intercept = (line) => {
			const gone = line.includes("/objects?") || proxy.requests.some((before) => before.includes("/objects?"));
			return gone ? { status: 404, body: '{"message":"repository not found"}' } : undefined;
		};
		await expect(lode.ingest(repository.target)).rejects.toMatchObject({ code: "SOURCE_NOT_FOUND" });
		await expect(lode.reader.search({ text: "a", limit: 1 })).rejects.toMatchObject({ code: "NOTHING_PUBLISHED" });
		const [parked] = (await lode.reader.status()).ingestions;
		expect(parked).toMatchObject({ status: "parked" });
	}, 120_000);
});
