import { beforeAll, describe, expect, it } from "vitest";
import type { EntityState } from "../../domain/entities.js";
import type { Extractor } from "../extractor.js";
import { datasetExtractor } from "./dataset-extractor.js";
import { dbtExtractor } from "./dbt-extractor.js";
import { inlineFile } from "./inline-file.fixture.js";
import { packageManifestExtractor } from "./package-manifest-extractor.js";
import { sqlExtractor } from "./sql-extractor.js";

/** A project in the manner of jaffle_shop: every file is read alone, then names are resolved as the link step does. */
const FILES: Readonly<Record<string, string>> = {
	"dbt_project.yml": "name: shop\nversion: '0.1'\n",
	"seeds/raw_customers.csv": "id,first_name\n1,Ann\n2,Bo\n",
	"seeds/raw_orders.csv": "id,user_id,status\n1,1,placed\n",
	"seeds/raw_payments.csv": "id,order_id,method,amount\n1,1,coupon,100\n",
	"models/staging/stg_customers.sql":
		"with source as (select * from {{ ref('raw_customers') }}),\nrenamed as (select id as customer_id, first_name from source)\nselect * from renamed",
	"models/staging/stg_orders.sql":
		"with source as (select * from {{ ref('raw_orders') }})\nselect id as order_id, user_id as customer_id, status from source",
	"models/staging/stg_payments.sql":
		"select id as payment_id, order_id, method, amount / 100 as amount from {{ ref('raw_payments') }}",
	"models/orders.sql":
		"{% set methods = ['coupon', 'card'] %}\nwith p as (select order_id, {% for m in methods %}sum(case when method = '{{ m }}' then amount end) as {{ m }}_amount{{ ',' if not loop.last }}{% endfor %} from {{ ref('stg_payments') }} group by 1)\nselect o.order_id, o.customer_id, p.coupon_amount, p.card_amount from {{ ref('stg_orders') }} o left join p on p.order_id = o.order_id",
	"models/customers.sql":
		"with c as (select * from {{ ref('stg_customers') }}), o as (select customer_id, count(*) as number_of_orders from {{ ref('orders') }} group by 1)\nselect c.customer_id, c.first_name, o.number_of_orders from c left join o on o.customer_id = c.customer_id",
	"models/schema.yml":
		"version: 2\nmodels:\n  - name: customers\n    columns: [{name: customer_id, tests: [unique, not_null]}]\n  - name: orders\n    columns:\n      - {name: order_id, tests: [unique, not_null]}\n      - {name: customer_id, tests: [{relationships: {to: ref('customers'), field: customer_id}}]}\n      - {name: status, description: '{{ doc(\"status\") }}'}\n",
	"models/docs.md": "{% docs status %}What became of it{% enddocs %}",
};
const EXTRACTORS: readonly Extractor[] = [dbtExtractor, sqlExtractor, datasetExtractor, packageManifestExtractor];

describe("a dbt project, file by file", () => {
	const states: EntityState[] = [];
	const targets = new Map<string, string>();

	beforeAll(async () => {
		for (const [path, text] of Object.entries(FILES)) {
			const input = inlineFile(path, text);
			for (const extractor of EXTRACTORS) {
				if (!extractor.matches(input)) continue;
				const { states: own, skips } = await extractor.extract(input);
				expect(skips).toEqual([]);
				expect(new Set(own.map((state) => state.key)).size).toBe(own.length);
				states.push(...own);
			}
		}
		for (const state of states) for (const { name } of state.provides) targets.set(name, state.key);
	});

	const reached = (from: string, kind: string) =>
		states
			.filter((state) => state.key === from)
			.flatMap((state) => state.edges)
			.filter((edge) => edge.kind === kind)
			.map((edge) => (targets.get(edge.to) ?? edge.to).replace(/^\w+:shop:|^column:data_model:shop:/, ""))
			.sort();
	const model = (name: string) => `data_model:shop:${name}`;
	const column = (name: string) => `column:data_model:shop:${name}`;

	it("leads from marts over staging models to seeds and their files", () => {
		expect(reached(model("customers"), "DERIVES_FROM")).toEqual(["orders", "stg_customers"]);
		expect(reached(model("orders"), "DERIVES_FROM")).toEqual(["stg_orders", "stg_payments"]);
		expect(reached(model("stg_payments"), "DERIVES_FROM")).toEqual(["raw_payments"]);
		expect(reached(model("raw_payments"), "DERIVES_FROM")).toEqual(["seeds/raw_payments.csv"]);
	});

	it("leads from a column to the columns it comes from, in every model", () => {
		expect(reached(column("orders.coupon_amount"), "DERIVES_FROM")).toEqual([
			"stg_payments.amount",
			"stg_payments.method",
		]);
		expect(reached(column("customers.first_name"), "DERIVES_FROM")).toEqual(["stg_customers.first_name"]);
		expect(reached(column("stg_customers.customer_id"), "DERIVES_FROM")).toEqual(["raw_customers.id"]);
		expect(reached(column("stg_payments.amount"), "DERIVES_FROM")).toEqual(["raw_payments.amount"]);
	});

	it("names every column that lineage points to as a column of its model", () => {
		const columns = new Set(states.filter((state) => state.kind === "column").map((state) => state.key));
		const pointed = states.flatMap((state) => state.edges).filter((edge) => edge.to.startsWith("column:data_model:"));
		expect(pointed.filter((edge) => !columns.has(edge.to))).toEqual([]);
	});

	it("knows the business entities and how they refer to each other", () => {
		expect(reached("business_entity:shop:order", "REFERENCES")).toEqual(["customer"]);
		expect(reached(model("customers"), "DESCRIBES")).toEqual(["customer"]);
		expect(reached(column("orders.status"), "REFERENCES")).toEqual(["models/docs.md#status"]);
	});
});
