import type { EntityKey } from "../../domain/entities.js";
import { columnKey, dataModelKey, nameKey } from "../../domain/keys.js";
import type { Skip } from "../../domain/mined-file.js";
import type { Extraction, Extractor, FileInput, Region } from "../extractor.js";
import { propertyText } from "./bounded-text.js";
import { describeEntity, entityName, relateEntities } from "./business-entities.js";
import { isDbtSql } from "./dbt/dbt-files.js";
import { LineIndex } from "./line-index.js";
import { readDefinition, type SqlColumn, type SqlDefinition, type SqlKey } from "./sql/sql-definitions.js";
import { SqlLexer, sniffDialect, tokenize } from "./sql/sql-lexer.js";
import { openRelation, type Relation, resolveQuery } from "./sql/sql-lineage.js";
import type { SqlQuery } from "./sql/sql-query.js";
import { splitStatements } from "./sql/sql-statements.js";
import { type StateDraft, StateSet } from "./state-set.js";

const MAX_STATEMENT_CHARACTERS = 1024 * 1024;
const MAX_STATEMENT_TOKENS = 100_000;
const MAX_NAME = 300;
const DEFAULT_SCHEMAS = new Set(["public", "dbo", "main"]);
const DEFINING = new Set(["CREATE", "ALTER", "COMMENT", "INSERT", "SELECT", "WITH"]);

/** Tables, views, their columns, keys and lineage from plain SQL: schemas, migrations, dumps, queries. */
export const sqlExtractor: Extractor = {
	name: "sql",
	version: 1,
	matches: (input) => /\.(?:sql|ddl|psql|pgsql)$/i.test(input.path) && input.text !== undefined && !isDbtSql(input),
	extract(input): Extraction {
		const { statements, skips } = readStatements(input.text ?? "");
		const states = new SchemaStates(input);
		for (const { definition } of statements) states.addTables(definition);
		for (const { definition } of statements) states.addKeysAndQueries(definition);
		return { states: states.finish(), regions: regionsOf(input.text ?? "", statements), skips };
	},
};

interface LocatedDefinition {
	readonly definition: SqlDefinition;
	readonly start: number;
	readonly end: number;
}

function readStatements(text: string): { statements: LocatedDefinition[]; skips: Skip[] } {
	const dialect = sniffDialect(text);
	const statements: LocatedDefinition[] = [];
	let unread = 0;
	let firstUnread = 0;
	for (const { start, end, head } of splitStatements(text, dialect)) {
		if (!DEFINING.has(head[0] ?? "")) continue;
		const slice = text.slice(start, end);
		if (head[0] === "INSERT" && insertsValues(new SqlLexer(slice, dialect))) continue;
		const tokens = slice.length > MAX_STATEMENT_CHARACTERS ? undefined : tokenize(slice, dialect, MAX_STATEMENT_TOKENS);
		const definition =
			tokens === undefined ? "unreadable" : readDefinition(slice, tokens, (word) => word.toLowerCase());
		if (definition === "unreadable" || (definition?.does === "create" && definition.unread > 0)) {
			if (unread === 0) firstUnread = start;
			unread += 1;
		}
		if (definition !== undefined && definition !== "unreadable") statements.push({ definition, start, end });
	}
	const line = unread === 0 ? 0 : new LineIndex(text).lineAt(firstUnread);
	const detail = `${unread} SQL ${unread === 1 ? "statement" : "statements"} could not be read in full, the first at line ${line}`;
	return { statements, skips: unread === 0 ? [] : [{ reason: "parse", detail }] };
}

/** The rows of a dump are most of its bytes and say nothing of its schema. */
function insertsValues(lexer: SqlLexer): boolean {
	while (lexer.next()) {
		if (lexer.kind !== "word" || lexer.end - lexer.start > 6) continue;
		const word = lexer.text.slice(lexer.start, lexer.end).toUpperCase();
		if (word === "VALUES" || word === "SET" || word === "VALUE") return true;
		if (word === "SELECT" || word === "WITH") return false;
	}
	return true;
}

