import { fileURLToPath } from "node:url";

/** The module `name` beside the one at `url`. Compiled, it is JavaScript; run from source (tests), Node strips its types. */
export function threadEntry(url: string, name: string): URL {
	const extension = fileURLToPath(url).endsWith(".ts") ? "ts" : "js";
	return new URL(`./${name}.${extension}`, url);
}

/** What a pool of threads needs to run the module. */
export function threadOptions(entry: URL): { filename: string; execArgv?: string[] } {
	return {
		filename: entry.href,
		...(entry.pathname.endsWith(".ts") ? { execArgv: ["--import", TYPESCRIPT_HOOK] } : {}),
	};
}

/**
 * For sources only: lets Node find `./x.ts` where TypeScript imports `./x.js`, and read all of TypeScript's syntax (by itself it
 * strips types but refuses what has to be rewritten).
 */
const TYPESCRIPT_HOOK = `data:text/javascript,${encodeURIComponent(`
import { readFileSync } from "node:fs";
import { registerHooks, stripTypeScriptTypes } from "node:module";
import { fileURLToPath } from "node:url";
registerHooks({
	resolve(specifier, context, next) {
		if (/^\\.{1,2}\\/.*\\.js$/.test(specifier) && context.parentURL?.endsWith(".ts")) {
			try {
				return next(specifier.replace(/\\.js$/, ".ts"), context);
			} catch {}
		}
		return next(specifier, context);
	},
	load(url, context, next) {
		if (!url.startsWith("file:") || !url.endsWith(".ts")) return next(url, context);
		const source = stripTypeScriptTypes(readFileSync(fileURLToPath(url), "utf8"), { mode: "transform" });
		return { format: "module", source, shortCircuit: true };
	},
});
`)}`;
