import { canonicalJson, type Json, type JsonObject } from "./digest.js";

/** Unpaired surrogates become U+FFFD: they cannot be written as UTF-8, so engines would each replace them by something else. */
export function wellFormed(text: string): string {
	return text.isWellFormed() ? text : text.toWellFormed();
}

/** The same in every text of a JSON object, names included. */
export function wellFormedProps(props: JsonObject): JsonObject {
	return isWellFormed(props) ? props : (deepWellFormed(JSON.parse(canonicalJson(props))) as JsonObject);
}

function isWellFormed(value: Json | undefined): boolean {
	if (typeof value === "string") return value.isWellFormed();
	if (typeof value !== "object" || value === null) return true;
	if (Array.isArray(value)) return value.every(isWellFormed);
	for (const [key, inner] of Object.entries(value)) if (!key.isWellFormed() || !isWellFormed(inner)) return false;
	return true;
}

function deepWellFormed(value: Json | undefined): Json {
	if (typeof value === "string") return wellFormed(value);
	if (value === null || value === undefined || typeof value !== "object") return value ?? null;
	if (Array.isArray(value)) return value.map(deepWellFormed);
	return Object.fromEntries(Object.entries(value).map(([key, inner]) => [wellFormed(key), deepWellFormed(inner)]));
}
