// @ts-check
import { parse } from "yaml";

/** At the very beginning; the closing one as far as Lode's own Markdown reader looks for it. */
const OPENING = /^---[ \t]*\r?\n/;
const CLOSING = /^(?:---|\.\.\.)[ \t]*\r?$/m;
const MAX_CHARACTERS = 20_000;
const MAX_FIELDS = 50;

/**
 * The fields of a Markdown file's front matter: on the file as `metadata.frontMatter`, and as properties of its document. What cannot be read
 * as YAML is text like any other, and no failure.
 * @type {import("../../src/plugins/plugin.js").LodePlugin}
 */
export default {
	name: "front-matter",
	version: "1.0.0",
	files: ["**/*.{md,markdown,mdown,mkd}"],
	hooks: {
		beforeIndexing({ text }) {
			const fields = fieldsOf(text ?? "");
			return fields && { metadata: { frontMatter: fields } };
		},
		afterIndexing({ metadata, entities }) {
			const fields = /** @type {import("../../src/domain/digest.js").JsonObject | undefined} */ (metadata.frontMatter);
			const document = entities.find(({ kind }) => kind === "document");
			if (fields === undefined || document === undefined) return undefined;
			return { entities: [{ key: document.key, kind: document.kind, name: document.name, props: fields }] };
		},
	},
};

/**
 * @param {string} text
 * @returns {import("../../src/domain/digest.js").JsonObject | undefined}
 */
function fieldsOf(text) {
	const opening = OPENING.exec(text)?.[0];
	if (opening === undefined) return undefined;
	const rest = text.slice(opening.length, opening.length + MAX_CHARACTERS);
	const end = CLOSING.exec(rest)?.index;
	if (end === undefined) return undefined;
	try {
		// The core schema leaves dates as they are written. Few aliases: each may stand for all that is before it.
		const value = parse(rest.slice(0, end), { schema: "core", maxAliasCount: 20, logLevel: "error" });
		if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
		const entries = Object.entries(value).slice(0, MAX_FIELDS);
		return entries.length === 0 ? undefined : Object.fromEntries(entries);
	} catch {
		return undefined;
	}
}
