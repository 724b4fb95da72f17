import { compareBytes } from "../../../../domain/byte-order.js";
import type { Seq } from "../../../../domain/snapshot.js";
import { pathMatcher } from "../../path-matcher.js";
import { symbolTail } from "../../sqlite/chunk-terms.js";
import type { ScoredRow } from "../../sqlite/memory/best-rows.js";
import { type NumberedFilter, passingRows } from "../../sqlite/memory/row-filter.js";
import { RowScores } from "../../sqlite/memory/row-scores.js";
import { ROW_BYTES, type RowClass, RowTable } from "../../sqlite/memory/row-table.js";
import { tellingTerms } from "../../text/query-terms.js";
import type { ChunkHit, SearchFilter } from "../../vectors.port.js";
import type { TermCounts } from "../term-counts.js";
import { TermLists } from "./term-lists.js";

/** What the table keeps of a chunk. */
export type TableChunk = Pick<
	ChunkHit,
	"id" | "source" | "group" | "path" | "kind" | "language" | "ordinal" | "addedAt" | "symbol"
>;

export interface ScoredId {
	readonly id: string;
	readonly score: number;
}

/** An id as text, its place in the map, its ordinal and symbol. With this a table is reckoned to take what it takes (945 bytes a chunk of code). */
const ID_BYTES = 280;
const NAME_BYTES = 200;
const FILTERS = 8;

/** Texts as numbers from 1. */
class Names {
	readonly texts: string[] = [""];
	readonly #numbers = new Map<string, number>();

	number(text: string): number {
		const known = this.#numbers.get(text);
		if (known !== undefined) return known;
		const number = this.texts.push(text) - 1;
		this.#numbers.set(text, number);
		return number;
	}

	/** 0, which no row has, for a text that none has. */
	find = (text: string): number => this.#numbers.get(text) ?? 0;
}

/** The chunks of one collection: who may see them, what filters ask of them, their terms. */
export class ChunkTable {
	readonly #rows = new RowTable();
	readonly #terms = new TermLists();
	/** Rows by the last part of their symbol. */
	readonly #symbolEnds = new TermLists();
	readonly #symbols: (string | undefined)[] = [];
	readonly #scores = new RowScores();
	readonly #names = new Names();
	readonly #paths = new Names();
	readonly #ids: string[] = [];
	readonly #rowOf = new Map<string, number>();
	readonly #ordinals: number[] = [];
	readonly #passing = new Map<string, Uint8Array>();
	#termsOfAll = 0;

	get count(): number {
		return this.#rows.count;
	}

	get bytes(): number {
		const names = this.#names.texts.length + this.#paths.texts.length;
		return (
			this.count * (ROW_BYTES + ID_BYTES) +
			names * NAME_BYTES +
			this.#terms.bytes +
			this.#symbolEnds.bytes +
			this.#scores.bytes
		);
	}

	/** A chunk that is there already is left. @throws RangeError for numbers that it cannot hold */
	append(chunk: TableChunk, removedAt: Seq | null, { length, weights }: TermCounts): void {
		if (this.#rowOf.has(chunk.id)) return;
		const row = this.#rows.append(
			{
				// In the order of coming.
				id: this.count + 1,
				model_id: 0,
				source_id: this.#names.number(chunk.source),
				group_id: this.#names.number(chunk.group),
				kind_id: this.#names.number(chunk.kind),
				language_id: chunk.language === undefined ? null : this.#names.number(chunk.language),
				path_id: this.#paths.number(chunk.path),
				added_at: chunk.addedAt,
				removed_at: removedAt,
			},
			length,
		);
		this.#ids[row] = chunk.id;
		this.#ordinals[row] = chunk.ordinal;
		this.#rowOf.set(chunk.id, row);
		this.#symbols[row] = chunk.symbol;
		if (chunk.symbol !== undefined) this.#symbolEnds.add(row, new Map([[symbolTail(chunk.symbol), 1]]));
		this.#terms.add(row, weights);
		this.#termsOfAll += length;
		this.#passing.clear();
	}

