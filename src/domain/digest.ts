import { hash } from "node:crypto";

/** A JSON value. `undefined` properties are dropped by `canonicalJson`, as JSON itself does. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };
export type JsonObject = { readonly [key: string]: Json | undefined };

/**
 * How many records, and one digest over all of them: 64 lower-case hex digits.
 * The digest is the sum of the records' SHA-256 modulo 2^256 (AdHash: Bellare and Micciancio, "A new paradigm for
 * collision-free hashing", 1997), so it does not depend on order, and records can be taken out again.
 */
export interface Tally {
	readonly count: number;
	readonly digest: string;
}

const MODULUS = 1n << 256n;
const ZERO = "0".repeat(64);
export const EMPTY_TALLY: Tally = { count: 0, digest: ZERO };

export function sha256(data: string | Uint8Array): string {
	return hash("sha256", data, "hex");
}

/** JSON with sorted keys and no white space: equal values give equal text. */
export function canonicalJson(value: Json | undefined): string {
	const sorted = sortedKeys(value);
	return sorted === UNSORTABLE ? composed(value) : (JSON.stringify(sorted) ?? "null");
}

/** No value: of an object whose keys JavaScript does not keep in the order in which they are given. */
const UNSORTABLE = Symbol();

/**
 * The value with its keys in order, so that JSON itself may write it at once: some times as fast as putting the text together here. What is in order
 * already, as most of what is digested, comes back as it is.
 */
function sortedKeys(value: Json | undefined): Json | undefined | typeof UNSORTABLE {
	if (typeof value !== "object" || value === null) return value;
	if (Array.isArray(value)) return sortedItems(value as readonly Json[]);
	const object = value as JsonObject;
	const keys = Object.keys(object);
	// Numbers come first whatever one does, and `__proto__` is no property at all where it is set.
	if (startsWithDigit(keys[0]) || Object.hasOwn(object, "__proto__") || hasClass(object)) return UNSORTABLE;
	const inOrder = keys.every((key, at) => at === 0 || (keys[at - 1] as string) < key);
	if (!inOrder) keys.sort();
	let copy: Record<string, Json | undefined> | undefined = inOrder ? undefined : {};
	for (const key of keys) {
		const inner = object[key];
		const sorted = typeof inner === "object" ? sortedKeys(inner) : inner;
		if (sorted === UNSORTABLE) return UNSORTABLE;
		if (copy === undefined && sorted !== inner) copy = { ...object };
		if (copy !== undefined) copy[key] = sorted;
	}
	return copy ?? object;
}

function sortedItems(items: readonly Json[]): readonly Json[] | typeof UNSORTABLE {
	let copy: Json[] | undefined;
	for (let at = 0; at < items.length; at += 1) {
		const inner = items[at] as Json;
		if (typeof inner !== "object") continue;
		const sorted = sortedKeys(inner);
		if (sorted === UNSORTABLE) return UNSORTABLE;
		if (sorted === inner) continue;
		copy ??= [...items];
		copy[at] = sorted as Json;
	}
	return copy ?? items;
}

function startsWithDigit(key: string | undefined): boolean {
	if (key === undefined) return false;
	const code = key.charCodeAt(0);
	return code >= 0x30 && code <= 0x39;
}

/** JSON might ask it what it is. */
function hasClass(object: JsonObject): boolean {
	const prototype = Object.getPrototypeOf(object);
	return prototype !== Object.prototype && prototype !== null;
}

/** The same text, piece by piece. */
function composed(value: Json | undefined): string {
	if (value === undefined) return "null";
	if (value === null || typeof value !== "object") return JSON.stringify(value);
	if (Array.isArray(value)) return value.length === 0 ? "[]" : `[${value.map(composed).join(",")}]`;
	const object = value as JsonObject;
	let text = "";
	for (const key of Object.keys(object).sort()) {
		const inner = object[key];
		if (inner !== undefined) text += `${text === "" ? "" : ","}${JSON.stringify(key)}:${composed(inner)}`;
	}
	return `{${text}}`;
}

/** Adds record digests (64 hex digits each) one by one; cheaper than chaining `addTally`. */
export class TallyBuilder {
	#count = 0;
	#sum = 0n;

	add(recordDigest: string): this {
		this.#count += 1;
		this.#sum += BigInt(`0x${recordDigest}`);
		return this;
	}

	merge(tally: Tally): this {
		// Most origins leave nothing in one store or another.
		if (tally.count === 0 && tally.digest === ZERO) return this;
		this.#count += tally.count;
		this.#sum += BigInt(`0x${tally.digest}`);
		return this;
	}

	subtract(tally: Tally): this {
		this.#count -= tally.count;
		this.#sum -= BigInt(`0x${tally.digest}`);
		return this;
	}

	build(): Tally {
		const sum = ((this.#sum % MODULUS) + MODULUS) % MODULUS;
		return { count: this.#count, digest: sum.toString(16).padStart(64, "0") };
	}
}

export function tallyOf(recordDigests: Iterable<string>): Tally {
	const builder = new TallyBuilder();
	for (const digest of recordDigests) builder.add(digest);
	return builder.build();
}

export function sameTally(a: Tally, b: Tally): boolean {
	return a.count === b.count && a.digest === b.digest;
}
