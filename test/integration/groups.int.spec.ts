import type { TestWorkflowEnvironment } from "@temporalio/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
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

/** Real: Temporal server, worker, all stores, git. One installation, test after test. */
describe("semantic groups", () => {
	let environment: TestWorkflowEnvironment;
	let repo: TestRepository;
	let lode: LodeInstance;
	beforeAll(async () => {
		environment = await temporalEnvironment();
		lode = await LodeInstance.open(environment);
		repo = await createRepository();
		await repo.commit({
			files: { "docs/a.md": long("alpha"), "docs/api/b.md": long("beta"), "src/one.ts": code("one", "two") },
		});
		await repo.commit({ files: { "src/two.ts": code("two", "one"), "docs/gone.md": long("gone") } });
	});
	afterAll(async () => {
		await lode?.close();
		await repo?.remove();
		await environment?.teardown();
	});

	const define = (source: string, name: string, fields: object) =>
		groupSchema.parse({ source, name, ...fields, indexing: { model: LEXICAL, ...small.indexing } });

	/** Paths of which a group has chunks. */
	async function chunksOf(group: string): Promise<string[]> {
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
	const docs = { path: "docs", include: ["**/*.md"], exclude: ["gone*"], ...small };

	test("groups come, change and go beside default, and leave what was there before", async () => {
		const { source } = await lode.ingest(repo.path);
		const before = await lode.verified();
		const created = await lode.commander.createGroup(source, "docs", docs, {});
		expect(created).toMatchObject({
			id: `${source}:docs`,
			state: "indexed",
			serves: null,
			reindex: { outcome: "switched", snapshot: 2, workflowId: `reindex/${source}` },
		});
		expect(await chunksOf("docs")).toEqual(["docs/a.md", "docs/api/b.md"]);
		expect(await chunksOf("default")).toHaveLength(5);
		const staged = await lode.ports.catalog.changedEntries(2, "added", undefined, 100);
		// The others have the same entries, so they stay as they are, with commits, folders and names.
		expect(staged.map(({ origin }) => origin)).toEqual(["file:docs/a.md", "file:docs/api/b.md"]);
		const after = await lode.verified();
		// What files say of entities does not depend on how their text is cut.
		expect(after.stores.graph).toEqual(before.stores.graph);
		expect(after.stores.vectors.count).toBeGreaterThan(before.stores.vectors.count);
		expect(await lode.ingest(repo.path)).toMatchObject({ outcome: "unchanged" });

		// Neither has to do with the index.
		const retained = await lode.commander.updateGroup(source, "docs", { retention: { maxVersions: 3 } }, {});
		expect(retained).toMatchObject({ state: "indexed", reindex: null, retention: { maxVersions: 3 } });
		const narrow = await lode.commander.updateGroup(source, "default", { exclude: ["docs/**"] }, {});
		expect(narrow).toMatchObject({ state: "indexed", reindex: { outcome: "switched" } });
		expect(await chunksOf("default")).toEqual(["src/one.ts", "src/two.ts"]);

		const gone = await lode.commander.deleteGroup(source, "docs", {});
		expect(gone).toMatchObject({ name: "docs", state: "deleted", reindex: { outcome: "switched" } });
		expect(await chunksOf("docs")).toEqual([]);
		await expect(lode.reader.group(source, "docs")).rejects.toMatchObject({ code: "GROUP_NOT_FOUND" });
		// Whoever asks for an earlier snapshot gets what it had.
		expect((await lode.reader.search({ text: "alpha", group: "docs", limit: 3, at: "2" })).hits).not.toEqual([]);
		expect((await lode.verified(source, "1")).stores).toEqual(before.stores);
		await lode.commander.updateGroup(source, "default", { exclude: [] }, {});
		expect((await lode.verified()).stores).toEqual(before.stores);
		expect(await lode.ports.catalog.check()).toEqual([]);
	});

	test("what is refused says why, field by field, and changes nothing", async () => {
		const [{ source = "" } = {}] = await lode.reader.groups();
		const create = (name: string, fields: GroupFields) => lode.commander.createGroup(source, name, fields, {});
		await expect(
			create("Docs", {
				path: "../x",
				include: ["/etc/*"],
				indexing: { chunkSize: 10, model: "nobodys-model" },
				retention: { ttl: -1 },
			}),
		).rejects.toMatchObject({
			code: "GROUP_INVALID",
			fields: {
				name: expect.stringContaining("lower-case"),
				path: expect.stringContaining("inside the source"),
				"include.0": expect.stringContaining("inside the source"),
				"indexing.chunkSize": expect.stringContaining("200"),
				"indexing.model": expect.stringContaining("nobodys-model"),
				"retention.ttl": expect.any(String),
			},
		});
		await expect(create("default", {})).rejects.toMatchObject({ code: "GROUP_EXISTS" });
		await expect(lode.commander.deleteGroup(source, "default", {})).rejects.toMatchObject({ code: "GROUP_INVALID" });
		await expect(lode.commander.updateGroup(source, "no", {}, {})).rejects.toMatchObject({ code: "GROUP_NOT_FOUND" });
		await expect(lode.commander.createGroup("no", "a", {}, {})).rejects.toMatchObject({ code: "SOURCE_NOT_FOUND" });
		expect(await lode.reader.groups(source)).toMatchObject([{ name: "default", state: "indexed" }]);
	});

	test("a head of another recipe is taken up at the next look, and later commits are what a fresh installation has", async () => {
		const [{ source = "" } = {}] = await lode.reader.groups();
		// Whoever changed what.
		const code = { include: ["src/**"], ...small, retention: { maxVersions: 1 } };
		await lode.ports.catalog.putGroup(define(source, "code", code));
		expect(await lode.reader.group(source, "code")).toMatchObject({ state: "reindexing" });
		await environment.client.workflow.getHandle(`source/${source}`).signal(refChangedSignal);
		await until(
			() => lode.reader.group(source, "code"),
			({ state }) => state === "indexed",
		);
		expect(await chunksOf("code")).toEqual(["src/one.ts", "src/two.ts"]);
		await lode.commander.createGroup(source, "docs", { ...docs, retention: { maxVersions: 2 } }, {});
		await lode.commander.updateGroup(source, "default", { retention: { maxVersions: 1 } }, {});
		await repo.commit({ files: { "docs/c.md": long("gamma") }, deletes: ["docs/a.md"] });
		await lode.ingest(repo.path);
		expect(await chunksOf("docs")).toEqual(["docs/api/b.md", "docs/c.md"]);
		expect(await lode.reader.groups()).toMatchObject([{ name: "code" }, { name: "default" }, { name: "docs" }]);
	});

	test("garbage collection keeps what other groups were mined from, and the archive alone brings them back", async () => {
		const [{ source = "" } = {}] = await lode.reader.groups();
		const { snapshot } = await lode.verified();
		// The longest group decides: two versions are kept.
		expect((await lode.commander.collectGarbage()).horizons).toEqual({ [source]: snapshot - 1 });
		const before = await lode.verified();
		await lode.verified(source, String(snapshot - 1));
		await expect(lode.verified(source, String(snapshot - 2))).rejects.toMatchObject({ code: "SNAPSHOT_EXPIRED" });
		await environment.client.workflow.getHandle(`source/${source}`).terminate();
		const report = await rebuild(lode.ports, { replace: true, readModels: true });
		expect(report).toMatchObject({ ok: true, restaged: ["graph", "vectors"], stores: before.stores });
		expect(await chunksOf("docs")).toEqual(["docs/api/b.md", "docs/c.md"]);

		// What an installation without a past, which had these groups from the beginning, has of it.
		const [known] = await lode.ports.catalog.sources();
		const groups = await lode.ports.catalog.groups(source);
		await lode.close();
		const fresh = await LodeInstance.open(environment);
		try {
			const first = groups.find(({ name }) => name === "default");
			if (known && first) await fresh.ports.catalog.putSource(known, first);
			for (const group of groups) await fresh.ports.catalog.putGroup(group);
			await fresh.ingest(repo.path);
			expect((await fresh.verified()).stores).toEqual(before.stores);
		} finally {
			await fresh.close();
		}
	});
});
