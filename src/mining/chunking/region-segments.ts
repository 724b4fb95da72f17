import type { ChunkKind } from "../../domain/mined-file.js";
import type { Region } from "../extractor.js";

/** Lines (0-based, inclusive) that have one innermost owner. Segments of a file are disjoint, in order, and cover it. */
export interface Segment {
	readonly first: number;
	readonly last: number;
	readonly kind: ChunkKind;
	readonly symbol: string | undefined;
	/** The owner is a region without others in it: its lines stay together. Else these are lines between regions. */
	readonly leaf: boolean;
}

interface Open {
	readonly last: number;
	readonly kind: ChunkKind;
	readonly symbol: string;
	hasChildren: boolean;
}

/** More than this are left out: they could not become chunks anyway. */
const MAX_REGIONS = 50_000;

/**
 * Walks regions in order of their lines. Regions of extractors nest or are disjoint by contract, but two neighbours may share
 * a line (`}; function b() {`): it goes to the first. Of two regions with the same lines the outer (first given) stays.
 */
export function* segmentsOf(regions: readonly Region[], lines: number, plainKind: ChunkKind): Generator<Segment> {
	const sorted = regions
		.slice(0, MAX_REGIONS)
		.filter((region) => region.startLine >= 1 && region.endLine >= region.startLine && region.startLine <= lines)
		.sort((a, b) => a.startLine - b.startLine || b.endLine - a.endLine);
	const open: Open[] = [];
	let next = 0;

	function* upTo(last: number): Generator<Segment> {
		if (last < next) return;
		const owner = open.at(-1);
		yield {
			first: next,
			last,
			kind: owner?.kind ?? plainKind,
			symbol: owner === undefined || owner.symbol === "" ? undefined : owner.symbol,
			leaf: owner !== undefined && !owner.hasChildren,
		};
		next = last + 1;
	}

	for (const region of sorted) {
		const last = Math.min(region.endLine, lines) - 1;
		for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
			if (region.startLine - 1 <= top.last && last <= top.last) break;
			yield* upTo(top.last);
			open.pop();
		}
		const first = Math.max(region.startLine - 1, next);
		const parent = open.at(-1);
		if (first > last) continue;
		if (parent !== undefined) {
			if (first === next && last === parent.last && !parent.hasChildren) continue;
			parent.hasChildren = true;
		}
		yield* upTo(first - 1);
		open.push({ last, kind: region.kind, symbol: region.symbol, hasChildren: false });
	}
	for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
		yield* upTo(top.last);
		open.pop();
	}
	yield* upTo(lines - 1);
}
