import { describe, expect, it } from "vitest";
import { sniffDialect, tokenize } from "./sql-lexer.js";
import { openRelation, resolveQuery } from "./sql-lineage.js";
import { readQuery } from "./sql-query.js";

/** Columns as `name <- origins`; every table is one whose columns are unknown. */
function columns(sql: string): string[] {
	const tokens = tokenize(sql, sniffDialect(sql), 10_000) ?? [];
	const query = readQuery(tokens, (word) => word.toLowerCase());
	if (query === undefined) throw new Error("not read");
	const relation = resolveQuery(query, {
		isKnownName: () => true,
		relationOf: (parts) => openRelation(parts.join(".")),
	});
	const known = [...relation.columns.values()].map(({ name, origins }) =>
		`${name} <- ${[...origins].map((key) => key.replace("column:", "")).join(" ")}`.trim(),
	);
	return [...known, ...relation.open.map((tables) => `* <- ${tables.join(" ")}`.trim())];
}

describe("lineage of a query's columns", () => {
	it.each<[string, string, string[]]>([
		["names and aliases", "select a, t.b as x, c y, d::int from t", ["a <- t.a", "x <- t.b", "y <- t.c", "d <- t.d"]],
		["CTEs", "with c as (select a as b from t) select b from c", ["b <- t.a"]],
		["a star over a CTE", "with c as (select a, b from t) select * from c", ["a <- t.a", "b <- t.b"]],
		["a star over a table", "select * from t", ["* <- t"]],
		["column names of a CTE", "with c (x, y) as (select a, b from t) select y from c", ["y <- t.b"]],
		[
			"a recursive CTE",
			"with recursive c as (select a from t union all select a from c) select a from c",
			["a <- t.a"],
		],
		["subqueries", "select s.b from (select a as b from t) s", ["b <- t.a"]],
		["joins by qualifier", "select x.a, y.a as b from t x left join u as y on x.id = y.id", ["a <- t.a", "b <- u.a"]],
		["ambiguous columns", "select a from t join u using (id)", ["a <-"]],
		[
			"the only table that can have it",
			"with c as (select x from t) select a, x from c join u using (id)",
			["a <- u.a", "x <- t.x"],
		],
		["unions, by position", "select a from t union all select b from u", ["a <- t.a u.b"]],
		["unions of stars", "with u as (select * from t union all select * from v) select a from u", ["a <- t.a v.a"]],
		["case", "select case when a > 1 then b else 0 end as x from t", ["x <- t.a t.b"]],
		["windows: the value only", "select sum(a) over (partition by b order by c) as x from t", ["x <- t.a"]],
		[
			"casts and date parts",
			"select cast(a as varchar) as x, date_trunc(month, b) as m, extract(year from c) as y from t",
			["x <- t.a", "m <- t.b", "y <- t.c"],
		],
		["qualify", "select a, row_number() over (order by b) as rn from t qualify rn = 1", ["a <- t.a", "rn <-"]],
		["star except", "with c as (select a, b from t) select * except (a) from c", ["b <- t.b"]],
		["star exclude", "with c as (select a, b from t) select c.* exclude a, 1 as one from c", ["b <- t.b", "one <-"]],
		["except between queries", "select a from t except select a from u", ["a <- t.a u.a"]],
		["is distinct from", "select a is distinct from b as x, c from t", ["x <- t.a t.b", "c <- t.c"]],
		["distinct on, top", "select distinct on (a) a, b from t", ["a <- t.a", "b <- t.b"]],
		["table functions", "select f.value, t.a from t, lateral flatten(input => t.x) f", ["value <-", "a <- t.a"]],
		["trailing commas", "select a, b, from t", ["a <- t.a", "b <- t.b"]],
		["quoted names", 'select "A b" from t', ["A b <- t.A b"]],
		["from first", "from t select a", ["a <- t.a"]],
		["columns called like parts of dates", "select day, month from t", ["day <- t.day", "month <- t.month"]],
		[
			"columns that the query does not name",
			"with c (x, y) as (select count(a), max(b) from t) select y from c",
			["y <- t.b"],
		],
		["a CTE called like its table", "with t as (select * from t) select a from t", ["a <- t.a"]],
		["brackets around", "(select a from t)", ["a <- t.a"]],
	])("%s", (_, sql, expected) => {
		expect(columns(sql)).toEqual(expected);
	});
});
