import { setImmediate as nextTurn } from "node:timers/promises";
import { COMMIT_KIND } from "../../../../domain/mined-file.js";
import type { SqliteDatabase } from "../../../sqlite/sqlite-database.js";
import { tellingTerms } from "../../text/query-terms.js";
import type { SearchFilter } from "../../vectors.port.js";
import { matchingPaths, nameIds } from "../chunk-filter.js";
import { chunkTerms } from "../chunk-terms.js";
import { queryWords } from "../text-query.js";
import { BitRows } from "./bit-rows.js";
import { changedAfter, newestChange } from "./change-log.js";
import type { CoarseRows } from "./coarse-rows.js";
import { NibbleRows } from "./nibble-rows.js";
import { readRows, readTexts, type StoredRow, termCount } from "./read-rows.js";
import { type NumberedFilter, passingRows } from "./row-filter.js";
import { ROW_BYTES, RowTable } from "./row-table.js";
import { TextScores } from "./text-scores.js";

export interface MemoryIndexOptions {
	/** What it may take. Beyond it the store's own scans answer. */
	readonly bytes: number;
	/** Full text of chunks: its index, and what an occurrence in each column counts. */
	readonly text: { readonly index: string; readonly weights: readonly number[] };
	/** What tells a model's vectors apart. */
	readonly coarse: (model: { readonly text: string; readonly dimensions: number }) => "bits" | "nibbles" | undefined;
	/** Milliseconds from the first search to the building: a process of one search is over by then. */
	readonly buildAfterMs?: number;
}

export interface RankedChunk {
	readonly id: number;
	readonly score: number;
}

const BUILD_AFTER_MS = 100;
/** Rows between two turns of the event loop. */
const PAGE = 4_000;
/** What a search reads of rows that came since the last one; with more the store's scans answer until the rest is read. */
const CATCH_UP = PAGE * 2;
/** Rows whose texts are read when they come. A tenth of a millisecond each, where the list of a common word takes some milliseconds for a hundred thousand rows. */
const FEW_TOLD = 256;
/** One part of all that may be deleted rows before the index is built anew. */
const MOST_DELETED = 0.5;
const FEW = 10_000;
/** Questions without a change after which mapping the file pays again; a search asks some four. */
const QUIET = 100;
const FILTERS = 8;

/** All that is kept of one state of the file. */
interface State {
	readonly table: RowTable;
	/** By model. Vectors of models without an entry are only compared exactly. */
	readonly coarse: Map<number, CoarseRows>;
	readonly text: TextScores;
	/** Rows that pass, by filter. */
	readonly passing: Map<string, Uint8Array>;
	/** The last change, and the last chunk, that it knows. */
	version: number;
	last: number;
}

interface ModelRow {
	readonly id: number;
	readonly text: string;
	readonly dimensions: number;
}

/** What numbers in rows mean. */
interface Dictionary {
	readonly commits: number | undefined;
	readonly models: ReadonlyMap<number, ModelRow>;
	/** Models whose vectors are read, not only their sign bits. */
	readonly withFloats: readonly number[];
}

/**
 * The chunks of the store's tables in memory: who may see them, sign bits, and terms as they are asked for. The tables are the truth: each
 * question first reads what was added since (by ids, which ascend) and what was changed or deleted (`change-log.ts`), in the transaction
 * of the question, so that it answers from the same state as they do. Built after the first search, in small steps; until then, and where it
 * cannot answer, every method returns undefined. Call them within `database.read`.
 */
export class MemoryIndex {
	readonly #database: SqliteDatabase;
	readonly #options: MemoryIndexOptions;
	#state: State | undefined;
	#building: Promise<void> | undefined;
	#timer: NodeJS.Timeout | undefined;
	#isOff = false;
	/** Questions since the last change. */
	#quiet = 0;

	constructor(database: SqliteDatabase, options: MemoryIndexOptions) {
		this.#database = database;
		this.#options = options;
		this.#isOff = options.bytes <= 0;
	}

	/** What it takes now, lists of terms too. */
	get bytes(): number {
		return this.#state === undefined ? 0 : rowBytes(this.#state) + this.#state.text.bytes;
	}

