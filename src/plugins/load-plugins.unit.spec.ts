import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { indexingVersions } from "./load-plugins.js";
import { PluginFolder } from "./plugins.fixture.js";

const HOOK = "beforeIndexing() {}";

/** Real modules in real threads. */
describe("loading plugins", () => {
	let folder: PluginFolder;
	beforeAll(async () => {
		folder = await PluginFolder.create();
	});
	afterEach(() => folder.close());
	afterAll(() => folder.remove());

	const refused = async (entries: readonly string[], message: RegExp) =>
		expect(folder.load(entries, { declareLimitMs: 3_000 })).rejects.toMatchObject({
			code: "CONFIG_INVALID",
			message: expect.stringMatching(message),
			next: expect.any(String),
		});

	it("finds files, folders with a package.json, and packages from the home upwards, in their order", async () => {
		const file = await folder.plugin("one", HOOK);
		for (const [at, name, pkg] of [
			["two", "two", { main: "lib.js" }],
			["node_modules/@scope/three", "@scope/three", { exports: { ".": { import: "./lib.js" } } }],
		] as const) {
			const path = join(folder.path, at);
			await mkdir(path, { recursive: true });
			await writeFile(join(path, "package.json"), JSON.stringify({ name, type: "module", ...pkg }));
			const text = `export default { name: "${name}", version: "2", files: ["*.${name.at(-1)}"], hooks: { afterIndexing() {} } };`;
			await writeFile(join(path, "lib.js"), text);
		}
		const { plugins } = await folder.load([join(folder.path, "two"), file, "@scope/three"]);
		expect(plugins.map(({ name, version, onFailure }) => [name, version, onFailure])).toEqual([
			["two", "2", "skip"],
			["one", "1.0.0", "skip"],
			["@scope/three", "2", "skip"],
		]);
		const versions = indexingVersions(plugins);
		expect(versions.all).toEqual(["two@2", "one@1.0.0", "@scope/three@2"]);
		expect(versions.of("a.o")).toEqual(["two@2", "one@1.0.0"]);
		expect(versions.of("a.x")).toEqual(["one@1.0.0"]);
		expect(indexingVersions([{ ...(plugins[0] as (typeof plugins)[0]), hooks: ["beforeSearch"] }]).all).toEqual([]);
	});

	it("refuses what is no plugin, and says what is wrong with which", async () => {
		const module = async (name: string, text: string) => folder.write(`${name}.mjs`, text);
		const exporting = (plugin: string) => `export default ${plugin};`;
		await refused([join(folder.path, "absent.mjs")], /absent\.mjs: there is no such file/);
		await refused(["no-such-package-at-all"], /no-such-package-at-all: there is no such package/);
		await refused([await module("empty", "")], /empty\.mjs: its default export: /);
		await refused([await module("syntax", "export default {")], /its module cannot be loaded \(threw SyntaxError\)/);
		await refused([await module("thrown", "throw new TypeError('secret')")], /\(threw TypeError\)$/);
		await refused([await module("exits", "process.exit(0)")], /exits\.mjs: ended its thread/);
		await refused([await module("hangs", "for (;;) {}")], /hangs\.mjs: did not come to an end within 3000 ms/);
		await refused([await module("never", "await new Promise(() => {})")], /never\.mjs: (did not come|ended)/);
		for (const [name, plugin, message] of [
			["name", `{ name: "../x", version: "1", hooks: { ${HOOK} } }`, /name: must be 1 to 100/],
			["version", `{ name: "x", hooks: { ${HOOK} } }`, /version: /],
			["none", `{ name: "x", version: "1", hooks: {} }`, /hooks: must have at least one hook/],
			["other", `{ name: "x", version: "1", hooks: { onFile() {} } }`, /hooks: .*onFile/],
			["text", `{ name: "x", version: "1", hooks: { afterSearch: "now" } }`, /hooks\.afterSearch: must be a function/],
			[
				"limit",
				`{ name: "x", version: "1", timeLimitsMs: { afterSearch: 60000 }, hooks: { ${HOOK} } }`,
				/timeLimitsMs/,
			],
			["trap", `new Proxy({}, { get() { throw new Error("trap"); } })`, /trap\.mjs: /],
		] as const)
			await refused([await module(name, exporting(plugin))], message);
		const one = await folder.plugin("twin", HOOK);
		await refused([one, one], /two plugins are called twin/);
	});
});
