import { CLAUSES, FACTOR_ENDS, matchBrackets, PLACEHOLDER, readName, splitAtCommas } from "./sql-grammar.js";
import { ItemReader, type SqlItem } from "./sql-items.js";
import type { SqlToken } from "./sql-lexer.js";
import { MAX_DEPTH } from "./sql-token-reader.js";

/**
 * Reads of a query what lineage needs: its CTEs, the tables it reads, the columns it returns and the columns that each of
 * them mentions. Expressions are walked, not parsed, so that no dialect's syntax and no placeholder of a template can make a whole
 * model unreadable. (Measured on a list of everyday statements, node-sql-parser reads each in one or two of its dialects only.)
 */

export interface SqlQuery {
	readonly ctes: readonly SqlCte[];
	/** More than one for UNION and its like. */
	readonly branches: readonly (SqlSelect | SqlQuery)[];
	/** Queries inside expressions and conditions: they read tables, but add no columns. */
	readonly nested: readonly SqlQuery[];
}
export interface SqlCte {
	readonly name: string;
	readonly columns?: readonly string[];
	/** Undefined where the body is no query (VALUES, INSERT ... RETURNING). */
	readonly query?: SqlQuery;
}
export interface SqlSelect {
	readonly items: readonly SqlItem[];
	readonly from: readonly SqlFactor[];
}
/** A table, a subquery, or something whose columns nobody knows (a function, a pivot). */
export interface SqlFactor {
	readonly table?: readonly string[];
	readonly query?: SqlQuery;
	readonly alias?: string;
	/** The columns are not those of the table or subquery. */
	readonly reshaped: boolean;
}

export const isSelect = (branch: SqlSelect | SqlQuery): branch is SqlSelect => "items" in branch;

/** @returns undefined where this is no query, or one whose brackets do not pair */
export function readQuery(tokens: readonly SqlToken[], fold: (word: string) => string): SqlQuery | undefined {
	const partner = matchBrackets(tokens);
	return partner === undefined ? undefined : new QueryReader(tokens, partner, fold).query(0, tokens.length, 0);
}

/** The top-level CTEs with the tokens from the name to the closing bracket: the places of a model's parts. */
export function cteSpans(tokens: readonly SqlToken[]): { name: string; first: number; last: number }[] {
	const partner = matchBrackets(tokens);
	if (partner === undefined) return [];
	const reader = new QueryReader(tokens, partner, (word) => word);
	return reader.cteBodies(0, tokens.length).bodies.map(({ name, first, close }) => ({ name, first, last: close }));
}

interface CteBody {
	readonly name: string;
	readonly columns?: readonly string[];
	readonly first: number;
	readonly open: number;
	readonly close: number;
}

