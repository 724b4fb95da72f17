import type { TestWorkflowEnvironment } from "@temporalio/testing";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { IngestReport } from "../../src/services/reports.js";
import { createRepository, type TestRepository } from "../support/git-repository.js";
import { LodeInstance } from "../support/lode-instance.js";
import { temporalEnvironment } from "../support/temporal-environment.js";

/** Real: Temporal server, worker, all stores, git. */
describe("the cost of a commit", () => {
	let environment: TestWorkflowEnvironment;
	let lode: LodeInstance;
	let repository: TestRepository;
	beforeAll(async () => {
		environment = await temporalEnvironment();
	});
	afterAll(() => environment?.teardown());
	beforeEach(async () => {
		lode = await LodeInstance.open(environment);
		repository = await createRepository();
	});
	afterEach(async () => {
		await lode.close();
		await repository.remove();
	});

	const module = (number: number, text = "one") =>
		`import { f${number + 1} } from "./m${number + 1}.js";\n\n/** ${text} */\nexport function f${number}(): string {\n\treturn f${number + 1}() + "${text} ${number}";\n}\n`;
	const tree = (count: number) =>
		Object.fromEntries(Array.from({ length: count }, (_, at) => [`src/p${at % 30}/m${at}.ts`, module(at)]));

	async function staged(report: IngestReport) {
		const ingestion = await lode.ports.catalog.ingestion(report.ingestion ?? "");
		const seq = ingestion?.seq ?? 0;
		const [graph, vectors] = await Promise.all([
			lode.ports.graph.staged(seq, report.source),
			lode.ports.vectors.staged(seq, report.source),
		]);
		return {
			graph: graph.added.count,
			graphRetired: graph.retired.count,
			vectors: vectors.added.count,
			vectorsRetired: vectors.retired.count,
			entries: (await lode.ports.catalog.changedEntries(seq, "added", undefined, 10_000)).length,
		};
	}

	test("a one-file commit stages what the file holds, in a repository of 30 files or of 3,000", async () => {
		const seen: Record<number, unknown> = {};
		for (const count of [30, 3_000]) {
			const one = await createRepository();
			await one.commit({ files: tree(count) });
			await lode.ingest(one.path);
			await one.commit({ files: { "src/p7/m7.ts": module(7, `two in ${count}`) } });
			const report = await lode.ingest(one.path);
			expect(report.files).toEqual({ added: 0, changed: 1, removed: 0, failed: 0 });
			seen[count] = { ...(await staged(report)), embedded: report.embedded };
			await one.remove();
		}
		expect(seen[3_000]).toEqual(seen[30]);
		expect(seen[30]).toMatchObject({ embedded: 1 });
	}, 180_000);

	test("a repeat with nothing new embeds nothing, stages nothing and publishes no snapshot", async () => {
		await repository.commit({ files: tree(10) });
		const first = await lode.ingest(repository.path);
		const again = await lode.ingest(repository.path);
		expect(again).toMatchObject({
			outcome: "unchanged",
			snapshot: first.snapshot,
			embedded: 0,
			entities: 0,
			chunks: 0,
		});
		expect((await lode.ports.catalog.snapshot({ by: "latest" })).number).toBe(first.snapshot);
		expect(await lode.ports.catalog.ingestions({ limit: 10 })).toHaveLength(1);
	});

	test("a revert embeds nothing and gives the files' digests of before", async () => {
		await repository.commit({ files: tree(10) });
		const first = await lode.ingest(repository.path);
		const filesNow = async () => {
			const tallies = await lode.ports.vectors.tallies(
				await lode.ports.catalog.snapshot({ by: "latest" }),
				first.source,
				undefined,
				1_000,
			);
			// The history has grown by what the commits say.
			return tallies.filter(({ origin }) => origin.startsWith("file:"));
		};
		const before = { ...(await lode.verified(first.source)).stores, files: await filesNow() };
		await repository.commit({ files: { "src/p3/m3.ts": module(3, "changed") } });
		expect(await lode.ingest(repository.path)).toMatchObject({ embedded: 1 });
		await repository.commit({ files: { "src/p3/m3.ts": module(3) }, message: "Revert" });
		expect(await lode.ingest(repository.path)).toMatchObject({ embedded: 0, files: { changed: 1 } });
		const after = (await lode.verified(first.source)).stores;
		expect(before.files.length).toBeGreaterThan(5);
		expect(await filesNow()).toEqual(before.files);
		expect(after.artifacts).toEqual(before.artifacts);
	});

	test("a rename embeds nothing, across sources too", async () => {
		await repository.commit({ files: { "a.md": "# Title\n\nSome text.\n" } });
		expect(await lode.ingest(repository.path)).toMatchObject({ embedded: 1 });
		await repository.commit({ files: { "b.md": "# Title\n\nSome text.\n" }, deletes: ["a.md"] });
		expect(await lode.ingest(repository.path)).toMatchObject({
			embedded: 0,
			reused: 1,
			files: { added: 1, removed: 1 },
		});
		const other = await createRepository();
		await other.commit({ files: { "c.md": "# Title\n\nSome text.\n" } });
		expect(await lode.ingest(other.path)).toMatchObject({ embedded: 0, reused: 1 });
		await other.remove();
	});

	test("replacing b.ts by b/index.ts retargets a.ts, which did not change", async () => {
		await repository.commit({
			files: { "a.ts": 'import { b } from "./b.js";\nexport const a = b();\n', "b.ts": "export const b = () => 1;\n" },
		});
		await lode.ingest(repository.path);
		const imports = async () =>
			(await lode.reader.graph("a.ts", { depth: 1 })).edges
				.filter(({ kind, from }) => kind === "IMPORTS" && from.endsWith("a.ts"))
				.map(({ to }) => to.replace(/^file:[^:]+:/, ""));
		expect(await imports()).toEqual(["b.ts"]);
		await repository.commit({ files: { "b/index.ts": "export const b = () => 2;\n" }, deletes: ["b.ts"] });
		await lode.ingest(repository.path);
		expect(await imports()).toEqual(["b/index.ts"]);
	});
});
