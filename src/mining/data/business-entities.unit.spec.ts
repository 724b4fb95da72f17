import { describe, expect, it } from "vitest";
import { entityName, singular } from "./business-entities.js";

describe("business entities", () => {
	it.each([
		["customers", "customer"],
		["companies", "company"],
		["addresses", "address"],
		["boxes", "box"],
		["batches", "batch"],
		["order_items", "order_item"],
		["people", "person"],
		["order_statuses", "order_status"],
		["status", "status"],
		["bus", "bus"],
		["news", "news"],
		["cases", "case"],
		["days", "day"],
		["employees", "employee"],
		["shoes", "shoe"],
		["data", "data"],
		["s", "s"],
	])("the singular of %s is %s", (plural, expected) => {
		expect(singular(plural)).toBe(expected);
	});

	it.each([
		["stg_customers", "customer_id", "customer"],
		["whatever", "CUSTOMER_ID", "customer"],
		["whatever", "orderId", "order"],
		["public.order_items", "id", "order_item"],
		["stg_stripe__payments", undefined, "payment"],
		["dim_products", "sku", "product"],
		["plans", "paid", "plan"],
	])("the table %s with the key %s is about %s", (table, key, expected) => {
		expect(entityName(table, key)).toBe(expected);
	});
});
