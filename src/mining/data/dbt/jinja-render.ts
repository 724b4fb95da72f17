import { PLACEHOLDER } from "../sql/sql-grammar.js";
import { evaluate, type Maybe, printed, truth } from "./jinja-expression.js";
import { splitTemplate, type TemplatePart } from "./jinja-syntax.js";

/**
 * Renders a dbt model to SQL as far as its own text decides: `{% set %}`, `{% for %}` over known lists, `{% if %}`. What it cannot know
 * becomes a name that no column can have, so that lineage says nothing there instead of something wrong.
 */

const UNKNOWN = `${PLACEHOLDER}x`;
const MAX_OUTPUT = 512 * 1024;
const MAX_STEPS = 50_000;
const MAX_DEPTH = 50;

export interface TableReference {
	readonly type: "ref" | "source";
	/** The model's name, or `source.table`. */
	readonly name: string;
}

export interface RenderedModel {
	readonly sql: string;
	/** Every reference in the template, in branches that were not rendered too, in order of appearance. */
	readonly references: readonly TableReference[];
	/** Literal arguments of `config()`. */
	readonly config: ReadonlyMap<string, string>;
	/** Names of `{% snapshot %}` blocks. */
	readonly snapshots: readonly string[];
	/** The template defines macros, tests or materializations. */
	readonly definesMacros: boolean;
	/** What a name in the SQL stands for. */
	readonly referenceOf: (name: string) => TableReference | undefined;
}

export const isRenderedName = (name: string): boolean => !name.includes(PLACEHOLDER);

