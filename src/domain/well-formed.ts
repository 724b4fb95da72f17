import { canonicalJson, type Json, type JsonObject } from "./digest.js";

/** An unpaired surrogate cannot be written as UTF-8: engines would each replace it by something else. */
const UNPAIRED = /\p{Surrogate}/gu;
const ESCAPED_UNPAIRED = /\\ud[89a-f]/;

/** Unpaired surrogates become U+FFFD. */
export function wellFormed(text: string): string {
	return text.replace(UNPAIRED, "\ufffd");
}

/** The same in every text of a JSON object, names included. */
export function wellFormedProps(props: JsonObject): JsonObject {
	const text = canonicalJson(props);
	return ESCAPED_UNPAIRED.test(text) ? (deepWellFormed(JSON.parse(text)) as JsonObject) : props;
}

function deepWellFormed(value: Json | undefined): Json {
	if (typeof value === "string") return wellFormed(value);
	if (value === null || value === undefined || typeof value !== "object") return value ?? null;
	if (Array.isArray(value)) return value.map(deepWellFormed);
	return Object.fromEntries(Object.entries(value).map(([key, inner]) => [wellFormed(key), deepWellFormed(inner)]));
}