	/** The best by full text, best first; see `VectorStore.searchText`. */
	rankText(text: string, filter: SearchFilter, limit: number): RankedChunk[] | undefined {
		return this.#answer(filter, (state, passing) => {
			const counts = new Map(queryWords(text).map((term) => [term, state.text.count(term)]));
			const terms = tellingTerms(counts);
			if (terms.length === 0) return [];
			return state.text
				.best(terms, passing(), limit)
				.map(({ row, score }) => ({ id: state.table.ids[row] as number, score }));
		});
	}

	/** The chunks that are roughly the nearest, in order of ids. */
	nearest(model: number, vector: Float32Array, filter: SearchFilter, limit: number): number[] | undefined {
		return this.#answer(filter, (state, passing) => {
			const rows = state.coarse.get(model);
			return rows?.nearest(vector, passing(), limit).map((row) => state.table.ids[row] as number);
		});
	}

	/** The models of chunks that pass. */
	models(filter: SearchFilter): number[] | undefined {
		return this.#answer(filter, ({ table }, passing) => {
			const open = new Set(table.classes.map(({ model_id }) => model_id));
			const found = new Set<number>();
			const rows = passing();
			for (let row = 0; row < table.count && found.size < open.size; row += 1) {
				if (rows[row] === 1) found.add(table.classes[table.class[row] as number]?.model_id as number);
			}
			return [...found];
		});
	}

	/** How many chunks pass. */
	count(filter: SearchFilter): number | undefined {
		return this.#answer(filter, (_, passing) => {
			let count = 0;
			for (const each of passing()) count += each;
			return count;
		});
	}

	/** Resolves when it is built, or cannot be. */
	async ready(): Promise<void> {
		this.#schedule(0);
		while (this.#state === undefined && !this.#isOff) {
			await this.#building;
			await nextTurn();
		}
	}

	close(): void {
		this.#turnOff();
	}

	#answer<T>(filter: SearchFilter, ask: (state: State, passing: () => Uint8Array) => T | undefined): T | undefined {
		if (this.#isOff || filter.kinds?.includes(COMMIT_KIND)) return undefined;
		const state = this.#refreshed();
		if (state === undefined) return undefined;
		try {
			return ask(state, () => this.#passing(state, filter));
		} catch (error) {
			// Something in the file is not as it should be: what the engine itself says of it counts.
			if (!(error instanceof RangeError)) throw error;
			return undefined;
		}
	}

	#passing({ table, passing }: State, filter: SearchFilter): Uint8Array {
		const key = JSON.stringify(filter);
		const known = passing.get(key);
		if (known !== undefined) return known;
		const rows = passingRows(table, numbered(this.#database, filter));
		if (passing.size >= FILTERS) passing.delete(passing.keys().next().value as string);
		passing.set(key, rows);
		return rows;
	}

	/** Brought up to what the transaction sees; undefined where that is too much for now. */
	#refreshed(): State | undefined {
		const state = this.#state;
		if (state === undefined) {
			this.#schedule(this.#options.buildAfterMs ?? BUILD_AFTER_MS);
			return undefined;
		}
		const rebuild = () => {
			this.#state = undefined;
			this.#schedule(0);
			return undefined;
		};
		try {
			const changes = changedAfter(this.#database, state.version);
			if (changes === undefined) return rebuild();
			const { last } = state;
			this.#change(state, changes.ids);
			state.version = changes.version;
			const isComplete = this.#append(state, CATCH_UP);
			this.#quiet = changes.ids.length > 0 || state.last !== last ? 0 : this.#quiet + 1;
			// 2,000 single rows of a large file after a commit: 12 ms mapped anew, 6 read; while nothing changes 3 mapped, 5 read.
			if (this.#quiet === 0 || this.#quiet >= QUIET) this.#database.map(this.#quiet > 0);
			const { count, deleted } = state.table;
			if (deleted > FEW && deleted > count * MOST_DELETED) return rebuild();
			if (isComplete) return this.#isOff ? undefined : state;
			this.#state = undefined;
			this.#continue(state);
			return undefined;
		} catch (error) {
			if (!(error instanceof RangeError)) throw error;
			this.#turnOff();
			return undefined;
		}
	}

	#change(state: State, ids: readonly number[]): void {
		if (ids.length === 0) return;
		const { table } = state;
		const rows = this.#database
			.prepare("SELECT id, removed_at FROM chunk WHERE id IN (SELECT value FROM json_each(?))")
			.all<{ id: number; removed_at: number | null }>([JSON.stringify(ids)]);
		const now = new Map(rows.map(({ id, removed_at }) => [id, removed_at]));
		// Full text changes by a deletion, also of what came and went between two questions.
		if (now.size < ids.length) state.text.forget();
		for (const id of ids) {
			const row = table.find(id);
			const removedAt = now.get(id);
			if (row < 0) continue;
			if (removedAt === undefined) table.delete(row);
			else table.retire(row, removedAt);
		}
		state.passing.clear();
	}

	/** Reads rows that came since; false where there are more than `limit`. */
	#append(state: State, limit: number): boolean {
		for (let read = 0; read < limit; ) {
			const dictionary = this.#dictionary();
			const rows = readRows(this.#database, this.#options.text.index, state.last, PAGE, dictionary.withFloats);
			if (rows.length > 0) {
				const from = state.table.count;
				for (const row of rows) this.#appendRow(state, row, dictionary);
				state.passing.clear();
				this.#tellTerms(state, from);
				if (rowBytes(state) > this.#options.bytes) this.#turnOff();
			}
			if (rows.length < PAGE || this.#isOff) return true;
			read += rows.length;
		}
		return false;
	}

	/** Rows from a number on have come: of few the terms are told, of many the lists of terms are read anew where a question has them. */
	#tellTerms({ table, text }: State, from: number): void {
		if (text.isEmpty || table.count - from > FEW_TOLD) {
			text.forget();
			return;
		}
		// Until all are told the lists lack rows, and nobody would notice later.
		let isTold = false;
		try {
			const { weights } = this.#options.text;
			const rowOf = new Map(Array.from({ length: table.count - from }, (_, at) => [table.ids[from + at], from + at]));
			const texts = readTexts(this.#database, [...rowOf.keys()] as number[]);
			for (const chunk of texts) {
				const sums = new Map<string, number>();
				const terms = chunkTerms(chunk);
				[terms.text, terms.path, terms.symbol].forEach((column, at) => {
					for (const term of column) sums.set(term, (sums.get(term) ?? 0) + (weights[at] ?? 0));
				});
				text.add(rowOf.get(chunk.id) as number, sums);
			}
			isTold = texts.length === rowOf.size;
		} finally {
			if (!isTold) text.forget();
		}
	}

	#appendRow(state: State, row: StoredRow, { commits, models }: Dictionary): void {
		state.last = row.id;
		// What commits say is few, and has an index of its own.
		if (row.kind_id === commits) return;
		const at = state.table.append(row, termCount(row.sz));
		const model = models.get(row.model_id);
		if (model === undefined) throw new RangeError("a model is missing");
		let coarse = state.coarse.get(row.model_id);
		if (coarse === undefined) {
			const kind = this.#options.coarse(model);
			if (kind === undefined) return;
			coarse = kind === "bits" ? new BitRows(model.dimensions) : new NibbleRows(model.dimensions);
			state.coarse.set(row.model_id, coarse);
		}
		coarse.append(at, row);
	}

	#dictionary(): Dictionary {
		const models = this.#database.prepare("SELECT id, text, dimensions FROM model").all<ModelRow>();
		return {
			withFloats: models.filter((model) => this.#options.coarse(model) === "nibbles").map(({ id }) => id),
			commits: nameIds(this.#database, [COMMIT_KIND])[0],
			models: new Map(models.map((model) => [model.id, model])),
		};
	}

	#schedule(afterMs: number): void {
		if (this.#isOff || this.#building !== undefined || this.#timer !== undefined) return;
		this.#timer = setTimeout(() => {
			this.#timer = undefined;
			this.#continue(undefined);
		}, afterMs);
		this.#timer.unref();
	}

	/** Reads on from a state, or from nothing. */
	#continue(from: State | undefined): void {
		this.#building ??= this.#build(from)
			.catch(() => {
				// The store answers without it; what is wrong shows there.
				this.#turnOff();
			})
			.finally(() => {
				this.#building = undefined;
			});
	}

	async #build(from: State | undefined): Promise<void> {
		await nextTurn();
		if (this.#isOff) return;
		const state = from ?? this.#emptyState();
		while (!this.#isOff && !this.#database.read(() => this.#append(state, PAGE))) await nextTurn();
		if (!this.#isOff) this.#state = state;
	}

	#emptyState(): State {
		const table = new RowTable();
		const { index, weights } = this.#options.text;
		const state: State = {
			table,
			coarse: new Map(),
			text: new TextScores(table, this.#database, index, weights, () =>
				Math.max(0, this.#options.bytes - rowBytes(state)),
			),
			passing: new Map(),
			// Before any row is read: a change that a page has seen already is applied once more.
			version: newestChange(this.#database),
			last: 0,
		};
		return state;
	}

	#turnOff(): void {
		this.#isOff = true;
		this.#state = undefined;
		clearTimeout(this.#timer);
	}
}

/** Without lists of terms, which take what is left. */
function rowBytes({ table, coarse }: State): number {
	let bytes = table.count * ROW_BYTES;
	for (const rows of coarse.values()) bytes += rows.bytes;
	return bytes;
}

function numbered(database: SqliteDatabase, filter: SearchFilter): NumberedFilter {
	const { snapshot, after, upTo } = filter;
	const oneOf = (names: readonly string[] | undefined) => names && new Set(nameIds(database, names));
	const sources = oneOf(filter.sources);
	const groups = oneOf(filter.group === undefined ? undefined : [filter.group]);
	const kinds = oneOf(filter.kinds);
	const languages = oneOf(filter.languages);
	const model =
		filter.model === undefined
			? undefined
			: (database.prepare("SELECT id FROM model WHERE text = ?").get<{ id: number }>([filter.model])?.id ?? -1);
	return {
		snapshot,
		...(after && { after }),
		...(upTo && { upTo }),
		...(filter.path !== undefined && { paths: matchingPaths(database, filter.path) }),
		admits: (rows) =>
			(sources?.has(rows.source_id) ?? true) &&
			(groups?.has(rows.group_id) ?? true) &&
			(kinds?.has(rows.kind_id) ?? true) &&
			(languages === undefined || (rows.language_id !== null && languages.has(rows.language_id))) &&
			(model === undefined || rows.model_id === model),
	};
}