function regionsOf(text: string, statements: readonly LocatedDefinition[]): Region[] {
	const lines = new LineIndex(text);
	const regions: Region[] = [];
	let lastLine = 0;
	for (const { definition, start, end } of statements) {
		if (!("table" in definition)) continue;
		const startLine = lines.lineAt(start);
		const endLine = lines.lineAt(end - 1);
		// Two statements on one line share a region: regions may not overlap.
		if (startLine > lastLine) regions.push({ startLine, endLine, kind: "table", symbol: tableName(definition.table) });
		lastLine = Math.max(lastLine, endLine);
	}
	return regions;
}

/** Lower case unless quoted, without the schema that everyone leaves out. */
function tableName(parts: readonly string[]): string {
	const schema = parts.at(-2)?.toLowerCase();
	const name = schema !== undefined && DEFAULT_SCHEMAS.has(schema) ? (parts.at(-1) as string) : parts.join(".");
	return name.slice(0, MAX_NAME);
}

interface Table {
	readonly draft: StateDraft;
	readonly columns: Map<string, StateDraft>;
	primary: readonly string[];
	relation?: Relation;
}

class SchemaStates {
	readonly #states = new StateSet();
	readonly #tables = new Map<string, Table>();
	readonly #views = new Map<string, Relation>();
	#created = 0;

	constructor(readonly input: FileInput) {}

	/** First pass: tables and columns, so that keys and views find what stands further down. */
	addTables(definition: SqlDefinition): void {
		if (definition.does === "select" || definition.does === "insert") return;
		const name = tableName(definition.table);
		const table = this.#table(name);
		if (definition.does === "comment") {
			if (definition.column === undefined) table.draft.prop("comment", propertyText(definition.comment));
			else this.#column(table, definition.column).prop("comment", propertyText(definition.comment));
			return;
		}
		if (definition.does === "create") {
			const { source, path } = this.input;
			table.draft.prop("path", path).prop("dialect", "sql").prop("materialized", definition.what);
			table.draft.prop("comment", propertyText(definition.comment ?? ""));
			table.draft.provides(nameKey(source, "model", "sql", name), 0);
			const bare = name.split(".").at(-1) as string;
			if (bare !== name) table.draft.provides(nameKey(source, "model", "sql", bare), 1);
			table.draft.provides(nameKey(source, "model", "file", path), this.#created);
			this.#states.file(this.input).edge("DEFINES", table.draft.key);
			this.#created += 1;
		}
		for (const column of definition.columns) this.#describe(this.#column(table, column.name), column);
		for (const key of definition.keys) if (key.type === "primary") this.#primary(table, key.columns);
	}

	addKeysAndQueries(definition: SqlDefinition): void {
		if (definition.does === "select") {
			const file = this.#states.file(this.input);
			for (const target of this.#read(definition.query).tables) file.edge("REFERENCES", this.#modelName(target));
			return;
		}
		if (definition.does === "comment") return;
		const name = tableName(definition.table);
		const table = this.#table(name);
		if (definition.does === "insert") {
			// Without a list of columns the positions of the table count, which another file may state.
			this.#derive(name, table, definition.query, (_, index) => definition.into[index]);
			return;
		}
		for (const key of definition.keys) if (key.type === "foreign") this.#foreign(name, table, key);
		if (definition.does === "create" && definition.query !== undefined) {
			const names = definition.columnNames;
			const relation = this.#derive(name, table, definition.query, (own, index) => names?.[index] ?? own);
			if (definition.columns.length === 0) this.#views.set(name, relation);
		}
	}

	finish() {
		for (const [name, { draft, primary }] of this.#tables) {
			if (primary.length !== 1) continue;
			describeEntity(this.#states, this.input.source, draft, entityName(name, primary[0]));
		}
		return this.#states.build();
	}

	#table(name: string): Table {
		let table = this.#tables.get(name);
		if (table === undefined) {
			const draft = this.#states.state(dataModelKey(this.input.source, name), "data_model", name);
			table = { draft, columns: new Map(), primary: [] };
			this.#tables.set(name, table);
		}
		return table;
	}

	#column(table: Table, name: string): StateDraft {
		const bounded = name.slice(0, MAX_NAME);
		let column = table.columns.get(bounded);
		if (column === undefined) {
			column = this.#states.state(columnKey(table.draft.key, bounded), "column", bounded);
			table.columns.set(bounded, column);
			table.draft.edge("HAS_COLUMN", column.key);
		}
		return column;
	}

	#describe(draft: StateDraft, column: SqlColumn): void {
		draft.prop("type", column.type).prop("nullable", column.nullable);
		draft.prop("comment", propertyText(column.comment ?? ""));
	}

