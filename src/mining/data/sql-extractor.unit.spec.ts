import { describe, expect, it } from "vitest";
import { Findings, inlineFile } from "./inline-file.fixture.js";
import { sqlExtractor } from "./sql-extractor.js";

const read = (sql: string) => Findings.of(sqlExtractor, "db/schema.sql", sql);

describe("plain SQL", () => {
	it("states tables with columns, keys and comments as pg_dump writes them", async () => {
		const found = await read(`
\\restrict abc
SET client_encoding = 'UTF8';
CREATE TABLE public.customers (
    id bigint NOT NULL,
    email character varying(120) DEFAULT 'a;b'::character varying NOT NULL,
    created_at timestamp with time zone, -- it's fine; really
    tags text[] DEFAULT ARRAY['a','b']
);
CREATE TABLE public.orders (
    id bigint GENERATED ALWAYS AS IDENTITY,
    customer_id bigint,
    CONSTRAINT positive CHECK ((id > 0))
);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $_$ BEGIN; CREATE TABLE hidden (a int); END; $_$;
COPY public.customers (id, email) FROM stdin;
1	'unbalanced; CREATE TABLE data_row (a int);
\\.
COMMENT ON TABLE public.orders IS 'What was bought';
COMMENT ON COLUMN public.orders.customer_id IS 'Who''s paying';
ALTER TABLE ONLY public.customers ADD CONSTRAINT customers_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.orders ADD CONSTRAINT orders_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.orders ADD CONSTRAINT fk FOREIGN KEY (customer_id) REFERENCES public.customers(id) ON DELETE CASCADE;
`);
		expect(found.skips).toEqual([]);
		expect(found.columns("customers")).toEqual(["created_at", "email", "id", "tags"]);
		expect(found.props("column:data_model:shop:customers.email")).toEqual({
			nullable: false,
			type: "character varying(120)",
		});
		expect(found.props("column:data_model:shop:customers.id")).toEqual({
			nullable: false,
			primaryKey: true,
			type: "bigint",
		});
		expect(found.props("column:data_model:shop:customers.created_at")).toEqual({
			nullable: true,
			type: "timestamp with time zone",
		});
		expect(found.props("column:data_model:shop:orders.customer_id")?.comment).toBe("Who's paying");
		expect(found.props("data_model:shop:orders")).toMatchObject({ comment: "What was bought", materialized: "table" });
		expect(found.edges("column:data_model:shop:orders.customer_id", "REFERENCES")).toEqual([
			"column:data_model:customers.id",
		]);
		expect(found.edges("business_entity:shop:order", "REFERENCES")).toEqual(["business_entity:customer"]);
		expect(found.edges("data_model:shop:customers", "DESCRIBES")).toEqual(["business_entity:customer"]);
		expect(found.keys.filter((key) => /hidden|data_row/.test(key))).toEqual([]);
		expect(found.provides("data_model:shop:orders")).toEqual([
			"name:model:file:db/schema.sql@1",
			"name:model:sql:orders@0",
		]);
	});

	it("reads MySQL dumps: backticks, keys, escapes, DELIMITER and executable comments", async () => {
		const found = await read(`
/*!40101 SET NAMES utf8 */;
CREATE TABLE \`Order Items\` (
  \`id\` int(11) unsigned NOT NULL AUTO_INCREMENT COMMENT 'it\\'s; the id',
  \`kind\` enum('a,b','c') CHARACTER SET utf8 DEFAULT NULL,
  \`key\` varchar(20),
  \`product_id\` int,
  PRIMARY KEY (\`id\`), KEY \`k\` (\`kind\`), FULLTEXT KEY \`f\` (\`key\`),
  CONSTRAINT \`fk\` FOREIGN KEY (\`product_id\`) REFERENCES \`products\` (\`product_id\`)
) ENGINE=InnoDB COMMENT='lines of an order';
INSERT INTO \`Order Items\` VALUES (1,'CREATE TABLE nope (a int);\\'','x',1);
DELIMITER ;;
CREATE TRIGGER t BEFORE INSERT ON x FOR EACH ROW BEGIN INSERT INTO log SELECT * FROM y; END ;;
DELIMITER ;
/*!50001 CREATE ALGORITHM=UNDEFINED */ /*!50013 DEFINER=\`root\`@\`localhost\` SQL SECURITY DEFINER */
/*!50001 VIEW \`v\` AS select \`i\`.\`id\` AS \`item\` from \`Order Items\` \`i\` */;
`);
		expect(found.skips).toEqual([]);
		expect(found.columns("Order Items")).toEqual(["id", "key", "kind", "product_id"]);
		expect(found.props("column:data_model:shop:Order Items.id")).toEqual({
			comment: "it's; the id",
			nullable: false,
			primaryKey: true,
			type: "int(11) unsigned",
		});
		expect(found.props("column:data_model:shop:Order Items.kind")?.type).toBe("enum('a,b','c')");
		expect(found.props("data_model:shop:Order Items")?.comment).toBe("lines of an order");
		expect(found.edges("column:data_model:shop:Order Items.product_id", "REFERENCES")).toEqual([
			"column:data_model:products.product_id",
		]);
		expect(found.lineage("v", "item")).toEqual(["Order Items.id"]);
		expect(found.keys.filter((key) => /nope|log$/.test(key))).toEqual([]);
	});

	it("follows views, CTAS and INSERT ... SELECT to the columns they come from", async () => {
		const found = await read(`
create table sales.orders (order_id int primary key, customer_id int references customers, amount numeric);
create or replace view big_orders (id, total) as select order_id, sum(amount) from sales.orders group by 1;
create materialized view wide as select * from sales.orders o join elsewhere.other x on x.id = o.order_id;
create table copy as with t as (select amount * 2 as doubled from sales.orders) select doubled from t;
insert into target (a, b) select order_id, amount from sales.orders where customer_id in (select id from vip);
select * from report;
`);
		expect(found.lineage("big_orders", "id")).toEqual(["sales.orders.order_id"]);
		expect(found.lineage("big_orders", "total")).toEqual(["sales.orders.amount"]);
		expect(found.edges("data_model:shop:wide", "DERIVES_FROM")).toEqual([
			"name:model:sql:elsewhere.other",
			"name:model:sql:sales.orders",
		]);
		expect(found.columns("wide")).toEqual(["amount", "customer_id", "order_id"]);
		expect(found.props("data_model:shop:wide")?.materialized).toBe("materialized_view");
		expect(found.lineage("copy", "doubled")).toEqual(["sales.orders.amount"]);
		expect(found.lineage("target", "b")).toEqual(["sales.orders.amount"]);
		expect(found.edges("data_model:shop:target", "DERIVES_FROM")).toEqual([
			"name:model:sql:sales.orders",
			"name:model:sql:vip",
		]);
		expect(found.edges("file:shop:db/schema.sql", "REFERENCES")).toEqual(["name:model:sql:report"]);
		// The primary key of `customers` stands in another file: the column refers to the table.
		expect(found.edges("column:data_model:shop:sales.orders.customer_id", "REFERENCES")).toEqual([
			"data_model:customers",
		]);
		expect(found.provides("data_model:shop:sales.orders")).toContain("name:model:sql:orders@1");
	});

	it("reads other dialects: SQLite, SQL Server, BigQuery", async () => {
		const found = await read(`
CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY AUTOINCREMENT, body, key text) WITHOUT ROWID, STRICT;
GO
CREATE TABLE [dbo].[Line Items] ([Id] uniqueidentifier NOT NULL DEFAULT newid(), [Qty] decimal(10, 2) NULL)
GO
CREATE OR REPLACE TABLE \`proj.mart.events\` (items ARRAY<STRUCT<sku STRING, qty INT64>> OPTIONS(description="what"), at TIMESTAMP);
`);
		expect(found.columns("notes")).toEqual(["body", "id", "key"]);
		expect(found.columns("Line Items")).toEqual(["Id", "Qty"]);
		expect(found.columns("proj.mart.events")).toEqual(["at", "items"]);
		expect(found.props("column:data_model:shop:proj.mart.events.items")).toMatchObject({
			comment: "what",
			type: "ARRAY<STRUCT<sku STRING, qty INT64>>",
		});
	});

	it("leaves out one statement that makes no sense, and says how many and where", async () => {
		const found = await read(
			"create table a (x int);\n\ncreate table b (x int));\ncreate table c (y int);\ncreate view d as nonsense;",
		);
		expect(found.columns("a")).toEqual(["x"]);
		expect(found.columns("c")).toEqual(["y"]);
		expect(found.extraction.skips).toEqual([
			{ reason: "parse", detail: "2 SQL statements could not be read in full, the first at line 3" },
		]);
	});

	it("makes one region a statement, without overlaps", async () => {
		const found = await read(
			"create table a (\n x int\n);\ncreate table b (y int); create table c (z int);\n\ncreate view v as\nselect 1 as one;",
		);
		expect(found.extraction.regions).toEqual([
			{ startLine: 1, endLine: 3, kind: "table", symbol: "a" },
			{ startLine: 4, endLine: 4, kind: "table", symbol: "b" },
			{ startLine: 6, endLine: 7, kind: "table", symbol: "v" },
		]);
	});

	it("leaves files with Jinja, and queries in dbt's folders, to dbt", () => {
		expect(sqlExtractor.matches(inlineFile("models/a.sql", "select 1"))).toBe(false);
		expect(sqlExtractor.matches(inlineFile("x.sql", "select * from {{ ref('a') }}"))).toBe(false);
		expect(sqlExtractor.matches(inlineFile("models/schema.sql", "-- tables\ncreate table a (x int)"))).toBe(true);
	});

	it("skips the rows of a dump of 8 MiB and finds the table behind them", async () => {
		const rows = "INSERT INTO a VALUES (1, 'text; with ''quotes'' and (brackets');\n".repeat(125_000);
		const found = await read(`create table a (x int);\n${rows}create table z (y int);`);
		expect(found.columns("z")).toEqual(["y"]);
		expect(found.skips).toEqual([]);
	});

	it("does not mind rows in one statement larger than it would read", async () => {
		const found = await read(`create table a (x int);\nINSERT INTO a VALUES ${"(1, 'x'),\n".repeat(200_000)}(2, 'y');`);
		expect(found.skips).toEqual([]);
	});

	it("keeps the body of a routine together", async () => {
		const found = await read(`
create trigger t after insert on a begin
  insert into hidden_log select case when x then 1 else 2 end from hidden; insert into hidden_log select * from hidden;
end;
create table b (x int);`);
		expect(found.columns("b")).toEqual(["x"]);
		expect(found.keys.filter((key) => key.includes("hidden"))).toEqual([]);
	});

	it.each([
		["quotes that never close", `create table a (x int);\n${"'\\".repeat(500_000)}`],
		["comments that never close", `create table a (x int);\n${"/* ".repeat(500_000)}`],
		["dollar tags that never close", `create table a (x int);\n${"$a$ $b$ $c$ $dd$".repeat(200_000)}`],
		["deep brackets", `create table a (x int);\nselect ${"(".repeat(200_000)}1${")".repeat(200_000)} from t;`],
		["many brackets", `create table a (x int);\nselect ${"(".repeat(40_000)}1${")".repeat(40_000)} from t;`],
		["deep subqueries", `create table a (x int);\n${"select * from (".repeat(20_000)}select 1${")".repeat(20_000)};`],
		[
			"many CTEs",
			`create table a (x int);\nwith ${Array.from({ length: 10_000 }, (_, i) => `c${i} as (select * from a)`).join(",")} select * from c1;`,
		],
		[
			"stars over stars",
			`create table a (${Array.from({ length: 3_000 }, (_, i) => `c${i} int`).join(",")});\nselect * from ${"a,".repeat(20_000)}a;`,
		],
	])("survives %s", async (_, sql) => {
		expect((await read(sql)).columns("a")[0]).toBeDefined();
	});

	it("takes __proto__ for a name like others", async () => {
		const found = await read("create table __proto__ (constructor int, __proto__ text, primary key (__proto__))");
		expect(found.columns("__proto__")).toEqual(["__proto__", "constructor"]);
		expect(({} as Record<string, unknown>).type).toBeUndefined();
	});
});
