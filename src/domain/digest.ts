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
	if (value === undefined) return "null";
	if (value === null || typeof value !== "object") return JSON.stringify(value);
	if (Array.isArray(value)) return value.length === 0 ? "[]" : `[${value.map(canonicalJson).join(",")}]`;
	const object = value as JsonObject;
	let text = "";
	for (const key of Object.keys(object).sort()) {
		const inner = object[key];
		if (inner !== undefined) text += `${text === "" ? "" : ","}${JSON.stringify(key)}:${canonicalJson(inner)}`;
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
