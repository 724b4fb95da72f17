import type { EntityKey } from "../../../domain/entities.js";
import { columnKey } from "../../../domain/keys.js";
import type { SqlColumnRef, SqlItem } from "./sql-items.js";
import { isSelect, type SqlFactor, type SqlQuery, type SqlSelect } from "./sql-query.js";

/** A column that a query returns, and the columns of tables that its value comes from. */
export interface ResolvedColumn {
	readonly name: string;
	readonly origins: ReadonlySet<EntityKey>;
}

/**
 * What is known of the columns of a table, a CTE or a query. `open` holds one entry for each `*` over a table whose columns
 * stand in another file: all keys of an entry have every further column. An entry without keys is something nobody knows.
 */
export interface Relation {
	readonly columns: ReadonlyMap<string, ResolvedColumn>;
	readonly open: readonly (readonly EntityKey[])[];
	/** All columns in order, unnamed ones too; undefined where a star hides some. */
	readonly positions?: readonly PositionedColumn[];
}

interface PositionedColumn {
	readonly name?: string;
	readonly origins: ReadonlySet<EntityKey>;
}

export interface LineageOptions {
	/** What is known of a table that is no CTE; called for every table read, also by conditions. */
	readonly relationOf: (parts: readonly string[]) => Relation;
	/** False for names that a template's placeholder made. */
	readonly isKnownName: (name: string) => boolean;
}

export const UNKNOWN_RELATION: Relation = { columns: new Map(), open: [[]] };
/** A table whose columns are stated elsewhere. */
export const openRelation = (key: EntityKey): Relation => ({ columns: new Map(), open: [[key]] });

/** Work is bounded because stars over stars multiply columns: what lies beyond is unknown, never wrong. */
const MAX_COLUMNS = 5_000;
const MAX_ORIGINS = 50;
const MAX_STEPS = 500_000;

/** The CTEs that a query can see; chained, because copying them into every subquery would take quadratic time. */
class Scope {
	readonly #own = new Map<string, Relation>();
	constructor(readonly outer?: Scope) {}

	get(name: string): Relation | undefined {
		return this.#own.get(name) ?? this.outer?.get(name);
	}

	set(name: string, relation: Relation): void {
		this.#own.set(name, relation);
	}
}

interface Source {
	readonly alias: string | undefined;
	readonly relation: Relation;
}

/** The columns that a query returns, resolved through its CTEs and subqueries. Names compare without regard to case. */
export function resolveQuery(query: SqlQuery, options: LineageOptions): Relation {
	return new Resolver(options).query(query, undefined);
}

class Resolver {
	#steps = 0;
	constructor(readonly options: LineageOptions) {}

	query(query: SqlQuery, outer: Scope | undefined): Relation {
		const scope = new Scope(outer);
		for (const cte of query.ctes) {
			const name = cte.name.toLowerCase();
			// A recursive CTE, always a union, reads itself; in `with orders as (select * from orders)` the table is meant.
			if ((cte.query?.branches.length ?? 0) > 1) scope.set(name, { columns: new Map(), open: [] });
			const relation = cte.query === undefined ? UNKNOWN_RELATION : this.query(cte.query, scope);
			scope.set(name, cte.columns === undefined ? relation : renamed(relation, cte.columns));
		}
		for (const nested of query.nested) this.query(nested, scope);
		const [first, ...others] = query.branches.map((branch) =>
			isSelect(branch) ? this.#select(branch, scope) : this.query(branch, scope),
		);
		return first === undefined ? UNKNOWN_RELATION : others.reduce((all, branch) => this.#union(all, branch), first);
	}

	#union(first: Relation, second: Relation): Relation {
		this.#steps += first.columns.size;
		return this.#steps > MAX_STEPS ? first : union(first, second);
	}

	#select(select: SqlSelect, scope: Scope): Relation {
		const sources = select.from.map((factor) => this.#source(factor, scope));
		const open: (readonly EntityKey[])[] = [];
		const positions: PositionedColumn[] = [];
		for (const item of select.items) {
			if (positions.length >= MAX_COLUMNS || this.#steps > MAX_STEPS) {
				open.push([]);
				break;
			}
			if (item.star) {
				this.#star(item, sources, positions, open);
				continue;
			}
			const { isKnownName } = this.options;
			// A placeholder may stand for any number of columns.
			const names = item.name === undefined ? item.refs.map((ref) => ref.column) : [item.name];
			const isKnown = names.every(isKnownName);
			if (!isKnown) open.push([]);
			const origins = new Set<EntityKey>();
			for (const ref of item.refs) this.#addOrigins(origins, ref, sources);
			positions.push({ name: isKnown ? item.name : undefined, origins });
		}
		return relationOf(positions, open);
	}

