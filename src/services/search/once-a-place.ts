import { DEFAULT_GROUP } from "../../domain/group.js";
import type { ChunkHit } from "../../stores/vectors/vectors.port.js";
import { PlaceMap } from "./place-map.js";

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

/** Of what several groups have of the same lines, only the first stays: give it best first. */
export function onceAPlace<T>(all: readonly T[], placeOf: (one: T) => Place): T[] {
	const group = all[0] && placeOf(all[0]).group;
	// Whatever one group has stays.
	if (all.every((one) => placeOf(one).group === group)) return [...all];
	const byFile = new PlaceMap<Place[]>();
	return all.filter((one) => {
		const place = placeOf(one);
		const kept = byFile.of(place, () => []);
		if (kept.some((other) => isSamePlace(other, place))) return false;
		kept.push(place);
		return true;
	});
}

const order = <T>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0);

/** Of equally good ones: by place, and of one place that of `default` before that of other groups. */
export const byPlace = (a: ChunkHit, b: ChunkHit): number =>
	order(a.source, b.source) ||
	order(a.path, b.path) ||
	Number(b.group === DEFAULT_GROUP) - Number(a.group === DEFAULT_GROUP) ||
	order(a.group, b.group) ||
	a.ordinal - b.ordinal;

/** Best first; among equals by place. */
export const bestFirst = (a: ChunkHit, b: ChunkHit): number => b.score - a.score || byPlace(a, b);
