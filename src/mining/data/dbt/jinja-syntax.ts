/**
 * A template split into text and tags. Comments of Jinja (`{# #}`) and of SQL are blanked first: what is commented out is neither
 * lineage nor columns. Line ends stay, so that lines keep their numbers.
 */

export interface TemplatePart {
	readonly kind: "text" | "output" | "statement";
	/** Text, or what stands between the marks, trimmed. */
	readonly body: string;
	/** White space before or behind the tag goes: `{%-`, `-%}`. */
	readonly trimBefore: boolean;
	readonly trimAfter: boolean;
	readonly start: number;
	readonly end: number;
}

const NO_TRIM = { trimBefore: false, trimAfter: false } as const;

export function splitTemplate(text: string): TemplatePart[] {
	const parts: TemplatePart[] = [];
	const tags = new TagEnds(text);
	let from = 0;
	for (;;) {
		const start = nextTag(text, from);
		if (start > from) parts.push({ kind: "text", body: text.slice(from, start), start: from, end: start, ...NO_TRIM });
		if (start === text.length) return parts;
		const end = tags.behind(start);
		if (end === undefined) {
			// A tag that is never closed: the rest is text.
			parts.push({ kind: "text", body: text.slice(start), start, end: text.length, ...NO_TRIM });
			return parts;
		}
		const inner = text.slice(start + 2, end - 2);
		const trimBefore = /^[-+]/.test(inner);
		const trimAfter = /[-+]$/.test(inner) && inner.length > 1;
		const body = inner.slice(trimBefore ? 1 : 0, trimAfter ? -1 : undefined).trim();
		const kind = text[start + 1] === "%" ? "statement" : "output";
		parts.push({ kind, body, trimBefore: inner.startsWith("-"), trimAfter: inner.endsWith("-"), start, end });
		from = end;
	}
}

/** Replaces comments by spaces, line ends kept; strings and tags are stepped over, so that `'--'` is no comment. */
export function blankComments(text: string): string {
	const out: string[] = [];
	const escapes = text.includes("`") || /\\'[A-Za-z]/.test(text);
	const unclosed = new Set<string>();
	const tags = new TagEnds(text);
	let from = 0;
	let at = 0;
	/** Where the piece that begins with `open` ends; undefined where it never does (looked for once only). */
	const closing = (close: string, behind: number): number | undefined => {
		if (unclosed.has(close)) return undefined;
		const end = text.indexOf(close, behind);
		if (end === -1) unclosed.add(close);
		return end === -1 ? undefined : end + close.length;
	};
	const blank = (end: number): void => {
		out.push(text.slice(from, at), text.slice(at, end).replace(/[^\r\n]/g, " "));
		from = end;
		at = end;
	};
	while (at < text.length) {
		const two = text.slice(at, at + 2);
		if (two === "{#") {
			const end = closing("#}", at + 2);
			if (end === undefined) at += 2;
			else blank(end);
		} else if (two === "--") blank(endOfLine(text, at));
		else if (two === "/*") {
			const end = closing("*/", at + 2);
			if (end === undefined) at += 2;
			else blank(end);
		} else if (two === "{{" || two === "{%") at = tags.behind(at) ?? at + 2;
		else if (text[at] === "'" || text[at] === '"' || text[at] === "`") at = stringEnd(tags, at, escapes, unclosed);
		else at += 1;
	}
	out.push(text.slice(from));
	return out.join("");
}

function stringEnd(tags: TagEnds, start: number, escapes: boolean, unclosed: Set<string>): number {
	const { text } = tags;
	const quote = text[start] as string;
	if (unclosed.has(quote)) return start + 1;
	for (let at = start + 1; at < text.length; at += 1) {
		if (text[at] === quote) {
			if (text[at + 1] !== quote) return at + 1;
			at += 1;
		} else if (escapes && text[at] === "\\") at += 1;
		else if (text[at] === "{" && (text[at + 1] === "{" || text[at + 1] === "%")) at = (tags.behind(at) ?? at + 1) - 1;
	}
	unclosed.add(quote);
	return start + 1;
}

function nextTag(text: string, from: number): number {
	for (let at = text.indexOf("{", from); at !== -1; at = text.indexOf("{", at + 1)) {
		const next = text[at + 1];
		if (next === "{" || next === "%") return at;
	}
	return text.length;
}

const MAX_TAG = 20_000;
const MAX_BROKEN_TAGS = 50;

/** Finds where tags end. Each search is bounded and so are the failed ones, because `{{{{{{{{` asks at every brace. */
class TagEnds {
	#broken = 0;
	constructor(readonly text: string) {}

	/** Behind the closing mark; marks inside strings and braces inside an expression do not count. */
	behind(start: number): number | undefined {
		if (this.#broken > MAX_BROKEN_TAGS) return undefined;
		const { text } = this;
		const isStatement = text[start + 1] === "%";
		const limit = Math.min(text.length, start + MAX_TAG);
		let quote = "";
		let braces = 0;
		for (let at = start + 2; at < limit; at += 1) {
			const char = text[at];
			if (quote !== "") {
				if (char === "\\") at += 1;
				else if (char === quote) quote = "";
			} else if (char === "'" || char === '"') quote = char;
			else if (isStatement) {
				if (char === "%" && text[at + 1] === "}") return at + 2;
			} else if (char === "{") braces += 1;
			else if (char === "}" && braces > 0) braces -= 1;
			else if (char === "}" && text[at + 1] === "}") return at + 2;
		}
		this.#broken += 1;
		return undefined;
	}
}

function endOfLine(text: string, from: number): number {
	const end = text.indexOf("\n", from);
	return end === -1 ? text.length : end;
}