class QueryReader extends ItemReader {
	query(from: number, to: number, depth: number): SqlQuery | undefined {
		if (depth > MAX_DEPTH || !this.startsQuery(from, to)) return undefined;
		const { bodies, next } = this.cteBodies(from, to);
		const ctes = bodies.map((body): SqlCte => {
			const query = this.query(body.open + 1, body.close, depth + 1);
			return { name: body.name, columns: body.columns, query };
		});
		const nested: SqlQuery[] = [];
		const branches: (SqlSelect | SqlQuery)[] = [];
		for (const [start, end] of this.#splitAtSetOperators(next, to)) {
			const close = this.partner[start] ?? -1;
			if (this.upper(start) === "(" && close > start) {
				const inner = this.query(start + 1, close, depth + 1);
				if (inner !== undefined) branches.push(inner);
			} else if (this.upper(start) === "SELECT") branches.push(this.#select(start, end, depth, nested));
			else if (this.upper(start) === "FROM") branches.push(this.#fromFirst(start, end, depth, nested));
		}
		return branches.length === 0 ? undefined : { ctes, branches, nested };
	}

	/** The bodies of WITH, and where the query proper begins. */
	cteBodies(from: number, to: number): { bodies: CteBody[]; next: number } {
		const bodies: CteBody[] = [];
		if (this.upper(from) !== "WITH") return { bodies, next: from };
		let at = from + (this.upper(from + 1) === "RECURSIVE" ? 2 : 1);
		while (at < to) {
			const first = at;
			const name = readName(this.tokens, at, to, this.fold);
			if (name === undefined) break;
			at = name.next;
			let columns: readonly string[] | undefined;
			if (this.upper(at) === "(" && this.upper((this.partner[at] ?? -2) + 1) === "AS") {
				columns = this.names(at + 1, this.partner[at] as number);
				at = (this.partner[at] as number) + 1;
			}
			if (this.upper(at) === "AS") at += 1;
			while (this.upper(at) === "NOT" || this.upper(at) === "MATERIALIZED") at += 1;
			const close = this.partner[at] ?? -1;
			if (this.upper(at) !== "(" || close < at) break;
			bodies.push({ name: name.parts.at(-1) ?? "", columns, first, open: at, close });
			at = close + 1;
			if (this.upper(at) !== ",") break;
			at += 1;
		}
		return { bodies, next: at };
	}

	#splitAtSetOperators(from: number, to: number): [number, number][] {
		const parts: [number, number][] = [];
		let start = from;
		for (;;) {
			const at = this.find(start, to, (upper, index) => this.#isSetOperator(upper, index));
			if (start < at) parts.push([start, at]);
			if (at >= to) return parts;
			start = at + 1;
			while (["ALL", "DISTINCT", "BY", "NAME"].includes(this.upper(start))) start += 1;
		}
	}

	/** EXCEPT also stands behind a star: `* except (a, b)`. */
	#isSetOperator(upper: string, index: number): boolean {
		if (upper === "UNION" || upper === "INTERSECT") return true;
		if (upper !== "EXCEPT" && upper !== "MINUS") return false;
		const next = this.upper(index + 1);
		if (next !== "(") return ["SELECT", "ALL", "DISTINCT", "WITH", "FROM", "VALUES"].includes(next);
		return this.startsQuery(index + 2, this.tokens.length);
	}

	#isClause = (upper: string, index: number): boolean => {
		if (!CLAUSES.has(upper)) return false;
		if (this.upper(index - 1) === "." || this.upper(index - 1) === "AS") return false;
		if (upper === "FROM") return !(this.upper(index - 1) === "DISTINCT" && /^(IS|NOT)$/.test(this.upper(index - 2)));
		if (upper === "GROUP" || upper === "ORDER" || upper === "CLUSTER" || upper === "DISTRIBUTE" || upper === "SORT") {
			return this.upper(index + 1) === "BY" || this.upper(index + 1) === "ALL";
		}
		return true;
	};

