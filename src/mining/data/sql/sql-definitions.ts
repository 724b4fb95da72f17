import { matchBrackets, readName, splitAtCommas } from "./sql-grammar.js";
import type { SqlToken } from "./sql-lexer.js";
import { readQuery, type SqlQuery } from "./sql-query.js";

/** What a statement says of tables and their columns; everything else is left out. */
export type SqlDefinition =
	| {
			readonly does: "create";
			readonly what: "table" | "view" | "materialized_view";
			readonly table: readonly string[];
			readonly columns: readonly SqlColumn[];
			readonly keys: readonly SqlKey[];
			readonly comment?: string;
			readonly query?: SqlQuery;
			/** Names that a view gives to the columns of its query. */
			readonly columnNames?: readonly string[];
			/** Elements between the brackets that could not be read. */
			readonly unread: number;
	  }
	| {
			readonly does: "alter";
			readonly table: readonly string[];
			readonly columns: readonly SqlColumn[];
			readonly keys: readonly SqlKey[];
	  }
	| { readonly does: "comment"; readonly table: readonly string[]; readonly column?: string; readonly comment: string }
	| {
			readonly does: "insert";
			readonly table: readonly string[];
			readonly into: readonly string[];
			readonly query: SqlQuery;
	  }
	| { readonly does: "select"; readonly query: SqlQuery };

export interface SqlColumn {
	readonly name: string;
	/** As written, white space collapsed. */
	readonly type?: string;
	readonly nullable: boolean;
	readonly comment?: string;
}

export type SqlKey =
	| { readonly type: "primary"; readonly columns: readonly string[] }
	| {
			readonly type: "foreign";
			readonly columns: readonly string[];
			readonly table: readonly string[];
			readonly targets: readonly string[];
	  };

const CREATE_WORDS = new Set(
	`OR REPLACE ALTER GLOBAL LOCAL TEMP TEMPORARY TRANSIENT VOLATILE UNLOGGED EXTERNAL FOREIGN VIRTUAL HYBRID DYNAMIC ICEBERG ALGORITHM UNDEFINED
	MERGE TEMPTABLE DEFINER CURRENT_USER SQL SECURITY INVOKER RECURSIVE SECURE MATERIALIZED FORCE EDITIONABLE`.split(
		/\s+/,
	),
);
const TABLE_CONSTRAINTS = new Set(
	"CONSTRAINT PRIMARY FOREIGN UNIQUE CHECK KEY INDEX FULLTEXT SPATIAL EXCLUDE LIKE PERIOD".split(" "),
);
const COLUMN_CONSTRAINTS = new Set(
	`NOT NULL DEFAULT PRIMARY UNIQUE REFERENCES CHECK COLLATE CONSTRAINT GENERATED AUTO_INCREMENT AUTOINCREMENT IDENTITY COMMENT ENCODE
	DISTKEY SORTKEY ON AS STORAGE COMPRESSION OPTIONS MASKING CHARSET VISIBLE INVISIBLE STORED VIRTUAL KEY TAG CODEC TTL SPARSE ROWGUIDCOL
	FORMAT FOREIGN INDEX BEFORE AFTER`.split(/\s+/),
);

/** `unreadable`: the statement is of a kind that should define something, but its brackets or names make no sense. */
export function readDefinition(
	text: string,
	tokens: readonly SqlToken[],
	fold: (word: string) => string,
): SqlDefinition | "unreadable" | undefined {
	const partner = matchBrackets(tokens);
	const first = tokens[0]?.upper ?? "";
	if (!["CREATE", "ALTER", "COMMENT", "INSERT", "SELECT", "WITH"].includes(first)) return undefined;
	if (partner === undefined) return "unreadable";
	const reader = new DefinitionReader(text, tokens, partner, fold);
	if (first === "CREATE") return reader.create();
	if (first === "ALTER") return reader.alter();
	if (first === "COMMENT") return reader.comment();
	if (first === "INSERT") return reader.insert();
	const query = readQuery(tokens, fold);
	return query === undefined ? undefined : { does: "select", query };
}

class DefinitionReader {
	constructor(
		readonly text: string,
		readonly tokens: readonly SqlToken[],
		readonly partner: Int32Array,
		readonly fold: (word: string) => string,
	) {}

