// Lets programs below test/, which are TypeScript, run straight from the source tree: import this before anything else of ours. Files of
// test/ are compiled as they are loaded, with the build's compiler (Node's own stripping refuses parameter properties); what they import of
// Lode is dist/, so that it is the same code that processes run.
import { existsSync, readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";
import { transformSync } from "@swc/core";

const ROOT = new URL("../../", import.meta.url).href;
const TESTS = new URL("test/", ROOT).href;
const BUILT = ["src/", "temporal/", "worker.js"].map((path) => new URL(path, ROOT).href);

registerHooks({
	resolve(specifier, context, next) {
		if (!context.parentURL?.startsWith(TESTS) || !specifier.startsWith(".")) return next(specifier, context);
		const wanted = new URL(specifier, context.parentURL).href;
		if (BUILT.some((place) => wanted.startsWith(place))) {
			return next(new URL(`dist/${wanted.slice(ROOT.length)}`, ROOT).href, context);
		}
		const source = wanted.replace(/\.js$/, ".ts");
		return next(existsSync(fileURLToPath(source)) ? source : wanted, context);
	},
	load(url, context, next) {
		if (!url.startsWith(TESTS) || !url.endsWith(".ts")) return next(url, context);
		const filename = fileURLToPath(url);
		const { code } = transformSync(readFileSync(filename, "utf8"), {
			filename,
			sourceMaps: "inline",
			swcrc: false,
			module: { type: "nodenext" },
			jsc: { target: "es2023", parser: { syntax: "typescript" } },
		});
		return { format: "module", source: code, shortCircuit: true };
	},
});
process.setSourceMapsEnabled(true);
