import { XMLParser } from "fast-xml-parser";
import { parse as parseTomlText } from "smol-toml";
import { parseDocument } from "yaml";
import type { Skip } from "../../domain/mined-file.js";

/**
 * JSON, YAML, TOML and XML from strangers. Every reader bounds size, depth and expansion before the library sees the
 * text, because the libraries recurse.
 */

const MAX_CHARACTERS = 2 * 1024 * 1024;
const MAX_DEPTH = 100;
const MAX_ALIASES = 100;

export type Parsed = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly skip: Skip };

export function readJson(text: string): Parsed {
	return guarded(text, bracketDepth(text), () => JSON.parse(text));
}

export function readToml(text: string): Parsed {
	return guarded(text, Math.max(bracketDepth(text), dottedDepth(text)), () => parseTomlText(text));
}

/** YAML as PyYAML reads it for dbt: merge keys work, duplicate keys do not fail. */
export function readYaml(text: string): Parsed {
	return guarded(text, Math.max(bracketDepth(text), indentDepth(text)), () => {
		// uniqueKeys compares every key with every other: quadratic in the size of a map.
		const document = parseDocument(text, { uniqueKeys: false, merge: true, logLevel: "silent" });
		const error = document.errors[0];
		if (error !== undefined) throw error;
		return document.toJS({ maxAliasCount: MAX_ALIASES });
	});
}

/** XML as nested objects, attributes prefixed with `@`. Entities and document types are never expanded. */
export function readXml(text: string): Parsed {
	return guarded(text, tagDepth(text), () => {
		const parser = new XMLParser({
			ignoreAttributes: false,
			attributeNamePrefix: "@",
			parseTagValue: false,
			parseAttributeValue: false,
			processEntities: false,
			htmlEntities: false,
			trimValues: true,
		});
		return parser.parse(text, true);
	});
}

function guarded(text: string, depth: number, read: () => unknown): Parsed {
	if (text.length > MAX_CHARACTERS) return failure("too_large", `more than ${MAX_CHARACTERS} characters`);
	if (depth > MAX_DEPTH) return failure("nesting", `nested deeper than ${MAX_DEPTH} levels`);
	try {
		return { ok: true, value: read() };
	} catch (error) {
		// A RangeError is the stack; the yaml library reports too many aliases as a ReferenceError.
		if (error instanceof RangeError) return failure("nesting", "nested too deeply to read");
		if (error instanceof ReferenceError) return failure("nesting", "aliases expand too far");
		return failure("parse", firstLine(error));
	}
}

function failure(reason: Skip["reason"], detail: string): Parsed {
	return { ok: false, skip: { reason, detail } };
}

function firstLine(error: unknown): string {
	const message = error instanceof Error ? error.message : String(error);
	// V8 quotes the text around a JSON error; a manifest may hold what should not be repeated in a status.
	const line = (message.split("\n", 1)[0] ?? "")
		.slice(0, 1_000)
		.replace(/,? ?(\.\.\.)?".*$/, "")
		.trim();
	return line.slice(0, 200) || "cannot be read";
}

/**
 * The deepest nesting of [] and {} outside double-quoted strings. Exact for JSON; a quick refusal of the plainly hostile for the
 * others, whose readers recurse and end in a RangeError where this was fooled.
 */
function bracketDepth(text: string): number {
	let depth = 0;
	let deepest = 0;
	let quoted = false;
	for (let index = 0; index < text.length; index += 1) {
		const code = text.charCodeAt(index);
		if (quoted) {
			if (code === 0x5c) index += 1;
			// A string ends with its line in JSON; elsewhere a stray quote must not hide the rest of the file.
			else if (code === 0x22 || code === 0x0a) quoted = false;
		} else if (code === 0x22) quoted = true;
		else if (code === 0x5b || code === 0x7b) {
			depth += 1;
			if (depth > deepest) deepest = depth;
		} else if ((code === 0x5d || code === 0x7d) && depth > 0) depth -= 1;
	}
	return deepest;
}

/** `- - - -` nests a level each, and every level of block nesting costs at least one column. */
function indentDepth(text: string): number {
	let deepest = 0;
	for (const line of lines(text)) {
		let markers = 0;
		for (let index = 0; index < line.length; index += 1) {
			const code = line.charCodeAt(index);
			if (code === 0x2d || code === 0x3f || code === 0x3a) markers += 1;
			else if (code !== 0x20 && code !== 0x09) break;
		}
		// A ruler of dashes is no nesting: markers count only when each is followed by white space.
		if (markers > deepest && /^[ \t]*(?:[-?:][ \t]+){2}/.test(line)) deepest = markers;
	}
	return deepest;
}

/** `a.b.c.d = 1` and `[a.b.c]` nest a table a dot. */
function dottedDepth(text: string): number {
	let deepest = 0;
	for (const line of lines(text)) {
		const head = line.split(/[="'#]/, 1)[0] ?? "";
		const dots = head.length > 2 * MAX_DEPTH ? head.split(".").length : 0;
		if (dots > deepest) deepest = dots;
	}
	return deepest;
}

function tagDepth(text: string): number {
	let depth = 0;
	let deepest = 0;
	for (let at = text.indexOf("<"); at !== -1; at = text.indexOf("<", at + 1)) {
		const next = text.charCodeAt(at + 1);
		if (next === 0x2f) depth = Math.max(0, depth - 1);
		else if (next === 0x21 || next === 0x3f) {
			const close = text.startsWith("<!--", at)
				? "-->"
				: text.startsWith("<![CDATA[", at)
					? "]]>"
					: next === 0x3f
						? "?>"
						: ">";
			const end = text.indexOf(close, at);
			if (end === -1) break;
			at = end;
		} else {
			const end = text.indexOf(">", at);
			if (end === -1) break;
			if (text.charCodeAt(end - 1) !== 0x2f) depth += 1;
			if (depth > deepest) deepest = depth;
			at = end;
		}
	}
	return deepest;
}

function* lines(text: string): Generator<string> {
	let start = 0;
	while (start <= text.length) {
		const end = text.indexOf("\n", start);
		yield text.slice(start, end === -1 ? text.length : end);
		if (end === -1) return;
		start = end + 1;
	}
}