	/** False where there is no such chunk. @throws RangeError */
	retire(id: string, removedAt: Seq): boolean {
		const row = this.#rowOf.get(id);
		if (row === undefined) return false;
		this.#rows.retire(row, removedAt);
		this.#passing.clear();
		return true;
	}

	/** The best by BM25 of what the filter lets pass, best first, by place where they are equal. @throws USAGE for a glob */
	rank(words: readonly string[], filter: SearchFilter, limit: number): ScoredId[] {
		const lists = new Map(words.map((word) => [word, this.#terms.of(word)]));
		const terms = tellingTerms(new Map([...lists].map(([word, { rows }]) => [word, rows.length])));
		if (terms.length === 0) return [];
		return this.#scores
			.best(
				terms.map((term) => lists.get(term) as NonNullable<ReturnType<typeof lists.get>>),
				this.#rows,
				{ rows: this.count, terms: this.#termsOfAll },
				this.#passes(filter),
				limit,
				this.#byPlace,
			)
			.map(({ row, score }: ScoredRow) => ({ id: this.#ids[row] as string, score }));
	}

	/** Chunks whose symbol is this name or ends with `.name`, by place, with the score 1. @throws USAGE for a glob */
	named(name: string, filter: SearchFilter, limit: number): ScoredId[] {
		const passing = this.#passes(filter);
		return [...this.#symbolEnds.of(symbolTail(name)).rows]
			.filter((row) => {
				const symbol = this.#symbols[row];
				return passing[row] === 1 && (symbol === name || symbol?.endsWith(`.${name}`) === true);
			})
			.sort(this.#byPlace)
			.slice(0, limit)
			.map((row) => ({ id: this.#ids[row] as string, score: 1 }));
	}

	#passes(filter: SearchFilter): Uint8Array {
		const key = JSON.stringify(filter);
		const known = this.#passing.get(key);
		if (known !== undefined) return known;
		const passing = passingRows(this.#rows, this.#numbered(filter));
		if (this.#passing.size >= FILTERS) this.#passing.delete(this.#passing.keys().next().value as string);
		this.#passing.set(key, passing);
		return passing;
	}

	/** The model is the collection's, and asked for before. */
	#numbered({ snapshot, after, upTo, sources, group, kinds, languages, path }: SearchFilter): NumberedFilter {
		const oneOf = (texts: readonly string[] | undefined) => texts && new Set(texts.map(this.#names.find));
		const wanted = {
			source_id: oneOf(sources),
			group_id: oneOf(group === undefined ? undefined : [group]),
			kind_id: oneOf(kinds),
			language_id: oneOf(languages),
		};
		return {
			snapshot,
			...(after && { after }),
			...(upTo && { upTo }),
			...(path !== undefined && { paths: this.#matching(path) }),
			admits: (rows: RowClass) =>
				(Object.keys(wanted) as (keyof typeof wanted)[]).every((key) => wanted[key]?.has(rows[key] ?? -1) ?? true),
		};
	}

	#matching(glob: string): number[] {
		const isMatch = pathMatcher(glob);
		return this.#paths.texts.flatMap((path, number) => (number > 0 && isMatch(path) ? [number] : []));
	}

	/** As `byPlace` of stored-chunk.ts. */
	readonly #byPlace = (a: number, b: number): number => {
		const rows = this.#rows;
		const path = (row: number) => this.#paths.texts[rows.path[row] as number] as string;
		const name = (row: number, of: "source_id" | "group_id") =>
			this.#names.texts[(rows.classes[rows.class[row] as number] as RowClass)[of]] as string;
		return (
			compareBytes(path(a), path(b)) ||
			(this.#ordinals[a] as number) - (this.#ordinals[b] as number) ||
			compareBytes(name(a, "source_id"), name(b, "source_id")) ||
			compareBytes(name(a, "group_id"), name(b, "group_id"))
		);
	};
}
