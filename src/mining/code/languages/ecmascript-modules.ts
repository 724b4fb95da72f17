import { moduleKey, packageKey } from "../../../domain/keys.js";
import type { ModuleName } from "../language-spec.js";
import { dirname, resolvePath, withoutExtension } from "../module-path.js";
import type { SymbolCollector } from "../symbol-collector.js";
import { words } from "./syntax.js";

/** `.d.ts` before `.ts`: the longest ending has to go. */
const EXTENSIONS = [".d.ts", ".d.mts", ".d.cts", ".tsx", ".ts", ".mts", ".cts", ".jsx", ".js", ".mjs", ".cjs"];
const NODE_MODULES = words(`assert async_hooks buffer child_process cluster console crypto dgram diagnostics_channel dns
	events fs http http2 https inspector module net os path perf_hooks process querystring readline repl stream string_decoder
	test timers tls tty url util v8 vm wasi worker_threads zlib`);

/** What an import specifier means from this file: a module of the source, a package, or a module of Node. */
export function importTarget(
	specifier: string,
	collector: SymbolCollector,
): { module: string; key?: string } | undefined {
	if (specifier === "" || specifier.length > 300) return undefined;
	if (/^\.{1,2}(?:\/|$)/.test(specifier)) {
		const path = resolvePath(dirname(collector.path), specifier);
		if (path === undefined) return undefined;
		return { module: withoutExtension(path, EXTENSIONS) || "." };
	}
	const builtin = specifier.replace(/^node:/, "");
	if (specifier.startsWith("node:") || NODE_MODULES.has(builtin.split("/")[0] ?? "")) {
		return { module: specifier, key: moduleKey("js", builtin) };
	}
	// `@/x`, `~/x`, `#x`, `/x` and URLs are aliases that only a build tool's settings explain: names nobody provides.
	const name = /^(?:@[\w.~-]+\/)?[\w.][\w.~-]*(?=\/|$)/.exec(specifier)?.[0];
	return name === undefined ? { module: specifier } : { module: specifier, key: packageKey("npm", name) };
}

/** States the import and gives its module name for bindings. */
export function importFrom(specifier: string | undefined, collector: SymbolCollector): string | undefined {
	const found = specifier === undefined ? undefined : importTarget(specifier, collector);
	if (found === undefined) return undefined;
	if (found.key === undefined) collector.importModule(found.module);
	else collector.import(found.key);
	return found.module;
}

/** The names under which the file can be imported. */
export function modules({ path }: SymbolCollector): ModuleName[] {
	const module = withoutExtension(path, EXTENSIONS);
	const rank = /\.d\.[mc]?ts$/.test(path) ? 1 : 0;
	const index = /^(?:(.*)\/)?index$/.exec(module);
	// `a/b.ts` goes before `a/b/index.ts`, as in every resolver.
	return index
		? [
				{ module: index[1] ?? ".", rank: 1 },
				{ module, rank },
			]
		: [{ module, rank }];
}
