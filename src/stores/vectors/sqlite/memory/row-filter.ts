import { isCommitted, type Snapshot } from "../../../../domain/snapshot.js";
import type { RowClass, RowTable } from "./row-table.js";

/** A search's filter in the store's numbers. */
export interface NumberedFilter {
	readonly snapshot: Snapshot;
	readonly after?: Snapshot;
	readonly upTo?: Snapshot;
	readonly paths?: readonly number[];
	readonly admits: (rows: RowClass) => boolean;
}

/** A byte a row: 1 where the filter lets it pass. The same rule as `chunkFilter` in SQL. */
export function passingRows(table: RowTable, filter: NumberedFilter): Uint8Array {
	const { count, added, removed, class: classes, path } = table;
	const { seq, excluding } = filter.snapshot;
	const admitted = Uint8Array.from(table.classes, (rows) => Number(filter.admits(rows)));
	const passing = new Uint8Array(count);
	for (let row = 0; row < count; row += 1) {
		passing[row] =
			(admitted[classes[row] as number] as number) &
			Number((added[row] as number) <= seq) &
			Number((removed[row] as number) > seq);
	}
	if (excluding.length > 0) exclude(table, filter.snapshot, admitted, passing);
	if (filter.paths !== undefined) {
		const wanted = new Uint8Array(table.highestPath + 1);
		for (const id of filter.paths) if (id < wanted.length) wanted[id] = 1;
		for (let row = 0; row < count; row += 1)
			passing[row] = (passing[row] as number) & (wanted[path[row] as number] as number);
	}
	const { after, upTo } = filter;
	if (after !== undefined || upTo !== undefined) {
		for (let row = 0; row < count; row += 1) {
			if (passing[row] === 0) continue;
			const at = added[row] as number;
			if ((after && isCommitted(after, at)) || (upTo && !isCommitted(upTo, at))) passing[row] = 0;
		}
	}
	return passing;
}

/** What is not committed below the snapshot's seq: neither added nor removed. */
function exclude(table: RowTable, { seq, excluding }: Snapshot, admitted: Uint8Array, passing: Uint8Array): void {
	const { count, added, removed, class: classes } = table;
	const open = new Set(excluding);
	const least = Math.min(...excluding);
	for (let row = 0; row < count; row += 1) {
		const [from, to] = [added[row] as number, removed[row] as number];
		if (from > seq || (from < least && (to > seq || to < least))) continue;
		const isVisible = !open.has(from) && (to > seq || open.has(to));
		passing[row] = (admitted[classes[row] as number] as number) & Number(isVisible);
	}
}
