import { createRepository, type TestRepository } from "./git-repository.js";

const README = `# Shop

What the shop sells and to whom.

## Orders

An order has a status and belongs to one customer. See [the code](src/orders.ts).
`;

const ORDERS = `import { readFile } from "node:fs/promises";

/** One order of a customer. */
export interface Order {
	readonly id: number;
	readonly status: string;
}

/** Reads the orders of a file. */
export async function readOrders(file: string): Promise<Order[]> {
	return parseOrders(await readFile(file, "utf8"));
}

export function parseOrders(text: string): Order[] {
	return JSON.parse(text) as Order[];
}
`;

const REFUNDS = `
/** Orders whose money goes back to the customer. */
export function refundedOrders(orders: readonly Order[]): Order[] {
	return orders.filter((order) => order.status === "returned");
}
`;

const SCHEMA = `version: 2

models:
  - name: customers
    description: One row a customer, with what they ordered.
    columns:
      - name: customer_id
        tests:
          - unique
          - not_null
`;

const CUSTOMERS = `with orders as (
    select * from {{ ref('stg_orders') }}
)
select customer_id, count(order_id) as number_of_orders
from orders
group by customer_id
`;

/** A small shop with code, documents and a dbt project. */
export interface Shop extends TestRepository {
	/** Three commits: the shop, refunds, and a table less. */
	readonly commits: readonly [string, string, string];
}

export async function createShop(): Promise<Shop> {
	const repository = await createRepository();
	const first = await repository.commit({
		message: "Open the shop",
		files: {
			"README.md": README,
			"src/orders.ts": ORDERS,
			"dbt_project.yml": "name: shop\nversion: '1.0'\nconfig-version: 2\n",
			"models/schema.yml": SCHEMA,
			"models/customers.sql": CUSTOMERS,
			"models/staging/stg_orders.sql":
				"select id as order_id, user_id as customer_id, status from {{ ref('raw_orders') }}\n",
			"seeds/raw_orders.csv": "id,user_id,status\n1,1,returned\n2,3,completed\n",
			"seeds/raw_payments.csv": "id,order_id,amount\n1,1,1000\n",
		},
	});
	const second = await repository.commit({ message: "Give money back", files: { "src/orders.ts": ORDERS + REFUNDS } });
	const third = await repository.commit({ message: "Payments live elsewhere", deletes: ["seeds/raw_payments.csv"] });
	await repository.checkout();
	return { ...repository, commits: [first, second, third] };
}
