import { pathGlob } from "../domain/path-glob.js";
import type { IndexingVersions } from "../mining/indexing-versions.js";
import { declarationSchema, issuesOf } from "./declaration.js";
import { HookThreads, type HookThreadsOptions, type LoadedPlugin } from "./hook-threads.js";
import { locatePlugin, unusable } from "./locate.js";
import type { HookName } from "./plugin.js";

export interface PluginOptions extends HookThreadsOptions {
	/** As LODE_PLUGINS lists them, paths absolute. */
	readonly entries: readonly string[];
	readonly home: string;
}

/** Plugins in their order, and the threads that run them. */
export interface Plugins {
	readonly plugins: readonly LoadedPlugin[];
	readonly threads: HookThreads;
	close(): Promise<void>;
}

/**
 * Finds every plugin and has it say what it is, in a thread. One that cannot be loaded stops the start: without it, everything that it touches
 * would be mined anew. @throws CONFIG_INVALID
 */
export async function loadPlugins({ entries, home, ...options }: PluginOptions): Promise<Plugins> {
	const located = entries.map((entry) => ({ entry, url: locatePlugin(entry, home) }));
	const threads = new HookThreads(options);
	try {
		const plugins: LoadedPlugin[] = [];
		for (const { entry, url } of located) {
			const answer = await threads.declare(url);
			if ("failure" in answer) throw unusable(entry, answer.failure, "See docs/plugins.md for what a plugin is.");
			const declared = declarationSchema.safeParse(answer.value);
			if (!declared.success) throw unusable(entry, issuesOf(declared.error));
			if (plugins.some(({ name }) => name === declared.data.name)) {
				throw unusable(entry, `two plugins are called ${declared.data.name}`);
			}
			plugins.push({ ...declared.data, url });
		}
		return { plugins, threads, close: () => threads.close() };
	} catch (error) {
		await threads.close();
		throw error;
	}
}

export const having = (plugins: readonly LoadedPlugin[], ...names: readonly HookName[]): LoadedPlugin[] =>
	plugins.filter(({ hooks }) => names.some((name) => hooks.includes(name)));

/** Whether a plugin's indexing hooks see a path. */
export function seesPath({ files }: Pick<LoadedPlugin, "files">): (path: string) => boolean {
	return files === undefined ? () => true : pathGlob(files);
}

/** What of these plugins belongs into the keys of mined files. */
export function indexingVersions(plugins: readonly LoadedPlugin[]): IndexingVersions {
	const indexing = having(plugins, "beforeIndexing", "afterIndexing").map((plugin) => ({
		id: `${plugin.name}@${plugin.version}`,
		sees: seesPath(plugin),
	}));
	return {
		all: indexing.map(({ id }) => id),
		of: (path) => indexing.filter(({ sees }) => sees(path)).map(({ id }) => id),
	};
}