/** @param text without comments, see `blankComments` */
export function renderModel(text: string): RenderedModel {
	const parts = splitTemplate(text);
	const references = new Map<string, TableReference>();
	const config = new Map<string, string>();
	const snapshots: string[] = [];
	let definesMacros = false;
	for (const part of parts) {
		if (part.kind === "text") continue;
		for (const reference of referencesIn(part.body)) references.set(`${reference.type} ${reference.name}`, reference);
		for (const [name, value] of configIn(part.body)) config.set(name, value);
		const [word, argument] = part.kind === "statement" ? part.body.split(/[\s(]+/, 2) : [];
		if (word === "snapshot" && argument !== undefined) snapshots.push(argument);
		definesMacros ||= word === "macro" || word === "test" || word === "materialization";
	}
	const marks = [...references.values()];
	const indexes = new Map([...references.keys()].map((key, index) => [key, index]));
	const renderer = new Renderer(parts, ({ type, name }) => `${PLACEHOLDER}r${indexes.get(`${type} ${name}`)}`);
	return {
		sql: renderer.render(),
		references: marks,
		config,
		snapshots,
		definesMacros,
		referenceOf: (name) => (name.startsWith(`${PLACEHOLDER}r`) ? marks[Number(name.slice(2))] : undefined),
	};
}

const REFERENCE =
	/\b(ref|source)\s{0,50}\(\s{0,200}(?:'([^'\n]{1,300})'|"([^"\n]{1,300})")\s{0,200}(?:,\s{0,200}(?:'([^'\n]{1,300})'|"([^"\n]{1,300})"))?/g;

/** `ref('x')`, `ref('package', 'x')`, `ref('x', v=1)`, `source('s', 't')` in an expression of a template or a property. */
export function referencesIn(expression: string): TableReference[] {
	const found: TableReference[] = [];
	for (const [, call, a, b, c, d] of expression.matchAll(REFERENCE)) {
		const first = (a ?? b) as string;
		const second = c ?? d;
		if (call === "ref") found.push({ type: "ref", name: second ?? first });
		else if (second !== undefined) found.push({ type: "source", name: `${first}.${second}` });
	}
	return found;
}

function configIn(body: string): [string, string][] {
	const match = /^(?:do\s+)?config\s*\(([\s\S]*)\)$/.exec(body);
	const pairs = (match?.[1] ?? "").matchAll(/\b(\w{1,60})\s{0,20}=\s{0,20}(?:'([^'\n]{0,200})'|"([^"\n]{0,200})")/g);
	return [...pairs].map(([, name, a, b]) => [name as string, (a ?? b) as string]);
}

/** A range of parts, and what closes it. */
interface Body {
	readonly from: number;
	readonly to: number;
}

/** Statements that open a block, by what closes them. `set` opens one only without `=`. */
const BLOCKS = new Set([
	"for",
	"if",
	"macro",
	"test",
	"materialization",
	"call",
	"filter",
	"raw",
	"snapshot",
	"block",
	"docs",
	"set",
]);
const DROPPED = new Set(["macro", "test", "materialization", "call", "docs"]);

class Renderer {
	readonly #out: string[] = [];
	#length = 0;
	#steps = 0;
	#trimNext = false;
	/** For each opening statement the statements of its block: itself, its else branches, its end. */
	readonly #blocks: ReadonlyMap<number, readonly number[]>;

	constructor(
		readonly parts: readonly TemplatePart[],
		readonly mark: (reference: TableReference) => string,
	) {
		this.#blocks = pairBlocks(parts);
	}

	render(): string {
		this.#range({ from: 0, to: this.parts.length }, new Map(), 0);
		return this.#out.join("");
	}

	#range(body: Body, scope: Map<string, Maybe>, depth: number): void {
		for (let at = body.from; at < body.to; at += 1) {
			this.#steps += 1 + ((this.parts[at] as TemplatePart).body.length >> 6);
			if (this.#steps > MAX_STEPS || this.#length > MAX_OUTPUT || depth > MAX_DEPTH) return;
			const part = this.parts[at] as TemplatePart;
			if (part.kind === "text") this.#emit(part.body);
			else if (part.kind === "output") this.#output(part, scope);
			else at = this.#statement(at, part, scope, depth);
		}
	}

	#emit(text: string): void {
		const trimmed = this.#trimNext ? text.trimStart() : text;
		if (trimmed !== "") this.#trimNext = false;
		this.#out.push(trimmed);
		this.#length += trimmed.length;
	}

	#trimBefore(part: TemplatePart): void {
		const last = this.#out.length - 1;
		if (part.trimBefore && last >= 0) this.#out[last] = (this.#out[last] as string).trimEnd();
	}

	#output(part: TemplatePart, scope: Map<string, Maybe>): void {
		this.#trimBefore(part);
		const references = referencesIn(part.body);
		const value = printed(evaluate(part.body, scope));
		if (value !== undefined) this.#emit(value);
		else if (/^(?:config|log|print|debug|exceptions\.|adapter\.dispatch)\b/.test(part.body)) this.#emit(" ");
		else if (references.length === 1 && /^(?:builtins\.)?(?:ref|source)\s*\(/.test(part.body)) {
			this.#emit(this.mark(references[0] as TableReference));
		} else if (/\bstar\s*\(/.test(part.body)) this.#emit("*");
		else this.#emit(UNKNOWN);
		this.#trimNext = part.trimAfter;
	}

	/** @returns the index of the last part that it used up */
	#statement(at: number, part: TemplatePart, scope: Map<string, Maybe>, depth: number): number {
		this.#trimBefore(part);
		this.#trimNext = part.trimAfter;
		const word = /^\w+/.exec(part.body)?.[0] ?? "";
		const marks = this.#blocks.get(at);
		if (word === "set" && marks === undefined) this.#set(part.body, scope);
		if (marks === undefined) return at;
		const end = marks.at(-1) as number;
		if (word === "for") this.#for(part.body, { from: at + 1, to: marks[1] as number }, scope, depth);
		else if (word === "if") this.#if(marks, scope, depth);
		else if (word === "set") scope.set(part.body.slice(3).trim(), undefined);
		else if (word === "raw") this.#raw(at + 1, end);
		else if (!DROPPED.has(word)) this.#range({ from: at + 1, to: end }, scope, depth + 1);
		const close = this.parts[end] as TemplatePart;
		this.#trimBefore(close);
		this.#trimNext = close.trimAfter;
		return end;
	}

	#set(body: string, scope: Map<string, Maybe>): void {
		const match = /^set\s+(\w+)\s*=([\s\S]*)$/.exec(body);
		if (match !== null) scope.set(match[1] as string, evaluate((match[2] as string).trim(), scope));
	}

	#for(head: string, body: Body, scope: Map<string, Maybe>, depth: number): void {
		const match = /^for\s+(\w+)(?:\s*,\s*(\w+))?\s+in\s+([\s\S]+)$/.exec(head);
		const values = match === null ? undefined : evaluate(match[3] as string, scope);
		const [first, second] = [match?.[1] ?? "", match?.[2]];
		const list = values instanceof Map ? [...values.keys()] : Array.isArray(values) ? values : [undefined];
		const length = list.length;
		list.forEach((value: Maybe, index) => {
			// Copying the scope is work too, even where the body is empty.
			this.#steps += 1 + (scope.size >> 3);
			if (this.#steps > MAX_STEPS) return;
			const inner = new Map(scope);
			const isKnown = value !== undefined;
			inner.set(first, second === undefined ? value : Array.isArray(value) ? value[0] : undefined);
			if (second !== undefined) inner.set(second, Array.isArray(value) ? value[1] : undefined);
			const loop = new Map([
				["first", index === 0],
				// One round stands for all where the list is unknown: it ends like the last.
				["last", index === length - 1],
			] as [string, boolean | number][]);
			if (isKnown)
				loop
					.set("index", index + 1)
					.set("index0", index)
					.set("length", length);
			inner.set("loop", loop);
			this.#range(body, inner, depth + 1);
		});
	}

	/** The first branch whose condition may hold; `is_incremental()` does not: the first run builds the whole table. */
	#if(marks: readonly number[], scope: Map<string, Maybe>, depth: number): void {
		for (const [position, mark] of marks.entries()) {
			const next = marks[position + 1];
			if (next === undefined) return;
			const part = this.parts[mark] as TemplatePart;
			const condition = /^(?:el)?if\s+([\s\S]+)$/.exec(part.body)?.[1];
			const incremental = /\bis_incremental\s*\(/.test(condition ?? "") && !/\bnot\b/.test(condition ?? "");
			const holds = condition === undefined ? true : incremental ? false : truth(evaluate(condition, scope));
			if (holds === false) continue;
			this.#trimNext = part.trimAfter;
			this.#range({ from: mark + 1, to: next }, scope, depth + 1);
			this.#trimBefore(this.parts[next] as TemplatePart);
			return;
		}
	}

	#raw(from: number, to: number): void {
		for (const part of this.parts.slice(from, to)) this.#emit(part.kind === "text" ? part.body : UNKNOWN);
	}
}

function pairBlocks(parts: readonly TemplatePart[]): Map<number, number[]> {
	const blocks = new Map<number, number[]>();
	const open: { word: string; marks: number[] }[] = [];
	parts.forEach((part, index) => {
		if (part.kind !== "statement") return;
		const word = /^\w+/.exec(part.body)?.[0] ?? "";
		const top = open.at(-1);
		if (word.startsWith("end")) {
			const opener = word.slice(3);
			// An end without its beginning, or one that leaves others open, is ignored with them.
			const from = open.findLastIndex((block) => block.word === opener);
			if (from === -1) return;
			const block = open[from] as { word: string; marks: number[] };
			open.length = from;
			block.marks.push(index);
			blocks.set(block.marks[0] as number, block.marks);
		} else if ((word === "else" || word === "elif") && top !== undefined) top.marks.push(index);
		else if (BLOCKS.has(word) && !(word === "set" && part.body.includes("="))) open.push({ word, marks: [index] });
	});
	return blocks;
}
