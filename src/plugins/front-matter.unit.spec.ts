import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mineFile } from "../mining/mine-file.js";
import { createMiningPool, type MiningPool } from "../mining/mining-pool.js";
import { withIndexingHooks } from "./indexing-hooks.js";
import { PluginFolder } from "./plugins.fixture.js";

const PLUGIN = fileURLToPath(new URL("../../plugins/front-matter", import.meta.url));
const settings = { chunkSize: 1200, overlap: 150 };

/** The example plugin as it is shipped, found as a folder, in real threads around the real miners. */
describe("the front matter plugin", () => {
	let folder: PluginFolder;
	let pool: MiningPool;
	beforeAll(async () => {
		folder = await PluginFolder.create();
		pool = withIndexingHooks(createMiningPool({ threads: 0 }), await folder.load([PLUGIN]));
	});
	afterAll(async () => {
		expect(folder.reported).toEqual([]);
		await folder.remove();
	});

	const input = (text: string, path = "docs/a.md") => ({
		source: "s",
		path,
		bytes: Buffer.from(text),
		mode: "file" as const,
	});
	async function fieldsOf(text: string) {
		const mined = await pool.mine(input(text), settings);
		const plain = await mineFile(input(text), settings);
		expect(mined.skips).toEqual([]);
		expect(mined.chunks).toEqual(plain.chunks);
		const file = mined.states.find(({ kind }) => kind === "file")?.props.metadata;
		const before = plain.states.find(({ kind }) => kind === "document")?.props ?? {};
		const { props } = mined.states.find(({ kind }) => kind === "document") ?? { props: {} };
		const added = Object.fromEntries(Object.entries(props).filter(([name]) => !(name in before)));
		expect(props).toMatchObject(before);
		return { file, added };
	}

	it("adds the fields to the file and to its document, beside what the miner found", async () => {
		const text = `---\ntitle: Orders\ntags: [shop, "2"]\ndate: 2026-01-31\nauthor:\n  name: Ada\ndraft: false\n---\n\n# Heading\n\nWords.\n`;
		const fields = { tags: ["shop", "2"], date: "2026-01-31", author: { name: "Ada" }, draft: false };
		expect(await fieldsOf(text)).toEqual({ file: { frontMatter: { title: "Orders", ...fields } }, added: fields });
		expect((await fieldsOf(text.replaceAll("\n", "\r\n"))).added).toEqual(fields);
	});

	it.each([
		["no front matter", "# Heading\n\n---\na: 1\n---\n"],
		["an open fence", "---\na: 1\n\n# Heading\n"],
		["broken YAML", '---\na: "b\n  - c: {\n---\n# x\n'],
		["a list", "---\n- a\n- b\n---\n# x\n"],
		["nothing", "---\n---\n# x\n"],
		[
			"a bomb of aliases",
			`---\na: &a [x, x]\n${Array.from({ length: 30 }, (_, n) => `k${n}: &b${n} [*${n ? `b${n - 1}` : "a"}, *${n ? `b${n - 1}` : "a"}]`).join("\n")}\n---\n# x\n`,
		],
		["a tag that makes objects", "---\na: !!js/function 'x'\n---\n# x\n"],
	])("takes %s for text and no failure", async (name, text) => {
		const { added } = await fieldsOf(text);
		expect(added).toEqual(name.startsWith("a tag") ? { a: "x" } : {});
	});

	it("leaves other files alone", async () => {
		const code = input("---\ntitle: x\n---\n", "a.txt");
		expect(await pool.mine(code, settings)).toEqual(await mineFile(code, settings));
	});
});
