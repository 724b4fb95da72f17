import { inspect } from "node:util";
import { wellFormed } from "../domain/well-formed.js";

const known = new Set<string>();

/**
 * A value that must not be shown. Printing, serialising or inspecting it gives `[secret]`; only `reveal` gives the value, to be
 * called where it leaves for the service it belongs to.
 */
export class Secret {
	readonly #value: string;

	constructor(value: string) {
		this.#value = value;
		// Shorter ones would blank out half of every message, and protect nothing.
		if (value.length < 6) return;
		// As it stands in JSON and in a URL too: a log has both.
		for (const form of [value, JSON.stringify(value).slice(1, -1), encodeURIComponent(wellFormed(value))])
			known.add(form);
	}

	reveal(): string {
		return this.#value;
	}

	toString(): string {
		return "[secret]";
	}

	toJSON(): string {
		return "[secret]";
	}

	[inspect.custom](): string {
		return "[secret]";
	}
}

/** API keys, of which what names them stays, and signed tokens: secrets of others, which this process is shown. */
const SHOWN: readonly (readonly [RegExp, string])[] = [
	[/lode_([0-9a-f]{12})_[\w-]{43}/g, "lode_$1_[secret]"],
	[/\beyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]{5,}/g, "[token]"],
];

/** Replaces every secret that this process knows: the last guard for messages that others wrote (a provider's, a driver's). */
export function redact(text: string): string {
	let result = text;
	for (const [shape, shown] of SHOWN) result = result.replace(shape, shown);
	for (const value of known) result = result.replaceAll(value, "[secret]");
	return result;
}
