/** More definitions or uses than these are taken for plain text in brackets. */
const MAX_DEFINITIONS = 10_000;
const MAX_USES = 200;

const normalised = (label: string): string => label.trim().replace(/\s+/g, " ").toLowerCase();

/**
 * Labels that a document defines (`[label]: target`), often at its end. A slice is parsed without the others, and a heading such
 * as `## [1.0.0]` would keep its brackets: `definitionsFor` gives lines that, appended to the slice, define what it uses.
 */
export class ReferenceLabels {
	readonly #defined = new Set<string>();

	constructor(document: string) {
		for (const [, label = ""] of document.matchAll(/^ {0,3}\[([^[\]\n]{1,200})\]:/gm)) {
			if (this.#defined.size >= MAX_DEFINITIONS) break;
			this.#defined.add(normalised(label));
		}
	}

	definitionsFor(slice: string): string {
		if (this.#defined.size === 0) return "";
		const used = new Set<string>();
		for (const [, label = ""] of slice.matchAll(/\[([^[\]\n]{1,200})\]/g)) {
			if (used.size >= MAX_USES) break;
			const name = normalised(label);
			if (this.#defined.has(name)) used.add(name);
		}
		return used.size === 0 ? "" : `\n\n${[...used].map((name) => `[${name}]: #`).join("\n")}\n`;
	}
}
