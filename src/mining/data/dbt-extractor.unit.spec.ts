import { describe, expect, it } from "vitest";
import { dbtExtractor } from "./dbt-extractor.js";
import { Findings, inlineFile } from "./inline-file.fixture.js";

const read = (path: string, text: string) => Findings.of(dbtExtractor, path, text);
const model = (sql: string) => read("models/orders.sql", sql);

describe("dbt models", () => {
	it("follows columns through CTEs, aliases and loops", async () => {
		const found = await model(`
{% set payment_methods = ['credit_card', 'coupon'] %}
{{ config(materialized='incremental', unique_key="order_id") }}
with orders as (
    {#- not from {{ ref('raw_orders') }} #}
    -- nor from {{ ref('old_orders') }}, don't
    select * from {{ ref('stg_orders') }} /* {{ ref('older') }} */
),
payments as ( select * from {{ ref("finance", "stg_payments") }} ),
order_payments as (
    select order_id,
        {% for method in payment_methods -%}
        sum(case when kind = '{{ method }}' then amount else 0 end) as {{ method }}_amount{% if not loop.last %},{% endif %}
        {% endfor -%}
        , sum(amount) as total
    from payments group by order_id
),
final as (
    select orders.order_id, orders.status,
        {% for method in payment_methods %} order_payments.{{ method }}_amount, {% endfor %}
        order_payments.total as amount
    from orders left join order_payments on orders.order_id = order_payments.order_id
    {% if is_incremental() %} where orders.at > (select max(at) from {{ this }}) {% endif %}
)
select * from final
`);
		expect(found.skips).toEqual([]);
		expect(found.columns("orders")).toEqual(["amount", "coupon_amount", "credit_card_amount", "order_id", "status"]);
		expect(found.lineage("orders", "order_id")).toEqual(["stg_orders.order_id"]);
		expect(found.lineage("orders", "amount")).toEqual(["stg_payments.amount"]);
		expect(found.lineage("orders", "coupon_amount")).toEqual(["stg_payments.amount", "stg_payments.kind"]);
		expect(found.edges("data_model:shop:orders", "DERIVES_FROM")).toEqual([
			"name:model:dbt:stg_orders",
			"name:model:dbt:stg_payments",
		]);
		expect(found.props("data_model:shop:orders")).toEqual({
			dialect: "dbt",
			layer: "model",
			materialized: "incremental",
			path: "models/orders.sql",
		});
		expect(found.provides("data_model:shop:orders")).toEqual(["name:model:dbt:orders@0"]);
		expect(found.edges("file:shop:models/orders.sql", "DEFINES")).toEqual(["data_model:orders"]);
	});

	it("reads sources, versions, snapshots and layers", async () => {
		const staging = await read("models/staging/stg_x.sql", "select id as x_id from {{ source('crm', 'people') }}");
		expect(staging.edges("data_model:shop:stg_x", "DERIVES_FROM")).toEqual(["name:model:dbt-source:crm.people"]);
		expect(staging.lineage("stg_x", "x_id")).toEqual(["crm.people.id"]);
		expect(staging.props("data_model:shop:stg_x")?.layer).toBe("staging");

		const versioned = await read("models/dim_v2.sql", "select a from {{ ref('dim', v=1) }}");
		expect(versioned.edges("data_model:shop:dim_v2", "DERIVES_FROM")).toEqual(["name:model:dbt:dim"]);
		expect(versioned.provides("data_model:shop:dim_v2")).toEqual(["name:model:dbt:dim@1", "name:model:dbt:dim_v2@0"]);

		const snapshot = await read(
			"snapshots/any.sql",
			"{% snapshot orders_snapshot %}\n{{ config(strategy='check') }}\nselect id from {{ ref('orders') }}\n{% endsnapshot %}",
		);
		expect(snapshot.props("data_model:shop:orders_snapshot")?.layer).toBe("snapshot");
		expect(snapshot.columns("orders_snapshot")).toEqual(["id"]);
		expect((await read("models/plain.sql", "-- no templates\nselect 1 as one")).columns("plain")).toEqual(["one"]);
	});

	it("says nothing of columns that only dbt can know, and keeps the rest", async () => {
		const found = await model(`
select a, {{ var('column') }} as renamed, {{ var('x') }}_suffix, b as {{ var('alias') }}, {{ dbt_utils.star(ref('other')) }},
    {{ cents('amount') }} as dollars
from {{ ref('t') }} {{ sample() }}
{% if target.name == 'dev' %} where b in (select b from {{ ref('in_dev') }}) {% else %} where c in (select c from {{ ref('elsewhere') }}) {% endif %}
`);
		expect(found.columns("orders")).toEqual(["a", "dollars", "renamed"]);
		expect(found.lineage("orders", "a")).toEqual(["t.a"]);
		expect(found.lineage("orders", "renamed")).toEqual([]);
		expect(found.edges("data_model:shop:orders", "DERIVES_FROM").map((key) => key.split(":").at(-1))).toEqual([
			"elsewhere",
			"in_dev",
			"other",
			"t",
		]);
	});

	it("takes the branch that holds, and the first run's where dbt decides", async () => {
		const found = await model(`select
  {% if is_incremental() %} a as x {% else %} b as x {% endif %}, {% if 'c' in ['d'] %} no {% elif 1 == 1 %} yes {% else %} no {% endif %},
  {{ 'm' if false else 'n' }}, {{ ['o', 'p'] | join('_') | upper }} from {{ ref('t') }}`);
		expect(found.columns("orders")).toEqual(["O_P", "n", "x", "yes"]);
		expect(found.lineage("orders", "x")).toEqual(["t.b"]);
	});

	it("keeps the lineage where the SQL cannot be read, and records it", async () => {
		const found = await model("select ((( from {{ ref('t') }}");
		expect(found.edges("data_model:shop:orders", "DERIVES_FROM")).toEqual(["name:model:dbt:t"]);
		expect(found.skips).toEqual(["parse"]);
	});

	it("takes macros for no models and tests for questions", async () => {
		expect((await read("macros/m.sql", "{% macro m(x) %} {{ x }} {% endmacro %}")).keys).toEqual([]);
		const test = await read("tests/no_orphans.sql", "select * from {{ ref('orders') }} where customer_id is null");
		expect(test.keys).toEqual(["file:shop:tests/no_orphans.sql"]);
		expect(test.edges("file:shop:tests/no_orphans.sql", "REFERENCES")).toEqual(["name:model:dbt:orders"]);
	});

	it("makes the file a region, and its CTEs too where the file is larger than a chunk", async () => {
		const sql = "with a as (\n  select 1 as x from {{ ref('t') }}\n),\nb as (\n  select * from a\n)\nselect * from b\n";
		const regions = async (size: number) => (await dbtExtractor.extract(inlineFile("models/m.sql", sql, size))).regions;
		expect(await regions(1_000)).toEqual([{ startLine: 1, endLine: 7, kind: "model", symbol: "m" }]);
		expect(await regions(50)).toEqual([
			{ startLine: 1, endLine: 7, kind: "model", symbol: "m" },
			{ startLine: 1, endLine: 3, kind: "model", symbol: "m.a" },
			{ startLine: 4, endLine: 6, kind: "model", symbol: "m.b" },
		]);
	});

	it.each([
		["braces", "{".repeat(900_000)],
		["tags that never close", "{{ 'x".repeat(150_000)],
		["quotes", `{{ x }}${"'{{".repeat(200_000)}`],
		["loops in loops", `${"{% for a in [1,2,3,4,5,6,7,8,9,10] %}x".repeat(40)}${"{% endfor %}".repeat(40)}`],
		["lists that double", `{% set a = [1, 2] %}${"{% set a = a + a %}".repeat(1_000)}{{ a }}`],
		["strings that double", `{% set a = 'xxxxxxxxxx' %}${"{% set a = a ~ a %}".repeat(1_000)}{{ a }}`],
		["blocks that never end", "{% if x %}".repeat(50_000)],
		["deep expressions", `{{ ${"(".repeat(2_000)}1${")".repeat(2_000)} }}`],
		["many references", Array.from({ length: 20_000 }, (_, i) => `{{ ref('m${i}') }}`).join(",")],
	])("survives %s", async (_, text) => {
		expect((await model(`select 1 as one from {{ ref('t') }}\n${text}`)).keys).toContain("data_model:shop:orders");
	});
});

