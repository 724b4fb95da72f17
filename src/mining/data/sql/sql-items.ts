import { DATE_PARTS, EXPRESSION_WORDS, readName } from "./sql-grammar.js";
import type { SqlToken } from "./sql-lexer.js";
import { TokenReader } from "./sql-token-reader.js";

/** What stands between SELECT and FROM: each item's name, and the columns that its expression mentions. */
export type SqlItem =
	| { readonly star: true; readonly qualifier?: string; readonly except: readonly string[] }
	| { readonly star: false; readonly name?: string; readonly refs: readonly SqlColumnRef[] };
export interface SqlColumnRef {
	readonly qualifier?: string;
	readonly column: string;
}

/** Told of every query inside an expression: the tokens between its brackets. */
type OnSubquery = (from: number, to: number) => void;

export class ItemReader extends TokenReader {
	item(from: number, to: number, subquery: OnSubquery): SqlItem {
		const path = readName(this.tokens, from, to, this.fold);
		if (this.upper(from) === "*") return { star: true, except: this.#except(from + 1, to) };
		// readName stops behind the dot where no name follows it.
		if (path !== undefined && this.upper(path.next) === "*" && this.upper(path.next - 1) === ".") {
			return { star: true, qualifier: path.parts.at(-1), except: this.#except(path.next + 1, to) };
		}
		const { name, end } = this.#itemName(from, to);
		return { star: false, name, refs: this.#refs(from, end, subquery) };
	}

	/** Columns that a star leaves out or gives another value or name: BigQuery, Snowflake, DuckDB. */
	#except(from: number, to: number): string[] {
		const names: string[] = [];
		for (let at = from; at < to; at += 1) {
			const upper = this.upper(at);
			const close = this.partner[at + 1] ?? -1;
			if (upper === "EXCEPT" || upper === "EXCLUDE") {
				if (close > at + 1) names.push(...this.names(at + 2, close));
				else names.push(...this.names(at + 1, at + 2));
			} else if (upper === "RENAME" && close > at + 1) names.push(...this.names(at + 2, close));
			if (close > at + 1) at = close;
		}
		return names;
	}

	/** What the item is called, and where its expression ends. */
	#itemName(from: number, to: number): { name?: string; end: number } {
		const as = this.find(from, to, (upper, index) => upper === "AS" && index === to - 2);
		const last = this.tokens[to - 1] as SqlToken;
		const lastName = last.kind === "word" ? this.fold(last.text) : last.text;
		if (as < to) return { name: last.kind === "string" ? last.text : lastName, end: as };
		const before = this.tokens[to - 2];
		const canBeName = last.kind === "quoted" || (last.kind === "word" && !EXPRESSION_WORDS.has(last.upper));
		if (to - from > 1 && canBeName && before !== undefined && this.#endsOperand(before))
			return { name: lastName, end: to - 1 };
		const path = readName(this.tokens, from, to, this.fold);
		const rest = path === undefined ? "" : this.upper(path.next);
		const isColumn = path !== undefined && (path.next === to || rest === "::") && this.#isNameToken(from);
		return { name: isColumn ? path.parts.at(-1) : undefined, end: to };
	}

	#isNameToken(index: number): boolean {
		const token = this.tokens[index];
		return token?.kind === "quoted" || (token?.kind === "word" && !EXPRESSION_WORDS.has(token.upper));
	}

	#endsOperand(token: SqlToken): boolean {
		if (token.kind === "word")
			return token.upper === "END" || token.upper === "NULL" || !EXPRESSION_WORDS.has(token.upper);
		return token.kind !== "symbol" || token.upper === ")" || token.upper === "]";
	}

	#refs(from: number, to: number, subquery: OnSubquery): SqlColumnRef[] {
		const refs: SqlColumnRef[] = [];
		for (let at = from; at < to; at += 1) {
			const upper = this.upper(at);
			const close = this.partner[at] ?? -1;
			if (upper === "(" && close > at) {
				const before = this.upper(at - 1);
				if (before === "OVER" || (before === "GROUP" && this.upper(at - 2) === "WITHIN")) at = close;
				else if (this.startsQuery(at + 1, close)) {
					subquery(at + 1, close);
					at = close;
				}
				continue;
			}
			if (upper === "::" || (upper === "AS" && at > from)) {
				// A type follows: skip its name.
				at = (readName(this.tokens, at + 1, to, this.fold)?.next ?? at + 1) - 1;
				continue;
			}
			if (!this.#isNameToken(at) || this.upper(at - 1) === "OVER" || this.upper(at - 1) === ":") continue;
			const path = readName(this.tokens, at, to, this.fold);
			if (path === undefined) continue;
			const call = this.upper(path.next) === "(" && path.next < to;
			const named = this.upper(path.next) === "=>";
			const literal = this.tokens[path.next]?.kind === "string" && path.next < to;
			if (!call && !named && !literal && !this.#isDatePart(at, path.next, to)) {
				refs.push({ qualifier: path.parts.at(-2), column: path.parts.at(-1) as string });
			}
			at = path.next - 1;
		}
		return refs;
	}

	#isDatePart(at: number, next: number, to: number): boolean {
		if (next !== at + 1 || next >= to || !DATE_PARTS.has(this.upper(at))) return false;
		const before = this.tokens[at - 1];
		if (before?.kind === "number" || before?.kind === "string" || this.upper(next) === "FROM") return true;
		if (before?.upper === "(") return /DATE|TIME|EXTRACT|LAST_DAY/.test(this.upper(at - 2));
		return (
			before?.upper === "," && this.upper(next) === ")" && /DATE|TIME/.test(this.upper((this.partner[next] ?? 0) - 1))
		);
	}
}
