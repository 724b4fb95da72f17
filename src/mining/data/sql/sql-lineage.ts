import type { EntityKey } from "../../../domain/entities.js";
import { columnKey } from "../../../domain/keys.js";
import {
	isSelect,
	type SqlColumnRef,
	type SqlFactor,
	type SqlItem,
	type SqlQuery,
	type SqlSelect,
} from "./sql-query.js";

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
			// A recursive CTE reads itself: what it adds there comes from nowhere else.
			scope.set(name, { columns: new Map(), open: [] });
			const relation = cte.query === undefined ? UNKNOWN_RELATION : this.query(cte.query, scope);
			scope.set(name, cte.columns === undefined ? relation : renamed(relation, cte.columns));
		}
		for (const nested of query.nested) this.query(nested, scope);
		const [first, ...others] = query.branches.map((branch) =>
			isSelect(branch) ? this.#select(branch, scope) : this.query(branch, scope),
		);
		return first === undefined ? UNKNOWN_RELATION : others.reduce(union, first);
	}

	#select(select: SqlSelect, scope: Scope): Relation {
		const sources = select.from.map((factor) => this.#source(factor, scope));
		const columns = new Map<string, ResolvedColumn>();
		const open: (readonly EntityKey[])[] = [];
		for (const item of select.items) {
			if (columns.size >= MAX_COLUMNS || this.#steps > MAX_STEPS) {
				open.push([]);
				break;
			}
			if (item.star) this.#star(item, sources, columns, open);
			else if (item.name !== undefined && this.options.isKnownName(item.name)) {
				const origins = new Set<EntityKey>();
				for (const ref of item.refs) this.#addOrigins(origins, ref, sources);
				put(columns, { name: item.name, origins });
			} else if (item.name !== undefined || item.refs.some((ref) => !this.options.isKnownName(ref.column)))
				open.push([]);
		}
		return { columns, open };
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
		columns: Map<string, ResolvedColumn>,
		open: (readonly EntityKey[])[],
	): void {
		const qualifier = item.qualifier?.toLowerCase();
		const chosen = qualifier === undefined ? sources : sources.filter((source) => source.alias === qualifier);
		if (chosen.length === 0) open.push([]);
		const except = new Set(item.except.map((name) => name.toLowerCase()));
		for (const { relation } of chosen) {
			for (const [name, column] of relation.columns) {
				this.#steps += 1;
				if (this.#steps > MAX_STEPS || columns.size >= MAX_COLUMNS) return;
				if (!except.has(name)) put(columns, column);
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

/** `with t (a, b) as (...)`: by position, which is known only where no star hides columns. */
function renamed(relation: Relation, names: readonly string[]): Relation {
	const values = relation.open.length === 0 ? [...relation.columns.values()] : [];
	const columns = new Map<string, ResolvedColumn>();
	names.slice(0, MAX_COLUMNS).forEach((name, index) => {
		put(columns, { name, origins: values[index]?.origins ?? new Set() });
	});
	return { columns, open: [] };
}

/** The first branch of a UNION names the columns; the others add where their values come from, by position. */
function union(first: Relation, second: Relation): Relation {
	const others = [...second.columns.values()];
	const columns = new Map<string, ResolvedColumn>();
	let index = 0;
	for (const [key, column] of first.columns) {
		const other = first.open.length + second.open.length === 0 ? others[index] : second.columns.get(key);
		const origins = new Set(column.origins);
		for (const origin of other?.origins ?? []) addBounded(origins, origin);
		columns.set(key, { name: column.name, origins });
		index += 1;
	}
	if (first.open.length === 0) return { columns, open: [] };
	const both = first.open.length === 1 && second.open.length === 1 && second.columns.size === 0;
	return {
		columns,
		open: both ? [[...(first.open[0] ?? []), ...(second.open[0] ?? [])].slice(0, MAX_ORIGINS)] : first.open,
	};
}