	create(): SqlDefinition | "unreadable" | undefined {
		let at = 1;
		// DEFINER=`root`@`localhost` is skipped by its kinds of token.
		while (at < 30 && (CREATE_WORDS.has(this.#upper(at)) || this.#isDefiner(at))) at += 1;
		const word = this.#upper(at);
		if (word !== "TABLE" && word !== "VIEW") return undefined;
		const materialized = this.#upper(at - 1) === "MATERIALIZED" || this.#upper(at - 1) === "DYNAMIC";
		at = this.#behind(at + 1, "IF", "NOT", "EXISTS");
		const name = this.#name(at);
		if (name === undefined) return "unreadable";
		at = name.next;
		const table = name.parts;
		if (word === "VIEW") {
			const what = materialized ? "materialized_view" : "view";
			const columnNames = this.#upper(at) === "(" ? this.#firstNames(at) : undefined;
			const query = this.#queryAfterAs(at);
			if (query === undefined) return "unreadable";
			return {
				does: "create",
				what,
				table,
				columns: [],
				keys: [],
				query,
				columnNames,
				comment: this.#tableComment(at),
				unread: 0,
			};
		}
		const open = this.#upper(at) === "(" ? at : -1;
		const isColumnList = open !== -1 && !["SELECT", "WITH"].includes(this.#upper(open + 1));
		const body = isColumnList ? this.#elements(open) : { columns: [], keys: [], unread: 0 };
		const after = isColumnList ? (this.partner[open] as number) + 1 : at;
		const query = open !== -1 && !isColumnList ? this.#query(open, this.tokens.length) : this.#queryAfterAs(after);
		return { does: "create", what: "table", table, ...body, query, comment: this.#tableComment(after) };
	}

	alter(): SqlDefinition | undefined {
		if (this.#upper(1) !== "TABLE") return undefined;
		const name = this.#name(this.#behind(this.#behind(2, "IF", "EXISTS"), "ONLY"));
		if (name === undefined) return undefined;
		const columns: SqlColumn[] = [];
		const keys: SqlKey[] = [];
		for (const [start, end] of splitAtCommas(this.tokens, this.partner, name.next, this.tokens.length)) {
			if (this.#upper(start) !== "ADD") continue;
			let at = this.#behind(start + 1, "COLUMN");
			at = this.#behind(at, "IF", "NOT", "EXISTS");
			if (this.#isConstraint(at)) keys.push(...this.#constraint(at, end));
			else this.#column(at, end, columns, keys);
		}
		return columns.length + keys.length === 0 ? undefined : { does: "alter", table: name.parts, columns, keys };
	}

	comment(): SqlDefinition | undefined {
		const what = this.#upper(2);
		const isColumn = what === "COLUMN";
		if (this.#upper(1) !== "ON" || !(isColumn || what === "TABLE" || what === "VIEW")) return undefined;
		const name = this.#name(3);
		const value = name === undefined ? undefined : this.tokens[name.next + 1];
		if (name === undefined || this.#upper(name.next) !== "IS" || value?.kind !== "string") return undefined;
		if (!isColumn) return { does: "comment", table: name.parts, comment: value.text };
		if (name.parts.length < 2) return undefined;
		return { does: "comment", table: name.parts.slice(0, -1), column: name.parts.at(-1), comment: value.text };
	}

	insert(): SqlDefinition | undefined {
		let at = 1;
		while (["OR", "REPLACE", "IGNORE", "OVERWRITE", "INTO", "TABLE"].includes(this.#upper(at))) at += 1;
		const name = this.#name(at);
		if (name === undefined) return undefined;
		at = name.next;
		const listed = this.#upper(at) === "(" && !["SELECT", "WITH"].includes(this.#upper(at + 1));
		const into = listed ? this.#firstNames(at) : [];
		const query = this.#query(listed ? (this.partner[at] as number) + 1 : at, this.tokens.length);
		return query === undefined ? undefined : { does: "insert", table: name.parts, into, query };
	}

	#upper(index: number): string {
		return this.tokens[index]?.upper ?? "";
	}

	#name(at: number) {
		return readName(this.tokens, at, this.tokens.length, this.fold);
	}

	#isDefiner(at: number): boolean {
		const before = this.#upper(at - 1);
		return this.#upper(at) === "=" || before === "=" || before === "@" || this.#upper(at).startsWith("@");
	}

	/** The index behind these words when they all stand here, else here. */
	#behind(at: number, ...words: readonly string[]): number {
		return words.every((word, offset) => this.#upper(at + offset) === word) ? at + words.length : at;
	}

	#query(from: number, to: number): SqlQuery | undefined {
		return readQuery(this.tokens.slice(from, to), this.fold);
	}

	#queryAfterAs(from: number): SqlQuery | undefined {
		for (let at = from; at < this.tokens.length; at += 1) {
			const match = this.partner[at] ?? -1;
			if (match > at) at = match;
			else if (this.#upper(at) === "AS") return this.#query(at + 1, this.tokens.length);
			// MySQL: CREATE TABLE t SELECT ...
			else if (this.#upper(at) === "SELECT") return this.#query(at, this.tokens.length);
		}
		return undefined;
	}

	#firstNames(open: number): string[] {
		return splitAtCommas(this.tokens, this.partner, open + 1, this.partner[open] as number).flatMap(
			([start, end]) => readName(this.tokens, start, end, this.fold)?.parts.at(-1) ?? [],
		);
	}

	/** `COMMENT = 'x'`, `COMMENT 'x'`, and `OPTIONS(description = "x")` of BigQuery. */
	#tableComment(from: number): string | undefined {
		for (let at = from; at < this.tokens.length; at += 1) {
			if (this.#upper(at) === "AS") return undefined;
			if (this.#upper(at) === "COMMENT" || this.#upper(at) === "DESCRIPTION") {
				const value = this.tokens[this.#behind(at + 1, "=")];
				if (value?.kind === "string" || value?.kind === "quoted") return value.text;
			}
		}
		return undefined;
	}

	#columnComment(at: number): string | undefined {
		if (this.#upper(at) === "COMMENT") {
			const value = this.tokens[this.#behind(at + 1, "=")];
			return value?.kind === "string" ? value.text : undefined;
		}
		for (let index = at + 1; index < (this.partner[at + 1] ?? -1); index += 1) {
			const value = this.tokens[index + 2];
			if (this.#upper(index) === "DESCRIPTION" && (value?.kind === "string" || value?.kind === "quoted"))
				return value.text;
		}
		return undefined;
	}

	#elements(open: number): { columns: SqlColumn[]; keys: SqlKey[]; unread: number } {
		const columns: SqlColumn[] = [];
		const keys: SqlKey[] = [];
		let unread = 0;
		for (const [start, end] of splitAtCommas(this.tokens, this.partner, open + 1, this.partner[open] as number)) {
			if (start === end) continue;
			if (this.#isConstraint(start)) keys.push(...this.#constraint(start, end));
			else if (!this.#column(start, end, columns, keys)) unread += 1;
		}
		return { columns, keys, unread };
	}

	/** A column may be called `key` or `index`: then a type follows, not a list of columns. */
	#isConstraint(at: number): boolean {
		const word = this.#upper(at);
		if (!TABLE_CONSTRAINTS.has(word)) return false;
		if (word === "KEY" || word === "INDEX" || word === "LIKE" || word === "PERIOD" || word === "EXCLUDE") {
			const bracket = this.#upper(at + 1) === "(" ? at + 1 : this.#upper(at + 2) === "(" ? at + 2 : -1;
			if (bracket === -1) return word === "LIKE" || this.#upper(at + 2) === "USING" || this.#upper(at + 1) === "USING";
			return this.tokens[bracket + 1]?.kind !== "number";
		}
		return true;
	}

	#constraint(from: number, to: number): SqlKey[] {
		for (let at = from; at < to; at += 1) {
			const word = this.#upper(at);
			if (word !== "PRIMARY" && word !== "FOREIGN") {
				if ((this.partner[at] ?? -1) > at) at = this.partner[at] as number;
				continue;
			}
			const open = this.#findBracket(at, to);
			if (open === -1) return [];
			const columns = this.#firstNames(open);
			if (word === "PRIMARY") return [{ type: "primary", columns }];
			const close = this.partner[open] as number;
			return this.#upper(close + 1) === "REFERENCES" ? this.#reference(close + 1, to, columns) : [];
		}
		return [];
	}

	#findBracket(from: number, to: number): number {
		for (let at = from; at < to && at < from + 8; at += 1) if (this.#upper(at) === "(") return at;
		return -1;
	}

	#reference(at: number, to: number, columns: readonly string[]): SqlKey[] {
		const target = readName(this.tokens, at + 1, to, this.fold);
		if (target === undefined) return [];
		const targets = this.#upper(target.next) === "(" ? this.#firstNames(target.next) : [];
		return [{ type: "foreign", columns, table: target.parts, targets }];
	}

	#column(from: number, to: number, columns: SqlColumn[], keys: SqlKey[]): boolean {
		const token = this.tokens[from];
		if (token === undefined || from >= to || (token.kind !== "word" && token.kind !== "quoted") || token.text === "")
			return false;
		const name = token.kind === "word" ? this.fold(token.text) : token.text;
		let typeEnd = from + 1;
		while (typeEnd < to && !this.#endsType(typeEnd)) typeEnd = Math.max(this.partner[typeEnd] ?? -1, typeEnd) + 1;
		let nullable = true;
		let comment: string | undefined;
		for (let at = typeEnd; at < to; at += 1) {
			const word = this.#upper(at);
			if (word === "NULL" && this.#upper(at - 1) === "NOT") nullable = false;
			else if (word === "PRIMARY") {
				nullable = false;
				keys.push({ type: "primary", columns: [name] });
			} else if (word === "REFERENCES") keys.push(...this.#reference(at, to, [name]));
			else if (word === "COMMENT" || word === "OPTIONS") comment = this.#columnComment(at) ?? comment;
			// DEFAULT and CHECK hold expressions, which are not constraints.
			if ((this.partner[at] ?? -1) > at) at = this.partner[at] as number;
		}
		columns.push({ name, type: this.#typeText(from + 1, typeEnd), nullable, comment });
		return true;
	}

	#endsType(at: number): boolean {
		const word = this.#upper(at);
		if (word === "WITH" || word === "WITHOUT") return !["TIME", "LOCAL"].includes(this.#upper(at + 1));
		if (word === "CHARACTER") return this.#upper(at + 1) === "SET";
		return COLUMN_CONSTRAINTS.has(word);
	}

	#typeText(from: number, to: number): string | undefined {
		const first = this.tokens[from];
		const last = this.tokens[to - 1];
		if (first === undefined || last === undefined || from >= to) return undefined;
		return this.text.slice(first.start, last.end).replace(/\s+/g, " ").slice(0, 200);
	}
}