	#select(from: number, to: number, depth: number, nested: SqlQuery[]): SqlSelect {
		const listEnd = this.find(from + 1, to, this.#isClause);
		let at = from + 1;
		if (["ALL", "DISTINCT"].includes(this.upper(at))) {
			at += 1;
			if (this.upper(at) === "ON" && this.upper(at + 1) === "(") at = (this.partner[at + 1] ?? at) + 1;
		}
		if (this.upper(at) === "TOP") at = this.upper(at + 1) === "(" ? (this.partner[at + 1] ?? at) + 1 : at + 2;
		if (this.upper(at) === "AS" && ["STRUCT", "VALUE"].includes(this.upper(at + 1))) at += 2;
		const items = splitAtCommas(this.tokens, this.partner, at, listEnd)
			.filter(([start, end]) => start < end)
			.map(([start, end]) => this.item(start, end, (open, close) => this.#nested(open, close, depth, nested)));
		return { items, from: this.#from(listEnd, to, depth, nested) };
	}

	/** DuckDB: `from t` and `from t select a`. */
	#fromFirst(from: number, to: number, depth: number, nested: SqlQuery[]): SqlSelect {
		const select = this.find(from, to, (upper) => upper === "SELECT");
		const factors = this.#from(from, select, depth, nested);
		if (select >= to) return { items: [{ star: true, except: [] }], from: factors };
		return { items: this.#select(select, to, depth, nested).items, from: factors };
	}

	/** From the clause that ends the select list on: factors of FROM, and queries inside the conditions. */
	#from(at: number, to: number, depth: number, nested: SqlQuery[]): SqlFactor[] {
		const begin = this.find(at, to, (upper, index) => upper === "FROM" && this.#isClause(upper, index));
		const end = this.find(begin + 1, to, (upper, index) => upper !== "FROM" && this.#isClause(upper, index));
		this.#nestedQueries(end, to, depth, nested);
		return begin >= to ? [] : this.#factors(begin + 1, end, depth, nested);
	}

	#factors(from: number, to: number, depth: number, nested: SqlQuery[]): SqlFactor[] {
		const factors: SqlFactor[] = [];
		let at = from;
		while (at < to && depth <= MAX_DEPTH) {
			at = this.#factor(at, to, depth, factors);
			const next = this.find(at, to, (upper, index) => upper === "," || this.#joins(upper, index));
			// PIVOT and LATERAL VIEW between here and there add columns that nobody knows.
			const reshape = this.find(at, next, (upper) => ["PIVOT", "UNPIVOT", "VIEW", "MATCH_RECOGNIZE"].includes(upper));
			if (reshape < next) factors.push({ reshaped: true });
			this.#nestedQueries(at, next, depth, nested);
			at = next + 1;
		}
		return factors;
	}

	#joins(upper: string, index: number): boolean {
		return (upper === "JOIN" || upper === "STRAIGHT_JOIN" || upper === "APPLY") && this.upper(index - 1) !== ".";
	}

	#factor(from: number, to: number, depth: number, factors: SqlFactor[]): number {
		let at = from;
		while (["LATERAL", "ONLY", "OUTER"].includes(this.upper(at))) at += 1;
		const close = this.partner[at] ?? -1;
		if (this.upper(at) === "(" && close > at) {
			const query = this.query(at + 1, close, depth + 1);
			if (query === undefined && this.tokens[at + 1]?.kind !== "word" && this.tokens[at + 1]?.kind !== "quoted") {
				const inner = this.upper(at + 1) === "(" ? this.#factors(at + 1, close, depth + 1, []) : [{ reshaped: true }];
				factors.push(...inner);
				return close + 1;
			}
			if (query === undefined) {
				factors.push(
					...(this.upper(at + 1) === "VALUES" ? [{ reshaped: true }] : this.#factors(at + 1, close, depth + 1, [])),
				);
				return this.#alias(close + 1, to).next;
			}
			const { alias, columns, next } = this.#alias(close + 1, to);
			factors.push({ query, alias, reshaped: columns });
			return next;
		}
		const name = readName(this.tokens, at, to, this.fold);
		if (name === undefined) {
			factors.push({ reshaped: true });
			return at + 1;
		}
		if (this.upper(name.next) === "(") {
			const { alias, next } = this.#alias((this.partner[name.next] ?? name.next) + 1, to);
			factors.push({ alias, reshaped: true });
			return next;
		}
		const { alias, columns, next } = this.#alias(name.next, to);
		factors.push({ table: name.parts, alias, reshaped: columns });
		return next;
	}

	#alias(from: number, to: number): { alias?: string; columns: boolean; next: number } {
		const explicit = this.upper(from) === "AS";
		const at = explicit ? from + 1 : from;
		const token = at < to ? this.tokens[at] : undefined;
		// A macro call behind a table (`from t {{ limit() }}`) is no alias.
		const isImplicit = token !== undefined && !FACTOR_ENDS.has(token.upper) && !token.text.startsWith(PLACEHOLDER);
		const isName = token?.kind === "quoted" || (token?.kind === "word" && (explicit || isImplicit));
		if (token === undefined || !isName) return { columns: false, next: from };
		const alias = token.kind === "word" ? this.fold(token.text) : token.text;
		const columns = this.upper(at + 1) === "(" && at + 1 < to;
		return { alias, columns, next: columns ? (this.partner[at + 1] ?? at) + 1 : at + 1 };
	}

	#nestedQueries(from: number, to: number, depth: number, nested: SqlQuery[]): void {
		for (let at = from; at < to; at += 1) {
			const close = this.partner[at] ?? -1;
			if (this.upper(at) !== "(" || close < at || !this.startsQuery(at + 1, close)) continue;
			this.#nested(at + 1, close, depth, nested);
			at = close;
		}
	}

	#nested(from: number, to: number, depth: number, nested: SqlQuery[]): void {
		const query = this.query(from, to, depth + 1);
		if (query !== undefined) nested.push(query);
	}
}
