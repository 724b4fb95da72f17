/** What a memory index keeps of a chunk beside its sign bits. */
export interface IndexedRow {
	readonly id: number;
	readonly model_id: number;
	readonly source_id: number;
	readonly group_id: number;
	readonly kind_id: number;
	readonly language_id: number | null;
	readonly path_id: number;
	readonly added_at: number;
	readonly removed_at: number | null;
}

/** Rows with all of these in common share one number. */
export type RowClass = Pick<IndexedRow, "model_id" | "source_id" | "group_id" | "kind_id" | "language_id">;

/** Above every seq: what is current, and when a deleted row was "added". */
const NEVER = 0x7fff_ffff;
/** Bytes a row takes here. */
export const ROW_BYTES = 24;

/** Chunks in order of their ids, in columns of numbers: 24 bytes each. Rows are numbered from 0 and keep their number. */
export class RowTable {
	readonly classes: RowClass[] = [];
	readonly #classOf = new Map<string, number>();
	#lastClass = 0;
	count = 0;
	deleted = 0;
	ids = new Int32Array(1_024);
	added = new Int32Array(1_024);
	removed = new Int32Array(1_024);
	class = new Int32Array(1_024);
	path = new Int32Array(1_024);
	/** Terms in full text. */
	length = new Int32Array(1_024);
	highestPath = 0;

	/** Returns the row's number. Ids have to ascend. @throws RangeError for numbers that the columns cannot hold */
	append(row: IndexedRow, length: number): number {
		const at = this.count;
		if (row.id >= NEVER || row.added_at >= NEVER || (row.removed_at ?? 0) >= NEVER)
			throw new RangeError("number too high");
		if (at > 0 && row.id <= (this.ids[at - 1] as number)) throw new RangeError("ids do not ascend");
		if (at === this.ids.length) this.#grow();
		this.ids[at] = row.id;
		this.added[at] = row.added_at;
		this.removed[at] = row.removed_at ?? NEVER;
		this.class[at] = this.#class(row);
		this.path[at] = row.path_id;
		this.length[at] = length;
		if (row.path_id > this.highestPath) this.highestPath = row.path_id;
		this.count = at + 1;
		return at;
	}

	/** The row of a chunk; -1 where there is none, or it was deleted. `near` is a guess: the row of an id a little lower. */
	find(id: number, near = 0): number {
		const { ids, count } = this;
		// Ids have few gaps, as a rule.
		const guess = near + id - (ids[near] as number);
		if (guess >= near && guess < count && ids[guess] === id) return guess;
		let [low, high] = [0, count - 1];
		while (low <= high) {
			const middle = (low + high) >> 1;
			const found = ids[middle] as number;
			if (found === id) return middle;
			if (found < id) low = middle + 1;
			else high = middle - 1;
		}
		return -1;
	}

	isDeleted(row: number): boolean {
		return this.added[row] === NEVER;
	}

	retire(row: number, removedAt: number | null): void {
		if ((removedAt ?? 0) >= NEVER) throw new RangeError("number too high");
		this.removed[row] = removedAt ?? NEVER;
	}

	delete(row: number): void {
		if (this.isDeleted(row)) return;
		this.added[row] = NEVER;
		this.deleted += 1;
	}

	get bytes(): number {
		return this.ids.length * ROW_BYTES;
	}

	#class(row: RowClass): number {
		const { model_id, source_id, group_id, kind_id, language_id } = row;
		const last = this.classes[this.#lastClass];
		// As that of the row before, as a rule.
		if (
			last?.source_id === source_id &&
			last.kind_id === kind_id &&
			last.language_id === language_id &&
			last.group_id === group_id &&
			last.model_id === model_id
		)
			return this.#lastClass;
		const key = `${model_id} ${source_id} ${group_id} ${kind_id} ${language_id}`;
		const known = this.#classOf.get(key);
		this.#lastClass = known ?? this.classes.push({ model_id, source_id, group_id, kind_id, language_id }) - 1;
		this.#classOf.set(key, this.#lastClass);
		return this.#lastClass;
	}

	#grow(): void {
		for (const column of ["ids", "added", "removed", "class", "path", "length"] as const) {
			const larger = new Int32Array(Math.ceil(this[column].length * 1.5));
			larger.set(this[column]);
			this[column] = larger;
		}
	}
}