	#primary(table: Table, columns: readonly string[]): void {
		table.primary = columns;
		for (const name of columns) this.#column(table, name).prop("primaryKey", true).prop("nullable", false);
	}

	#foreign(name: string, table: Table, key: Extract<SqlKey, { type: "foreign" }>): void {
		const { source } = this.input;
		const targetName = tableName(key.table);
		const targetKey = dataModelKey(source, targetName);
		// `references customers` means its primary key, which is known when the table stands in the same file.
		const known = this.#tables.get(targetName)?.primary ?? [];
		const targets = key.targets.length > 0 ? key.targets : known;
		key.columns.forEach((column, index) => {
			const target = targets[index];
			this.#column(table, column).edge("REFERENCES", target === undefined ? targetKey : columnKey(targetKey, target));
		});
		const from = entityName(name, table.primary.length === 1 ? table.primary[0] : undefined);
		relateEntities(this.#states, source, from, entityName(targetName, targets.length === 1 ? targets[0] : undefined));
		describeEntity(this.#states, source, table.draft, from);
	}

	/** @param nameOf the target's column for the query's column at a position; undefined where none is known */
	#derive(
		name: string,
		table: Table,
		query: SqlQuery,
		nameOf: (own: string | undefined, index: number) => string | undefined,
	): Relation {
		const { relation, tables } = this.#read(query);
		for (const target of tables) if (target !== name) table.draft.edge("DERIVES_FROM", this.#modelName(target));
		const columns = new Map<string, { name: string; origins: ReadonlySet<EntityKey> }>();
		// Behind a star over an unknown table positions mean nothing.
		const known = relation.open.length === 0;
		[...(relation.positions ?? relation.columns.values())].forEach((column, index) => {
			const given = nameOf(column.name, known ? index : Number.NaN);
			if (given === undefined) return;
			const draft = this.#column(table, given);
			for (const origin of column.origins) if (origin !== draft.key) draft.edge("DERIVES_FROM", origin);
			columns.set(given.toLowerCase(), { name: given, origins: new Set([draft.key]) });
		});
		return { columns, open: known ? [] : [[]] };
	}

	#modelName(table: string): EntityKey {
		return nameKey(this.input.source, "model", "sql", table);
	}

	#read(query: SqlQuery): { relation: Relation; tables: string[] } {
		const tables = new Set<string>();
		const relation = resolveQuery(query, {
			isKnownName: () => true,
			relationOf: (parts) => {
				const name = tableName(parts);
				tables.add(name);
				return this.#views.get(name) ?? this.#relation(name);
			},
		});
		return { relation, tables: [...tables] };
	}

	#relation(name: string): Relation {
		const table = this.#tables.get(name);
		if (table === undefined || table.columns.size === 0) return openRelation(dataModelKey(this.input.source, name));
		if (table.relation?.columns.size !== table.columns.size) {
			const columns = [...table.columns].map(
				([column, draft]) => [column.toLowerCase(), { name: column, origins: new Set([draft.key]) }] as const,
			);
			table.relation = { columns: new Map(columns), open: [] };
		}
		return table.relation;
	}
}
