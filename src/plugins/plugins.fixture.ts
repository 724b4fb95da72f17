import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HookThreadsOptions } from "./hook-threads.js";
import { loadPlugins, type Plugins } from "./load-plugins.js";

/** Modules of plugins in a folder of their own, loaded into real threads. */
export class PluginFolder {
	readonly reported: string[] = [];
	readonly #opened: Plugins[] = [];

	private constructor(readonly path: string) {}

	static async create(): Promise<PluginFolder> {
		return new PluginFolder(await mkdtemp(join(tmpdir(), "lode-plugins-")));
	}

	/** Returns the path, as LODE_PLUGINS takes it. */
	async write(file: string, module: string): Promise<string> {
		const path = join(this.path, file);
		await writeFile(path, module);
		return path;
	}

	async load(entries: readonly string[], options: Partial<HookThreadsOptions> = {}): Promise<Plugins> {
		const report = (line: string) => void this.reported.push(line);
		const plugins = await loadPlugins({ entries, home: this.path, threads: 2, report, ...options });
		this.#opened.push(plugins);
		return plugins;
	}

	/** One plugin that is `hooks`, as source text, with more of its declaration. */
	async plugin(name: string, hooks: string, declaration = ""): Promise<string> {
		const text = `export default { name: "${name}", version: "1.0.0", ${declaration} hooks: { ${hooks} } };\n`;
		return this.write(`${name}.mjs`, text);
	}

	async close(): Promise<void> {
		for (const plugins of this.#opened.splice(0)) await plugins.close();
		this.reported.length = 0;
	}

	async remove(): Promise<void> {
		await this.close();
		await rm(this.path, { recursive: true, force: true });
	}
}
