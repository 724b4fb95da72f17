import type { Region } from "../extractor.js";
import type { Definition } from "./symbol-collector.js";

/**
 * The spans of lines that chunks should follow. Of two that would share a line without one holding the other (minified code),
 * or that begin on the same line, only the first and outer one stays.
 */
export function buildRegions(definitions: readonly Definition[]): Region[] {
	const candidates = definitions
		.filter((definition) => definition.region !== undefined)
		.sort((a, b) => a.startRow - b.startRow || b.endRow - a.endRow || a.startIndex - b.startIndex);
	const regions: Region[] = [];
	const open: Definition[] = [];
	for (const definition of candidates) {
		while (open.length > 0 && (open.at(-1)?.endRow ?? 0) < definition.startRow) open.pop();
		const outer = open.at(-1);
		if (outer !== undefined) {
			const inside = definition.startIndex < outer.endIndex && definition.endRow <= outer.endRow;
			if (!inside || definition.startRow === outer.startRow) continue;
		}
		open.push(definition);
		regions.push({
			startLine: definition.startRow + 1,
			endLine: definition.endRow + 1,
			kind: definition.region ?? "function",
			symbol: definition.qualified,
		});
	}
	return regions;
}
