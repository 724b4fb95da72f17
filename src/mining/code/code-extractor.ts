import type { SkipReason } from "../../domain/mined-file.js";
import type { Extraction, Extractor, FileInput } from "../extractor.js";
import { buildStates } from "./file-states.js";
import { withTree } from "./grammar-runtime.js";
import { LANGUAGES } from "./languages/table.js";
import { MAX_NESTING, nestsTooDeep } from "./nesting.js";
import { MAX_SYMBOLS, SymbolCollector } from "./symbol-collector.js";
import { buildRegions } from "./symbol-regions.js";
import { walkSyntax } from "./syntax-walk.js";

/** Characters. Longer files are generated; their text is chunked all the same. */
const MAX_TEXT = 2 * 1024 * 1024;

/** Symbols, imports and calls of source code, by tree-sitter. What has syntax errors is mined as far as it parses. */
export const codeExtractor: Extractor = {
	name: "code",
	version: 1,

	matches: ({ language, text }) => language !== undefined && text !== undefined && LANGUAGES.has(language),

	async extract({ source, path, text, language = "" }: FileInput): Promise<Extraction> {
		const spec = LANGUAGES.get(language);
		if (spec === undefined || text === undefined) return { states: [], regions: [], skips: [] };
		if (text.length > MAX_TEXT) {
			return skipped("too_large", `symbols: ${text.length} characters, more than ${MAX_TEXT}`);
		}
		if (nestsTooDeep(text)) return skipped("nesting", `symbols: brackets nest deeper than ${MAX_NESTING}`);
		const parsed = await withTree(spec.grammar, text, (tree, grammar) => {
			const collector = new SymbolCollector(source, path, text, spec);
			walkSyntax(tree, grammar, collector);
			spec.finish?.(collector);
			return collector;
		});
		if ("skip" in parsed) return skipped(parsed.skip.reason, `symbols: ${parsed.skip.detail}`);
		const collector = parsed.value;
		return {
			states: buildStates(collector, language),
			regions: buildRegions(collector.definitions),
			skips: collector.truncated ? [{ reason: "too_large", detail: `symbols: only the first ${MAX_SYMBOLS}` }] : [],
		};
	},
};

function skipped(reason: SkipReason, detail: string): Extraction {
	return { states: [], regions: [], skips: [{ reason, detail }] };
}
