import type { TestWorkflowEnvironment } from "@temporalio/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Miner } from "../../src/activities/ports.js";
import type { IndexingVersions } from "../../src/mining/indexing-versions.js";
import { createMiningPool } from "../../src/mining/mining-pool.js";
import { withIndexingHooks } from "../../src/plugins/indexing-hooks.js";
import { indexingVersions } from "../../src/plugins/load-plugins.js";
import { PluginFolder } from "../../src/plugins/plugins.fixture.js";
import { createRepository, type TestRepository } from "../support/git-repository.js";
import { LodeInstance } from "../support/lode-instance.js";
import { temporalEnvironment } from "../support/temporal-environment.js";

/** Real: Temporal server, worker, all stores, git, plugins in threads. What is loaded changes as if the worker were started again. */
let environment: TestWorkflowEnvironment;
let lode: LodeInstance;
let folder: PluginFolder;
let repository: TestRepository;
let plugins: IndexingVersions | undefined;
let miner: Miner;
const mined: string[] = [];

beforeAll(async () => {
	environment = await temporalEnvironment();
	folder = await PluginFolder.create();
	repository = await createRepository();
	lode = await LodeInstance.open(environment, {
		ports: (ports) => ({
			...ports,
			get plugins() {
				return plugins;
			},
			miner: {
				mine: (files, ...rest) => {
					mined.push(...files.map(({ path }) => path));
					return miner.mine(files, ...rest);
				},
			},
		}),
	});
});
afterAll(async () => {
	await lode?.close();
	await environment?.teardown();
	await folder?.remove();
	await repository?.remove();
});

/** A worker that starts with these plugins ingests the head; returns what was mined rather than taken from the archive. */
async function ingestWith(
	...modules: readonly (readonly [name: string, version: string, files: string, onFailure: string, body: string])[]
) {
	const entries: string[] = [];
	for (const [name, version, files, onFailure, body] of modules) {
		const text = `export default { name: "${name}", version: "${version}", files: ["${files}"], onFailure: "${onFailure}",
			hooks: { beforeIndexing({ text }) { ${body} } } };`;
		entries.push(await folder.write(`${name}-${version}.mjs`, text));
	}
	await folder.close();
	const loaded = await folder.load(entries);
	plugins = indexingVersions(loaded.plugins);
	const pool = withIndexingHooks(createMiningPool({ threads: 0 }), loaded);
	miner = { mine: (files, settings, signal) => Promise.all(files.map((file) => pool.mine(file, settings, signal))) };
	mined.length = 0;
	const report = await lode.ingest(repository.path);
	return { report, mined: [...mined].sort() };
}

test("a plugin of another version mines again what it sees, and nothing else", async () => {
	await repository.commit({
		files: {
			"a.md": "# A\n\nalpha\n",
			"b.md": "# B\n\nbeta\n",
			"c.ts": "export const gamma = 1;\n",
			"d.csv": "id,name\n1,delta\n",
		},
	});
	const body = (version: string) => `return { metadata: { version: "${version}" } }`;
	const metadata = async (path: string) => (await lode.reader.graph(path, { depth: 0 })).entity.props.metadata;

	const first = await ingestWith(["notes", "1", "**/*.md", "skip", body("1")]);
	expect(first).toMatchObject({
		report: { outcome: "published", snapshot: 1 },
		mined: ["a.md", "b.md", "c.ts", "d.csv"],
	});
	expect([await metadata("a.md"), await metadata("c.ts")]).toEqual([{ version: "1" }, undefined]);
	const same = await ingestWith(["notes", "1", "**/*.md", "skip", body("1")]);
	expect(same).toMatchObject({ report: { outcome: "unchanged" }, mined: [] });

	const second = await ingestWith(["notes", "2", "**/*.md", "skip", body("2")]);
	expect(second).toMatchObject({ report: { outcome: "published", snapshot: 2 }, mined: ["a.md", "b.md"] });
	expect(second.report).toMatchObject({ embedded: 0, files: { failed: 0 } });
	expect(await metadata("a.md")).toEqual({ version: "2" });
	expect((await lode.reader.graph("a.md", { depth: 0, at: "1" })).entity.props.metadata).toEqual({ version: "1" });

	// Of data files too, which are mined outside of threads.
	const third = await ingestWith(
		["notes", "2", "**/*.md", "skip", body("2")],
		["rows", "1", "*.csv", "skip", `return { text: text.replace("delta", "epsilon") }`],
	);
	expect(third.mined).toEqual(["d.csv"]);
	const { hits } = await lode.reader.search({ text: "epsilon", limit: 1 });
	expect(hits[0]).toMatchObject({ path: "d.csv", text: expect.stringContaining("1,epsilon") });
	expect((await lode.reader.file("d.csv", {})).text).toBe("id,name\n1,delta");

	// Back at what was there before: everything is in the archive.
	const back = await ingestWith(["notes", "1", "**/*.md", "skip", body("1")]);
	expect(back).toMatchObject({ report: { snapshot: 4 }, mined: [] });
	await lode.verified();
});

test("a file that a plugin fails is published without it, counted, and mined again the next time", async () => {
	const throwing = `throw new Error("no");`;
	const failed = await ingestWith(["notes", "3", "a.md", "fail", throwing], ["more", "1", "b.md", "skip", throwing]);
	expect(failed.report).toMatchObject({ outcome: "published", files: { failed: 2 } });
	const skips = async (path: string) => (await lode.reader.graph(path, { depth: 0 })).entity.props.skips;
	expect([await skips("a.md"), await skips("b.md"), await skips("c.ts")]).toEqual([["plugin"], ["plugin"], undefined]);
	const found = async (text: string) => (await lode.reader.search({ text, limit: 1 })).hits.map(({ path }) => path);
	expect([await found("alpha"), await found("beta")]).toEqual([[], ["b.md"]]);
	expect((await lode.reader.file("a.md", {})).text).toContain("alpha");

	const again = await ingestWith(
		["notes", "3", "a.md", "fail", ""],
		["more", "1", "b.md", "skip", throwing],
		["other", "1", "none", "skip", ""],
	);
	expect(again).toMatchObject({ report: { files: { failed: 1 } }, mined: ["a.md", "b.md"] });
	expect(await found("alpha")).toEqual(["a.md"]);
	await lode.verified();
});