	#source(factor: SqlFactor, scope: Scope): Source {
		const { table, query } = factor;
		let relation = UNKNOWN_RELATION;
		if (query !== undefined) relation = this.query(query, scope);
		else if (table !== undefined) {
			const cte = table.length === 1 ? scope.get((table[0] as string).toLowerCase()) : undefined;
			relation = cte ?? this.options.relationOf(table);
		}
		const alias = (factor.alias ?? table?.at(-1))?.toLowerCase();
		return { alias, relation: factor.reshaped ? UNKNOWN_RELATION : relation };
	}

	#star(
		item: Extract<SqlItem, { star: true }>,
		sources: readonly Source[],
		positions: PositionedColumn[],
		open: (readonly EntityKey[])[],
	): void {
		const qualifier = item.qualifier?.toLowerCase();
		const chosen = qualifier === undefined ? sources : sources.filter((source) => source.alias === qualifier);
		if (chosen.length === 0) open.push([]);
		const except = new Set(item.except.map((name) => name.toLowerCase()));
		for (const { relation } of chosen) {
			for (const column of relation.positions ?? relation.columns.values()) {
				this.#steps += 1;
				if (this.#steps > MAX_STEPS || positions.length >= MAX_COLUMNS) return;
				if (column.name === undefined || !except.has(column.name.toLowerCase())) positions.push(column);
			}
			for (const entry of relation.open) if (open.length < MAX_ORIGINS) open.push(entry);
		}
	}

	/**
	 * Where a column comes from. Without a qualifier it may belong to any source: it is known when a source lists it, or when
	 * a single table of unknown columns is left that can have it.
	 */
	#addOrigins(origins: Set<EntityKey>, ref: SqlColumnRef, sources: readonly Source[]): void {
		const name = ref.column.toLowerCase();
		const qualifier = ref.qualifier?.toLowerCase();
		const qualified = sources.filter((source) => source.alias === qualifier);
		// `payload.id` may be a field of a column instead of a table's column.
		const candidates = qualifier === undefined ? sources : qualified;
		const listed = candidates.flatMap(({ relation }) => relation.columns.get(name) ?? []);
		this.#steps += candidates.length + 1;
		for (const column of listed) for (const origin of column.origins) addBounded(origins, origin);
		if (listed.length > 0 || !this.options.isKnownName(ref.column)) return;
		const [only, another] = candidates.flatMap(({ relation }) => relation.open);
		if (only === undefined || another !== undefined) return;
		for (const model of only) addBounded(origins, columnKey(model, ref.column));
	}
}

function put(columns: Map<string, ResolvedColumn>, column: ResolvedColumn): void {
	const key = column.name.toLowerCase();
	if (!columns.has(key)) columns.set(key, column);
}

function addBounded(origins: Set<EntityKey>, origin: EntityKey): void {
	if (origins.size < MAX_ORIGINS) origins.add(origin);
}

function relationOf(positions: readonly PositionedColumn[], open: Relation["open"]): Relation {
	const columns = new Map<string, ResolvedColumn>();
	for (const { name, origins } of positions) if (name !== undefined) put(columns, { name, origins });
	return open.length > 0 ? { columns, open } : { columns, open, positions };
}

/** `with t (a, b) as (...)`: by position, which is known only where no star hides columns. */
function renamed(relation: Relation, names: readonly string[]): Relation {
	const none = new Set<EntityKey>();
	const given = names.slice(0, MAX_COLUMNS);
	return relationOf(
		given.map((name, index) => ({ name, origins: relation.positions?.[index]?.origins ?? none })),
		[],
	);
}

/** The first branch of a UNION names the columns; the others add where their values come from, by position. */
function union(first: Relation, second: Relation): Relation {
	const joined = (column: PositionedColumn, other: PositionedColumn | undefined): PositionedColumn => {
		const origins = new Set(column.origins);
		for (const origin of other?.origins ?? []) addBounded(origins, origin);
		return { name: column.name, origins };
	};
	if (first.positions !== undefined) {
		return relationOf(
			first.positions.map((column, index) => joined(column, second.positions?.[index])),
			[],
		);
	}
	const named = [...first.columns].map(([key, column]) => joined(column, second.columns.get(key)));
	const both = first.open.length === 1 && second.open.length === 1 && second.columns.size === 0;
	const tables = [...(first.open[0] ?? []), ...(second.open[0] ?? [])].slice(0, MAX_ORIGINS);
	return relationOf(named, both ? [tables] : first.open);
}
