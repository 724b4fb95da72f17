import { DEFAULT_GROUP } from "../../domain/group.js";
import type { ChunkHit } from "../../stores/vectors/vectors.port.js";

type Place = Pick<ChunkHit, "source" | "path" | "group" | "startLine" | "endLine">;

/** Whether two groups have the same lines of a file. Chunks of one group may overlap: each says something of its own. */
export function isSamePlace(a: Place, b: Place): boolean {
	return (
		a.group !== b.group &&
		a.source === b.source &&
		a.path === b.path &&
		a.startLine <= b.endLine &&
		b.startLine <= a.endLine
	);
}

/** Of hits that several groups have of the same lines, only the first stays: give them best first. */
export function onceAPlace<T extends Place>(hits: readonly T[]): T[] {
	const byFile = new Map<string, T[]>();
	return hits.filter((hit) => {
		const file = `${hit.source}\0${hit.path}`;
		const kept = byFile.get(file) ?? [];
		if (kept.some((other) => isSamePlace(other, hit))) return false;
		kept.push(hit);
		byFile.set(file, kept);
		return true;
	});
}

const order = <T>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0);

/** Best first; among equals by place, and of one place that of `default` before that of other groups. */
export const bestFirst = (a: ChunkHit, b: ChunkHit): number =>
	b.score - a.score ||
	order(a.source, b.source) ||
	order(a.path, b.path) ||
	Number(b.group === DEFAULT_GROUP) - Number(a.group === DEFAULT_GROUP) ||
	order(a.group, b.group) ||
	a.ordinal - b.ordinal;
