import type { EntityKey } from "../../domain/entities.js";
import { businessEntityKey } from "../../domain/keys.js";
import type { StateDraft, StateSet } from "./state-set.js";

/**
 * What the business calls the thing behind a key: `customer_id` identifies a customer, and so do the tables `customers`,
 * `stg_customers` and `dim_customers`.
 */

const LAYER_PREFIX = /^(?:stg|staging|raw|src|source|base|int|intermediate|dim|fct|fact|mart|tbl|seed|snap|snapshot)_+/;
const IRREGULAR = new Map(
	Object.entries({
		people: "person",
		children: "child",
		men: "man",
		women: "woman",
		statuses: "status",
		analyses: "analysis",
		indices: "index",
		data: "data",
		series: "series",
		news: "news",
		movies: "movie",
		cookies: "cookie",
	}),
);

/** English plurals of table names, by rule: good enough for naming, and the same everywhere. */
export function singular(word: string): string {
	const at = word.lastIndexOf("_") + 1;
	const last = word.slice(at);
	const known = IRREGULAR.get(last);
	if (known !== undefined) return word.slice(0, at) + known;
	if (/[^aeiou]ies$/.test(last)) return `${word.slice(0, -3)}y`;
	if (/(?:ss|sh|ch|x|zz)es$/.test(last)) return word.slice(0, -2);
	return /[^suoi]s$|[aeou]es$|oos$/.test(last) && last.length > 2 ? word.slice(0, -1) : word;
}

/** The entity of a key column, where its name says one: `customer_id`, `customerId`, `CUSTOMER_ID`. */
function entityOfColumn(column: string): string | undefined {
	const match = /^(.+?)_?id$/.exec(column.replace(/([a-z0-9])Id$/, "$1_id").toLowerCase());
	const isKey = /_id$|[a-z0-9]Id$/i.test(column) && /(?:_id|Id|_ID)$/.test(column);
	const stem = isKey ? match?.[1]?.replace(/_+$/, "") : undefined;
	return stem ? singular(stem) : undefined;
}

/** The entity of a table by its name alone: without schema, layer prefix and source (`stg_stripe__payments`). */
function entityOfTable(table: string): string {
	const name = (table.split(".").at(-1) ?? table).toLowerCase();
	return singular((name.split("__").at(-1) ?? name).replace(LAYER_PREFIX, "") || name);
}

/** @param key the table's single key column, where it has one that is known */
export function entityName(table: string, key: string | undefined): string {
	return (key === undefined ? undefined : entityOfColumn(key)) ?? entityOfTable(table);
}

/** States that a table describes an entity. Properties stay empty: many files may say so, and must agree. */
export function describeEntity(states: StateSet, source: string, model: StateDraft, name: string): StateDraft {
	const entity = stateEntity(states, source, name);
	model.edge("DESCRIBES", entity.key);
	return entity;
}

/** States that the things of one table refer to those of another: `order` REFERENCES `customer`. */
export function relateEntities(states: StateSet, source: string, from: string, to: string): void {
	const target = stateEntity(states, source, to);
	const entity = stateEntity(states, source, from);
	if (entity.key !== target.key) entity.edge("REFERENCES", target.key);
}

function stateEntity(states: StateSet, source: string, name: string): StateDraft {
	const key: EntityKey = businessEntityKey(source, name);
	return states.state(key, "business_entity", name);
}
