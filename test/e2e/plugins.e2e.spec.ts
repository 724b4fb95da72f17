import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadConfig } from "../../src/config/config.js";
import { pluginSchema } from "../../src/plugins/declaration.js";
import { openReader } from "../../src/wiring.js";
import { readDocument, tableUnder } from "../support/document-examples.js";
import { createRepository, type TestRepository } from "../support/git-repository.js";
import { lode } from "../support/lode-process.js";

const FRONT_MATTER = fileURLToPath(new URL("../../plugins/front-matter", import.meta.url));

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every form.
type Answer = any;

/** Real: the built CLI and its worker, the plugin that docs/plugins.md shows, and the example that is shipped. */
describe("plugins", () => {
	let folder: string;
	let home: string;
	let repository: TestRepository;
	let markdown: string;
	beforeAll(async () => {
		folder = await mkdtemp(join(tmpdir(), "lode-plugins-"));
		home = join(folder, ".lode");
		markdown = await readDocument("docs/plugins.md");
		const [, module = ""] = /^```js\n([\s\S]*?)^```$/m.exec(markdown) ?? [];
		await writeFile(join(folder, "owners.mjs"), module);
		repository = await createRepository();
		await repository.commit({
			files: {
				"src/orders.ts": "// owner: ada\nexport function purchaseOrder(): number {\n\treturn 1;\n}\n",
				"src/orders.test.ts": "purchaseOrder(); // purchase order, purchase order\n",
				"src/generated/api.ts": "export const purchaseOrderApi = 1;\n",
				"docs/guide.md": "---\ntitle: Guide\ntags: [orders]\n---\n\n# Orders\n\nHow they are bought.\n",
			},
		});
	});
	afterAll(async () => {
		await repository.remove();
		await rm(folder, { recursive: true, force: true });
	});

	const LODE_PLUGINS = `./owners.mjs,${FRONT_MATTER}`;
	async function run(args: readonly string[], extra: Record<string, string> = { LODE_PLUGINS }): Promise<Answer> {
		const { code, stdout, stderr } = await lode(home, [...args, "--json"], extra, { cwd: folder });
		return code === 0 ? JSON.parse(stdout) : { code, stderr };
	}

	test("the documented plugin and the shipped one do in every process what they say", async () => {
		const ingested = await run(["ingest", repository.path]);
		expect(ingested).toMatchObject({ outcome: "published", files: { added: 4, failed: 0 } });

		const { config } = loadConfig({ env: { LODE_HOME: home, LODE_PLUGINS }, cwd: folder });
		const reader = await openReader(config);
		const show = (key: string) => reader.graph(key.replace("*", ingested.source), { depth: 1 });
		const props = async (key: string) => (await show(key)).entity.props;
		expect(await props("file:*:src/orders.ts")).toMatchObject({ metadata: { owner: "ada" } });
		expect(await props("file:*:src/generated/api.ts")).toMatchObject({ skips: ["excluded"], lines: 0 });
		expect(await props("document:*:docs/guide.md")).toMatchObject({ title: "Guide", tags: ["orders"] });
		const { edges } = await show("ada");
		expect(edges).toMatchObject([{ kind: "REFERENCES", to: `file:${ingested.source}:src/orders.ts` }]);
		expect(await reader.verify({})).toMatchObject({ ok: true });
		await reader.close();

		const found = await run(["search", "PO", "--path", "src/**"]);
		expect(found.hits.map(({ path, annotations }: Answer) => [path, annotations])).toEqual([
			["src/orders.ts", { owners: { test: false } }],
			["src/orders.test.ts", { owners: { test: true } }],
		]);
		const without = await run(["ingest", repository.path], {});
		expect(without).toMatchObject({ outcome: "published", snapshot: 2 });
	});

	test("one that is none stops the start, and a file of a folder cannot name any", async () => {
		await writeFile(join(folder, "none.mjs"), "export default { name: 'none', version: '1', hooks: {} };");
		for (const command of [
			["search", "a"],
			["ingest", repository.path],
		]) {
			const none = await run(command, { LODE_PLUGINS: "./none.mjs" });
			expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining("hooks: must have at least one hook") });
		}
		const other = join(folder, "other");
		await mkdir(other);
		await writeFile(join(other, "lode.config.json"), JSON.stringify({ plugins: ["./owners.mjs"] }));
		const { code, stderr } = await lode(home, ["search", "a"], {}, { cwd: other });
		expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringMatching(/LODE_PLUGINS: can only be set/) });
	});

	test("docs/plugins.md has every field and every hook, with what each may return", async () => {
		const code = (cell = "") => [...cell.matchAll(/`([A-Za-z]+)`/g)].map(([, text]) => text);
		const fields = tableUnder(markdown, "field").flatMap(([names]) => code(names));
		expect(fields.sort()).toEqual(Object.keys(pluginSchema.shape).sort());
		const types = await readFile(new URL("../../src/plugins/plugin.ts", import.meta.url), "utf8");
		const members = (name: string) => {
			const [, body = ""] = new RegExp(`export interface ${name} \\{([\\s\\S]*?)\\n\\}`).exec(types) ?? [];
			return [...body.matchAll(/^\treadonly ([a-zA-Z]+)\??:/gm)].map(([, field]) => field).sort();
		};
		const hooks = tableUnder(markdown, "hook");
		expect(hooks.map(([name]) => code(name)[0])).toEqual([
			"beforeIndexing",
			"afterIndexing",
			"beforeSearch",
			"afterSearch",
		]);
		expect(hooks.map(([, gets]) => code(gets).sort())).toEqual(
			["FileToIndex", "IndexedFile", "PluginQuery", "FoundHits"].map(members),
		);
		for (const [at, name] of ["FileChange", "IndexedFileChange", "QueryChange", "HitsChange"].entries())
			expect(code(hooks[at]?.[2]), name).toEqual(expect.arrayContaining(members(name)));
	});
});