describe("dbt properties", () => {
	it("states descriptions, tests, references and business entities", async () => {
		const found = await read(
			"models/schema.yml",
			`
version: 2
x-tests: &key [unique, not_null]
models:
  - name: customers
    description: One row a customer
    columns:
      - {name: customer_id, data_type: bigint, tests: *key}
  - name: orders
    columns:
      - {name: order_id, data_tests: [not_null, unique, unique]}
      - name: customer_id
        description: '{{ doc("customer_key") }}'
        tests:
          - relationships: {to: ref('customers'), field: customer_id}
      - name: product_id
        data_tests:
          - relationships:
              arguments: {to: "ref('pkg', 'dim_products')", field: id}
              config: {severity: warn}
      - name: status
        tests: [{accepted_values: {values: [a, b]}}, dbt_utils.not_constant]
sources:
  - name: crm
    tables:
      - name: people
        description: From outside
        columns: [{name: id, tests: [unique, not_null]}]
seeds: [{name: raw_orders, columns: [{name: id}]}]
exposures:
  - {name: weekly, type: dashboard, depends_on: ["ref('orders')", "source('crm', 'people')"]}
`,
		);
		expect(found.skips).toEqual([]);
		expect(found.props("data_model:shop:customers")).toEqual({ description: "One row a customer" });
		expect(found.props("column:data_model:shop:customers.customer_id")).toEqual({
			tests: ["not_null", "unique"],
			type: "bigint",
		});
		expect(found.props("column:data_model:shop:orders.status")?.tests).toEqual([
			"accepted_values",
			"dbt_utils.not_constant",
		]);
		expect(found.edges("column:data_model:shop:orders.customer_id", "REFERENCES")).toEqual([
			"column:data_model:customers.customer_id",
			"name:doc:dbt:customer_key",
		]);
		expect(found.edges("column:data_model:shop:orders.product_id", "REFERENCES")).toEqual([
			"column:data_model:dim_products.id",
		]);
		expect(found.edges("data_model:shop:orders", "DESCRIBES")).toEqual(["business_entity:order"]);
		expect(found.edges("business_entity:shop:order", "REFERENCES")).toEqual([
			"business_entity:customer",
			"business_entity:product",
		]);
		expect(found.props("business_entity:shop:customer")).toEqual({});
		expect(found.props("data_model:shop:crm.people")).toMatchObject({ layer: "source", description: "From outside" });
		expect(found.provides("data_model:shop:crm.people")).toEqual(["name:model:dbt-source:crm.people@0"]);
		expect(found.edges("data_model:shop:crm.people", "DESCRIBES")).toEqual(["business_entity:person"]);
		expect(found.columns("raw_orders")).toEqual(["id"]);
		expect(found.edges("data_model:shop:exposure.weekly", "DERIVES_FROM")).toEqual([
			"name:model:dbt-source:crm.people",
			"name:model:dbt:orders",
		]);
	});

	it.each([
		[
			"a billion laughs",
			`models:\n${"abcdefgh"
				.split("")
				.map((c, i) => `  - &${c} [${i === 0 ? "x" : `*${"abcdefgh"[i - 1]},`.repeat(9).slice(0, -1)}]`)
				.join("\n")}`,
			"nesting",
		],
		["deep brackets", `models: ${"[".repeat(5_000)}`, "nesting"],
		["deep lists", `models:\n ${"- ".repeat(20_000)}x`, "nesting"],
		[
			"2 MiB of keys",
			`models:\n  - name: a\nx:\n${Array.from({ length: 150_000 }, (_, i) => `  k${i}: 1`).join("\n")}\n${" ".repeat(400_000)}`,
			"too_large",
		],
		["broken YAML", "models:\n  - name: [a\n  b: }", "parse"],
	])("refuses %s", async (_, text, reason) => {
		expect((await read("models/schema.yml", text)).skips).toEqual([reason]);
	});

	it("reads many keys in linear time, and __proto__ as a name", async () => {
		const keys = Array.from({ length: 50_000 }, (_, i) => `  k${i}: 1`).join("\n");
		const found = await read(
			"x/schema.yaml",
			`models:\n  - {name: __proto__, __proto__: {polluted: 1}, columns: [{name: constructor}]}\nmeta:\n${keys}`,
		);
		expect(found.columns("__proto__")).toEqual(["constructor"]);
		expect(({} as Record<string, unknown>).polluted).toBeUndefined();
	});
});

