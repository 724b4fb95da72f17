import { describe, expect, it } from "vitest";
import type { Edge, EntityState } from "../../domain/entities.js";
import type { Extraction } from "../extractor.js";
import { markdownExtractor } from "./markdown-extractor.js";

async function extract(text: string, path = "docs/guide.md"): Promise<Extraction> {
	const settings = { chunkSize: 1200, overlap: 150 };
	const input = { source: "s", path, bytes: new Uint8Array(), text, language: "markdown", settings };
	return markdownExtractor.extract(input);
}

const stateOf = ({ states }: Extraction, key: string): EntityState | undefined =>
	states.find((state) => state.key === key);
const targets = (state: EntityState | undefined, kind: Edge["kind"]): string[] =>
	(state?.edges ?? []).filter((edge) => edge.kind === kind).map((edge) => edge.to);

describe("markdownExtractor", () => {
	it("gives a document its title and sections, nested as their headings are", async () => {
		const result = await extract("Intro\n\n# Title *one*\n\na\n\n### Deep\n\nb\n\n## Next\n\nSetext\n======\nc\n");
		const document = stateOf(result, "document:s:docs/guide.md");
		expect(document).toMatchObject({ kind: "document", name: "Title one" });
		expect(targets(document, "CONTAINS")).toEqual([
			"section:s:docs/guide.md#title-one",
			"section:s:docs/guide.md#setext",
		]);
		expect(targets(stateOf(result, "section:s:docs/guide.md#title-one"), "CONTAINS")).toEqual([
			"section:s:docs/guide.md#deep",
			"section:s:docs/guide.md#next",
		]);
		expect(result.regions).toEqual([
			{ startLine: 3, endLine: 6, kind: "section", symbol: "Title one" },
			{ startLine: 7, endLine: 10, kind: "section", symbol: "Deep" },
			{ startLine: 11, endLine: 12, kind: "section", symbol: "Next" },
			{ startLine: 13, endLine: 15, kind: "section", symbol: "Setext" },
		]);
		expect(targets(stateOf(result, "file:s:docs/guide.md"), "DEFINES")).toEqual(["document:s:docs/guide.md"]);
	});

	it("names anchors as GitHub does", async () => {
		const headings = [
			"What's new? (v1.2)",
			"Setup",
			"Setup",
			"Setup-1",
			"`code` & Ünïcode_x",
			"日本 語",
			"A  B",
			"Setup",
		];
		const { states } = await extract(headings.map((heading) => `# ${heading}\n`).join("\n"));
		const anchors = states.flatMap((state) => (state.kind === "section" ? [state.props.anchor] : []));
		expect(anchors).toEqual([
			"whats-new-v12",
			"setup",
			"setup-1",
			"setup-1-1",
			"code--ünïcode_x",
			"日本-語",
			"a-b",
			"setup-2",
		]);
	});

	it("sees no headings in code, HTML comments and front matter", async () => {
		const text =
			"---\ntitle: 'From front'\n---\n\n```sh\n# not one\n```\n\n<!--\n\n# nor this\n-->\n\n    # nor that\n\n## Real\n";
		const result = await extract(text);
		expect(result.regions).toEqual([{ startLine: 16, endLine: 16, kind: "section", symbol: "Real" }]);
		expect(stateOf(result, "document:s:docs/guide.md")?.name).toBe("From front");
	});

	it("sees the same headings in a long document, which is parsed in slices", async () => {
		const code = `${"echo a line of code that is long enough\n# code\n\n".repeat(60)}`;
		const filler = `${"Some words of a paragraph. ".repeat(20)}\n\n\`\`\`sh\n${code}\`\`\`\n\n<pre>\n${code}</pre>\n\n- item\n\n  # in a list\n\n`;
		const text = Array.from({ length: 50 }, (_, n) => `# Part ${n}\n\n${filler}`).join("");
		const result = await extract(text);
		expect(result.skips).toEqual([]);
		expect(result.regions.map((region) => region.symbol)).toEqual(Array.from({ length: 50 }, (_, n) => `Part ${n}`));
		const lines = text.split("\n");
		for (const region of result.regions) expect(lines[region.startLine - 1]).toBe(`# ${region.symbol}`);
	});

	it("reads headings that are references to definitions at the end of a long document", async () => {
		const text = `# [1.0.0] - 2024\n\n${"words ".repeat(2_000)}\n\n# Next [un defined]\n\n[1.0.0]: https://a.example/1\n`;
		const result = await extract(text);
		expect(result.regions.map((region) => region.symbol)).toEqual(["1.0.0 - 2024", "Next [un defined]"]);
		expect(stateOf(result, "document:s:docs/guide.md")?.props.links).toEqual(["https://a.example/1"]);
	});

	it("resolves links to paths, from the section that holds them", async () => {
		const text =
			"[a](../src/a.ts#L3) ![i](img/x%20y.png)\n\n# S\n\n[root](/README.md) <https://u:p@b.example/x> [up](../../../etc/passwd)\n" +
			"[self](#s) [mail](mailto:a@b.c) [js](javascript:alert(1)) [dir](../src/) [ref]\n\n[ref]: ./other.md 'T'\n\nhttp://a.example\n";
		const result = await extract(text);
		const document = stateOf(result, "document:s:docs/guide.md");
		expect(targets(document, "REFERENCES")).toEqual(["name:s:path::src/a.ts", "name:s:path::docs/img/x y.png"]);
		expect(targets(stateOf(result, "section:s:docs/guide.md#s"), "REFERENCES")).toEqual([
			"name:s:path::README.md",
			"name:s:path::src",
			"name:s:path::docs/other.md",
		]);
		expect(document?.props.links).toEqual(["http://a.example/", "https://b.example/x"]);
	});

	it("lets a README describe its folder", async () => {
		const nested = stateOf(await extract("# A", "pkg/a/ReadMe.md"), "document:s:pkg/a/ReadMe.md");
		expect(targets(nested, "DESCRIBES")).toEqual(["folder:s:pkg/a"]);
		const root = stateOf(await extract("# A", "README.md"), "document:s:README.md");
		expect(targets(root, "DESCRIBES")).toEqual(["repository:s"]);
	});

	it("counts lines as git does where a carriage return stands alone", async () => {
		const result = await extract("a\rb\n\n# One\r\nx\r\n");
		expect(result.regions).toEqual([{ startLine: 3, endLine: 4, kind: "section", symbol: "One" }]);
	});

	it("tells a section that changed from one that moved", async () => {
		const hash = async (text: string) => stateOf(await extract(text), "section:s:docs/guide.md#b")?.props.hash;
		const before = await hash("# A\n\n# B\n\nx\n");
		expect(await hash("# A\n\nlonger\n\n# B\n\nx\n")).toBe(before);
		expect(await hash("# A\n\n# B\n\ny\n")).not.toBe(before);
	});

	// Each overflows the parser's stack, or takes it seconds to hours.
	it.each([
		["nested quotes", `${">".repeat(2_000)} a`],
		["nested lists", "1. ".repeat(2_000)],
		["lists nested by indentation", Array.from({ length: 600 }, (_, n) => `${"  ".repeat(n)}- a`).join("\n")],
		["closing brackets", "]".repeat(100_000)],
		["setext headings without blank lines", "a\n=\n".repeat(50_000)],
		["opened links", "[a](".repeat(50_000)],
	])("skips hostile %s and says so", async (_name, text) => {
		const result = await extract(`# Before\n\n${"words ".repeat(500)}\n\n# Hostile\n${text}`);
		expect(result.skips).toEqual([{ reason: "nesting", detail: expect.any(String) }]);
		expect(result.regions[0]?.symbol).toBe("Before");
	});

	it("takes rules and long underlines for what they are", async () => {
		const result = await extract(`Title\n${"=".repeat(500)}\n\n${"-".repeat(500)}\n\n${"* ".repeat(100)}\n`);
		expect(result.skips).toEqual([]);
		expect(result.regions).toHaveLength(1);
	});

	it("leaves a document of more than 1 MiB to plain chunks", async () => {
		const result = await extract("# a\n\n".repeat(250_000));
		expect(result.regions).toEqual([]);
		expect(result.skips).toMatchObject([{ reason: "too_large" }]);
	});
});
