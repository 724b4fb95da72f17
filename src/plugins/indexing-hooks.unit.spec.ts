import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { MinedFile } from "../domain/mined-file.js";
import { type MineInput, mineFile } from "../mining/mine-file.js";
import { decodeMinedFile, encodeMinedFile } from "../mining/mined-file-codec.js";
import { createMiningPool } from "../mining/mining-pool.js";
import { withIndexingHooks } from "./indexing-hooks.js";
import { PluginFolder } from "./plugins.fixture.js";

const settings = { chunkSize: 1200, overlap: 150 };
const input = (path: string, content: string | Uint8Array = "# Title\n\nSome words.\n"): MineInput => ({
	source: "s",
	path,
	bytes: Buffer.from(content),
	mode: "file",
});

/** Real plugins in real threads around the real miners. */
describe("indexing hooks", () => {
	let folder: PluginFolder;
	beforeAll(async () => {
		folder = await PluginFolder.create();
	});
	afterEach(() => folder.close());
	afterAll(() => folder.remove());

	async function poolWith(...entries: string[]) {
		return withIndexingHooks(createMiningPool({ threads: 0 }), await folder.load(entries));
	}
	const fileOf = ({ states }: MinedFile) => states.find(({ kind }) => kind === "file");

	it("change a file's text and metadata before it is mined, in order, and what was mined of it after", async () => {
		const before = await folder.plugin(
			"before",
			`beforeIndexing({ path, text, language, metadata }) {
				return { text: text.replace("Title", "Better"), metadata: { path, language, seen: Object.keys(metadata).length } };
			}`,
		);
		const after = await folder.plugin(
			"after",
			`beforeIndexing({ text, metadata }) { return { metadata: { ...metadata, second: text.includes("Better"), seen: 9 } }; },
			afterIndexing({ source, entities, chunks, metadata, lines }) {
				const { key, kind, name } = entities.find((one) => one.kind === "document");
				return {
					entities: [
						{ key, kind, name, props: { title: "Mine", words: metadata.seen + lines } },
						{ key: "business_entity:" + source + ":word", kind: "business_entity", name: "word", edges: [{ kind: "REFERENCES", to: key }] },
					],
					chunks: [{ ordinal: 0, symbol: "The " + chunks[0].symbol, kind: "text" }],
				};
			}`,
		);
		const pool = await poolWith(before, after);
		const mined = await pool.mine(input("a.md"), settings);
		const plain = await mineFile(input("a.md"), settings);
		expect(mined.artifact).toBe(plain.artifact);
		expect(mined.chunks).toEqual([
			{ ...plain.chunks[0], text: "# Better\n\nSome words.", symbol: "The Better", kind: "text" },
		]);
		expect(fileOf(mined)?.props.metadata).toEqual({ path: "a.md", language: "markdown", seen: 9, second: true });
		const document = mined.states.find(({ kind }) => kind === "document");
		// What the miner found wins.
		expect(document?.props).toMatchObject({ title: "Better", words: 12 });
		expect(mined.states).toContainEqual(expect.objectContaining({ key: "business_entity:s:word", provides: [] }));
		expect(mined.skips).toEqual([]);
		expect(decodeMinedFile(encodeMinedFile(mined))).toEqual(mined);
	});

	it("leave a file out, give text to what has none, and see nothing but what they ask for", async () => {
		const plugin = await folder.plugin(
			"out",
			`beforeIndexing({ path, text, bytes }) {
				if (path.endsWith(".gen.md")) return { skip: "generated" };
				if (text === undefined) return { text: "bytes: " + bytes.length + ", environment: " + Object.keys(process.env).length + "\\0" };
				console.log("to standard error");
			}`,
			`files: ["**/*.md", "*.bin"],`,
		);
		const last = await folder.plugin("last", `beforeIndexing() { return { metadata: { last: true } }; }`);
		const pool = await poolWith(plugin, last);
		const out = await pool.mine(input("x/a.gen.md"), settings);
		expect(out).toMatchObject({ chunks: [], skips: [{ reason: "excluded", detail: "out: generated" }], size: 21 });
		expect(fileOf(out)?.props).toMatchObject({ skips: ["excluded"] });
		expect(fileOf(out)?.props.metadata).toBeUndefined();
		const binary = await pool.mine(input("a.bin", Uint8Array.of(0, 1, 2)), settings);
		expect(binary.chunks.map(({ text }) => text)).toEqual(["bytes: 3, environment: 0\ufffd"]);
		const other = await pool.mine(input("a.txt"), settings);
		expect(fileOf(other)?.props.metadata).toEqual({ last: true });
		const link: MineInput = { ...input("link.md", "a.md"), mode: "symlink" };
		expect(await pool.mine(link, settings)).toEqual(await mineFile(link, settings));
	});

	const throwing = `throw Object.assign(new Error("token"), { name: "SomeError" })`;
	/** What a hook does in place of what it should, and what the file says then. */
	const HOSTILE: readonly (readonly [name: string, body: string, detail: RegExp])[] = [
		["throws", throwing, /threw SomeError$/],
		["rejects", "return Promise.reject(7)", /threw number$/],
		["loops", "for (;;) {}", /did not come to an end within 200 ms$/],
		["never", "return new Promise(() => setInterval(() => {}, 1000))", /did not come to an end within 200 ms$/],
		["exits", "process.exit(3)", /ended its thread$/],
		[
			"later",
			"setTimeout(() => { throw new Error('later'); }, 5); return new Promise(() => {})",
			/ended its thread|within 200 ms$/,
		],
		["number", "return 7", /returned what it may not/],
		["list", "return [1, 2]", /returned what it may not/],
		["function", "return () => {}", /no JSON$/],
		["circle", "const a = {}; a.a = a; return a", /no JSON$/],
		["bigint", "return { text: 1n }", /no JSON$/],
		["getter", "return { get text() { throw new Error('x'); } }", /no JSON$/],
		["unknown", "return { txet: 'a' }", /returned what it may not: .*txet/],
		["huge", "return { text: 'x'.repeat(17 * 1024 * 1024) }", /returned too much$/],
	];

	it.each(HOSTILE)("a hook that %s is left out and the file says so", async (name, body, detail) => {
		const plugin = await folder.plugin(
			`bad-${name}`,
			`beforeIndexing() { ${body} }`,
			"timeLimitsMs: { beforeIndexing: 200 },",
		);
		const good = await folder.plugin("good", `beforeIndexing() { return { metadata: { good: true } }; }`);
		const pool = await poolWith(plugin, good);
		const mined = await pool.mine(input("a.md"), settings);
		const plain = await mineFile(input("a.md"), settings);
		expect(mined.chunks).toEqual(plain.chunks);
		expect(mined.skips).toEqual([{ reason: "plugin", detail: expect.stringMatching(detail) }]);
		expect(mined.skips[0]?.detail).not.toContain("token");
		expect(fileOf(mined)?.props).toMatchObject({ skips: ["plugin"], metadata: { good: true } });
		expect(folder.reported.join()).toMatch(/plugin bad-.*@1\.0\.0: beforeIndexing/);
		await pool.close();
	});

	it("a hook that fills its memory ends with its thread", async () => {
		const body = "const all = []; for (;;) all.push(new Array(1e6).fill(all.length));";
		const path = await folder.plugin(
			"memory",
			`beforeIndexing() { ${body} }`,
			"timeLimitsMs: { beforeIndexing: 20000 },",
		);
		const pool = withIndexingHooks(createMiningPool({ threads: 0 }), await folder.load([path], { maxHeapMb: 64 }));
		const mined = await pool.mine(input("a.md"), settings);
		expect(mined.skips).toEqual([{ reason: "plugin", detail: "memory: beforeIndexing ended its thread" }]);
		expect(mined.chunks).toHaveLength(1);
	});

	it("what afterIndexing may not state is left out as a whole", async () => {
		const cases: readonly (readonly [answer: string, detail: RegExp])[] = [
			[`{ entities: [{ key: "file:s:other.md", kind: "file", name: "x" }] }`, /may not state/],
			[`{ entities: [{ key: "document:other:a.md", kind: "document", name: "x" }] }`, /may not state/],
			[`{ entities: [{ key: "commit:s:c", kind: "commit", name: "x" }] }`, /may not state/],
			[`{ entities: [{ key: "symbol:s:a", kind: "nonsense", name: "x" }] }`, /entities\.0\.kind/],
			[
				`{ entities: [{ key: "document:s:x", kind: "document", name: "x", edges: [{ kind: "EATS", to: "y" }] }] }`,
				/edges/,
			],
			[
				`{ entities: [{ key: "document:s:x", kind: "document", name: "x", props: { a: "y".repeat(70000) } }] }`,
				/at most/,
			],
			[
				`{ entities: Array.from({ length: 2001 }, (_, n) => ({ key: "symbol:s:" + n, kind: "symbol", name: "n" })) }`,
				/entities/,
			],
			[`{ chunks: [{ ordinal: 5, symbol: "x" }] }`, /chunks that the file does not have/],
			[`{ chunks: [{ ordinal: 0, text: "other" }] }`, /returned what it may not/],
		];
		const list = cases.map(([answer]) => `() => (${answer})`).join(",");
		const pool = await poolWith(
			await folder.plugin("after", `afterIndexing({ path }) { return [${list}][Number(path.slice(0, -3))](); }`),
		);
		for (const [at, [, detail]] of cases.entries()) {
			const mined = await pool.mine(input(`${at}.md`), settings);
			expect(mined.skips, `${at}`).toEqual([{ reason: "plugin", detail: expect.stringMatching(detail) }]);
			const { states, skips, ...plain } = await mineFile(input(`${at}.md`), settings);
			expect(mined).toMatchObject(plain);
			expect(mined.states.map(({ key }) => key)).toEqual(states.map(({ key }) => key));
		}
	});

	it.each(["beforeIndexing", "afterIndexing"])("fails the file where its declaration says so (%s)", async (hook) => {
		const pool = await poolWith(await folder.plugin("strict", `${hook}() { ${throwing} }`, `onFailure: "fail",`));
		const mined = await pool.mine(input("a.md"), settings);
		expect(mined).toMatchObject({ chunks: [], lines: 0, size: 21, mediaType: "text/markdown" });
		expect(mined.skips).toEqual([{ reason: "plugin", detail: `strict: ${hook} threw SomeError` }]);
		expect(mined.states.map(({ kind }) => kind)).toEqual(["file", "repository"]);
		expect(folder.reported.join()).toContain("token");
	});

	it("leaves a plugin out for a while that never comes to an end, so that it does not hold up a repository", async () => {
		const hang = await folder.plugin(
			"hang",
			"beforeIndexing() { for (;;) {} }",
			"timeLimitsMs: { beforeIndexing: 300 },",
		);
		const pool = withIndexingHooks(createMiningPool({ threads: 0 }), await folder.load([hang], { threads: 1 }));
		const files = await Promise.all(Array.from({ length: 50 }, (_, n) => pool.mine(input(`${n}.md`), settings)));
		const details = new Map<string, number>();
		for (const { skips } of files) details.set(skips[0]?.detail ?? "", (details.get(skips[0]?.detail ?? "") ?? 0) + 1);
		expect([...details]).toEqual([
			["hang: beforeIndexing did not come to an end within 300 ms", 1],
			["hang: beforeIndexing left out: it did not come to an end before", 49],
		]);
		expect(folder.reported.length).toBeLessThanOrEqual(11);
	});

	it("stops with the signal's reason in the middle of a hook", async () => {
		const pool = await poolWith(await folder.plugin("slow", "beforeIndexing() { for (;;) {} }"));
		const controller = new AbortController();
		const stopped = pool.mine(input("a.md"), settings, controller.signal);
		const reason = new Error("stop");
		setTimeout(() => controller.abort(reason), 300);
		await expect(stopped).rejects.toBe(reason);
	});

	it("notices a plugin that is another one than when the process started", async () => {
		const path = await folder.plugin("moving", `beforeIndexing() { return { metadata: { version: 1 } }; }`);
		const plugins = await folder.load([path]);
		const pool = withIndexingHooks(createMiningPool({ threads: 0 }), {
			...plugins,
			plugins: plugins.plugins.map((plugin) => ({ ...plugin, version: "0.9.0" })),
		});
		const mined = await pool.mine(input("a.md"), settings);
		expect(mined.skips[0]?.detail).toMatch(/changed since this process started/);
	});
});