describe("other files of a dbt project", () => {
	it("takes a seed's columns from its header, exactly", async () => {
		const found = await read("seeds/raw_orders.csv", 'id,"User, Id",ID\n1,2,x\n');
		expect(found.columns("raw_orders")).toEqual(["ID", "User, Id", "id"]);
		expect(found.props("data_model:shop:raw_orders")).toMatchObject({ layer: "seed", path: "seeds/raw_orders.csv" });
		expect(found.edges("data_model:shop:raw_orders", "DERIVES_FROM")).toEqual(["dataset:seeds/raw_orders.csv"]);
		expect(found.provides("data_model:shop:raw_orders")).toEqual(["name:model:dbt:raw_orders@0"]);
	});

	it("finds docs blocks", async () => {
		const found = await read(
			"models/docs.md",
			"# Doc\n{% docs orders_status %}\n\nOne of these:\n{%- enddocs -%}\n{% docs open %} never closed",
		);
		expect(found.props("section:shop:models/docs.md#orders_status")?.text).toBe("One of these:");
		expect(found.provides("section:shop:models/docs.md#orders_status")).toEqual(["name:doc:dbt:orders_status@0"]);
		expect(found.keys).toHaveLength(2);
	});

	it("states the project and its packages, without credentials", async () => {
		const project = await read("dbt_project.yml", "name: 'jaffle_shop'\nversion: 1.0\nmodels:\n  jaffle_shop: {}");
		expect(project.props("package:dbt/jaffle_shop")).toEqual({ ecosystem: "dbt", version: "1" });
		const packages = await read(
			"packages.yml",
			'packages:\n  - package: dbt-labs/dbt_utils\n    version: [">=1.0.0", "<2.0.0"]\n  - git: "https://me:secret@github.com/acme/tools.git"\n    revision: main\n  - local: ../x\n',
		);
		expect(packages.edges("file:shop:packages.yml", "DEPENDS_ON")).toEqual([
			"package:dbt/acme/tools",
			"package:dbt/dbt-labs/dbt_utils",
		]);
		expect(packages.props("file:shop:packages.yml")?.dependencies).toEqual({
			"acme/tools": "main",
			"dbt-labs/dbt_utils": ">=1.0.0, <2.0.0",
		});
		expect(JSON.stringify(packages.extraction)).not.toContain("secret");
	});
});
