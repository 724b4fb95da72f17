import type { TestWorkflowEnvironment } from "@temporalio/testing";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { groupSchema } from "../../src/domain/group.js";
import type { GroupFields } from "../../src/domain/group-input.js";
import { rebuild } from "../../src/services/rebuild/rebuild.js";
import { refChangedSignal } from "../../src/workflows/contracts/follow-source.js";
import { createRepository, type TestRepository } from "../support/git-repository.js";
import { LodeInstance } from "../support/lode-instance.js";
import { temporalEnvironment } from "../support/temporal-environment.js";
import { until } from "../support/until.js";

const LEXICAL = "lexical-v1-384";
const long = (name: string) =>
	`# ${name}\n\n${Array.from({ length: 40 }, (_, at) => `${name} paragraph ${at} has some words in it.\n`).join("\n")}`;
const code = (name: string, other: string) =>
	`import { ${other} } from "./${other}.js";\n\nexport function ${name}() {\n\treturn ${other}();\n}\n`;

/** Real: Temporal server, worker, all stores, git. */
describe("semantic groups", () => {
	let environment: TestWorkflowEnvironment;
	const cleanUps: (() => Promise<unknown>)[] = [];
	beforeAll(async () => {
		environment = await temporalEnvironment();
	});
	afterAll(() => environment?.teardown());
	afterEach(async () => {
		for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
	});

	async function instance(env: Record<string, string> = {}): Promise<LodeInstance> {
		const lode = await LodeInstance.open(environment, { env });
		cleanUps.push(() => lode.close());
		return lode;
	}

	async function history(): Promise<TestRepository> {
		const repo = await createRepository();
		cleanUps.push(() => repo.remove());
		await repo.commit({
			files: { "docs/a.md": long("alpha"), "docs/api/b.md": long("beta"), "src/one.ts": code("one", "two") },
		});
		await repo.commit({ files: { "src/two.ts": code("two", "one"), "docs/gone.md": long("gone") } });
		return repo;
	}

	/** What an installation without a past, which had these groups from the beginning, has of it. */
	async function fresh(other: LodeInstance, target: string, groups: Record<string, GroupFields>) {
		const [source] = await other.ports.catalog.sources();
		if (!source) throw new Error("nothing is there");
		await other.close();
		const lode = await LodeInstance.open(environment);
		try {
			const define = (name: string, { indexing, ...fields }: GroupFields = {}) =>
				groupSchema.parse({ source: source.id, name, ...fields, indexing: { model: LEXICAL, ...indexing } });
			await lode.ports.catalog.putSource(source, define("default", groups.default));
			for (const name of Object.keys(groups)) await lode.ports.catalog.putGroup(define(name, groups[name]));
			await lode.ingest(target);
			return (await lode.verified()).stores;
		} finally {
			await lode.close();
		}
	}

	async function chunksOf(lode: LodeInstance, group: string): Promise<string[]> {
		const { catalog, vectors } = lode.ports;
		const [source] = await catalog.sources();
		const snapshot = await catalog.snapshot({ by: "latest" });
		const entries = await catalog.entries(snapshot, source?.id ?? "", undefined, 1_000);
		const all = await Promise.all(entries.map(({ origin }) => vectors.records(snapshot, source?.id ?? "", origin)));
		return [
			...new Set(
				all
					.flat()
					.filter((one) => one.group === group)
					.map(({ path }) => path),
			),
		].sort();
	}

	const small = { indexing: { chunkSize: 300, overlap: 0 } };

	test("a group of its own is indexed beside default, and everything is what a fresh installation has", async () => {
		const repo = await history();
		const lode = await instance();
		const { source } = await lode.ingest(repo.path);
		const before = await lode.verified();
		const docs = { path: "docs", include: ["**/*.md"], exclude: ["gone*"], ...small };
		const created = await lode.commander.createGroup(source, "docs", docs, {});
		expect(created).toMatchObject({
			id: `${source}:docs`,
			state: "indexed",
			serves: null,
			reindex: { outcome: "switched", snapshot: 2, workflowId: `reindex/${source}` },
		});
		expect(await chunksOf(lode, "docs")).toEqual(["docs/a.md", "docs/api/b.md"]);
		expect(await chunksOf(lode, "default")).toHaveLength(5);
		const { catalog } = lode.ports;
		const staged = await catalog.changedEntries(2, "added", undefined, 100);
		// The others have the same entries, so they stay as they are, with commits, folders and names.
		expect(staged.map(({ origin }) => origin)).toEqual(["file:docs/a.md", "file:docs/api/b.md"]);
		const after = await lode.verified();
		// What files say of entities does not depend on how their text is cut.
		expect(after.stores.graph).toEqual(before.stores.graph);
		expect(after.stores.vectors.count).toBeGreaterThan(before.stores.vectors.count);
		expect(await lode.ingest(repo.path)).toMatchObject({ outcome: "unchanged" });

		await repo.commit({ files: { "docs/c.md": long("gamma") }, deletes: ["docs/a.md"] });
		await lode.ingest(repo.path);
		expect(await chunksOf(lode, "docs")).toEqual(["docs/api/b.md", "docs/c.md"]);
		const { stores } = await lode.verified();
		expect(stores).toEqual(await fresh(lode, repo.path, { docs }));
	});

	test("changes and deletions are taken up, and leave what a fresh installation has", async () => {
		const repo = await history();
		const lode = await instance();
		const { source } = await lode.ingest(repo.path);
		const before = await lode.verified();
		await lode.commander.createGroup(source, "docs", { path: "docs" }, {});
		await lode.commander.createGroup(source, "code", { include: ["src/**"], ...small }, {});
		// Neither has to do with the index.
		const retained = await lode.commander.updateGroup(source, "code", { retention: { maxVersions: 3 } }, {});
		expect(retained).toMatchObject({ state: "indexed", reindex: null, retention: { maxVersions: 3 } });
		const narrow = await lode.commander.updateGroup(source, "default", { exclude: ["docs/**"] }, {});
		expect(narrow).toMatchObject({ state: "indexed", reindex: { outcome: "switched" } });
		expect(await chunksOf(lode, "default")).toEqual(["src/one.ts", "src/two.ts"]);
		expect(await lode.reader.groups()).toMatchObject([{ name: "code" }, { name: "default" }, { name: "docs" }]);

		const gone = await lode.commander.deleteGroup(source, "docs", {});
		expect(gone).toMatchObject({ name: "docs", state: "deleted", reindex: { outcome: "switched" } });
		expect(await chunksOf(lode, "docs")).toEqual([]);
		await expect(lode.reader.group(source, "docs")).rejects.toMatchObject({ code: "GROUP_NOT_FOUND" });
		// Whoever asks for an earlier snapshot gets what it had.
		expect((await lode.reader.search({ text: "alpha", group: "default", limit: 3, at: "1" })).hits).not.toEqual([]);
		expect((await lode.verified(source, "1")).stores).toEqual(before.stores);

		await lode.commander.deleteGroup(source, "code", {});
		await lode.commander.updateGroup(source, "default", { exclude: [] }, {});
		expect((await lode.verified()).stores).toEqual(before.stores);
		expect(await lode.ports.catalog.check()).toEqual([]);

		// A head that was made by another recipe is ingested again at the next look at the branch, whoever changed what.
		const [group] = await lode.ports.catalog.groups(source);
		if (group) await lode.ports.catalog.putGroup({ ...group, exclude: ["docs/**"] });
		expect(await lode.reader.group(source, "default")).toMatchObject({ state: "reindexing" });
		await environment.client.workflow.getHandle(`source/${source}`).signal(refChangedSignal);
		await until(
			() => lode.reader.group(source, "default"),
			({ state }) => state === "indexed",
		);
		expect(await chunksOf(lode, "default")).toEqual(["src/one.ts", "src/two.ts"]);
		await lode.verified();
	});

	test("garbage collection keeps what other groups were mined from, and the archive alone brings them back", async () => {
		const repo = await history();
		const lode = await instance();
		const { source } = await lode.ingest(repo.path);
		await lode.commander.createGroup(source, "docs", { path: "docs", ...small, retention: { maxVersions: 1 } }, {});
		await lode.commander.updateGroup(source, "default", { retention: { maxVersions: 2 } }, {});
		await repo.commit({ files: { "docs/c.md": long("gamma") } });
		await lode.ingest(repo.path);
		// The longest group decides: of three versions two are kept.
		expect((await lode.commander.collectGarbage()).horizons).toEqual({ [source]: 2 });
		const before = await lode.verified();
		await lode.verified(source, "2");
		await expect(lode.verified(source, "1")).rejects.toMatchObject({ code: "SNAPSHOT_EXPIRED" });
		await environment.client.workflow.getHandle(`source/${source}`).terminate();
		const report = await rebuild(lode.ports, { replace: true, readModels: true });
		expect(report).toMatchObject({ ok: true, restaged: ["graph", "vectors"], stores: before.stores });
		expect(await chunksOf(lode, "docs")).toEqual(["docs/a.md", "docs/api/b.md", "docs/c.md", "docs/gone.md"]);
	});

	test("what is refused says why, field by field, and changes nothing", async () => {
		const repo = await history();
		const lode = await instance();
		const { source } = await lode.ingest(repo.path);
		const create = (name: string, fields: GroupFields) => lode.commander.createGroup(source, name, fields, {});
		await expect(
			create("Docs", { path: "../x", include: ["/etc/*"], indexing: { chunkSize: 10, model: "nobodys-model" } }),
		).rejects.toMatchObject({ code: "GROUP_INVALID", fields: { "indexing.model": expect.any(String) } });
		await expect(
			create("Docs", { path: "../x", include: ["/etc/*"], indexing: { chunkSize: 10 }, retention: { ttl: -1 } }),
		).rejects.toMatchObject({
			code: "GROUP_INVALID",
			fields: {
				name: expect.stringContaining("lower-case"),
				path: expect.stringContaining("inside the source"),
				"include.0": expect.stringContaining("inside the source"),
				"indexing.chunkSize": expect.stringContaining("200"),
				"retention.ttl": expect.any(String),
			},
		});
		await expect(create("default", {})).rejects.toMatchObject({ code: "GROUP_EXISTS" });
		await expect(lode.commander.deleteGroup(source, "default", {})).rejects.toMatchObject({ code: "GROUP_INVALID" });
		await expect(lode.commander.updateGroup(source, "no", {}, {})).rejects.toMatchObject({ code: "GROUP_NOT_FOUND" });
		await expect(lode.commander.createGroup("no", "a", {}, {})).rejects.toMatchObject({ code: "SOURCE_NOT_FOUND" });
		expect(await lode.reader.groups(source)).toMatchObject([{ name: "default", state: "indexed" }]);
	});
});
