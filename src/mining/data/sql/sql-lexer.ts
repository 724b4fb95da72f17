/**
 * Splits SQL into tokens for every dialect at once: it knows only what a token is, never what a statement means, so it cannot
 * reject anything and takes linear time.
 */

export type SqlTokenKind = "word" | "quoted" | "string" | "number" | "symbol";

export interface SqlToken {
	readonly kind: SqlTokenKind;
	/** Identifiers without their quotes, strings without theirs, the rest as written. */
	readonly text: string;
	/** Upper case for words, "" for quoted identifiers and strings, the rest as written: what grammar is compared with. */
	readonly upper: string;
	/** Offsets into the text. */
	readonly start: number;
	readonly end: number;
}

export interface SqlDialect {
	/** `\'` inside a string (MySQL, BigQuery, Snowflake) or a plain backslash (standard). */
	readonly backslashEscapes: boolean;
}

/** Backticks are used by dialects that also escape with a backslash; `\'s` cannot be anything but an escaped apostrophe. */
export function sniffDialect(text: string): SqlDialect {
	const head = text.slice(0, 65_536);
	return { backslashEscapes: head.includes("`") || /\\'[A-Za-z]/.test(head) };
}

/** A cursor over the tokens; it allocates nothing, so that dumps of many megabytes can be walked. */
export class SqlLexer {
	kind: SqlTokenKind = "symbol";
	start = 0;
	end = 0;
	/** Openers that were found never to close. Looking again from each of them would take quadratic time. */
	readonly #unclosed = new Set<number>();
	#failedTags = 0;

	constructor(
		readonly text: string,
		readonly dialect: SqlDialect,
	) {}

	/** Moves to the next token; false at the end. */
	next(): boolean {
		const { text } = this;
		const limit = text.length;
		const start = this.#skipTrivia(this.end);
		if (start >= limit) {
			this.start = this.end = limit;
			return false;
		}
		this.start = start;
		const code = text.charCodeAt(start);
		if (code === 0x27) return this.#finish("string", this.#quotedEnd(start, code, this.dialect.backslashEscapes));
		if (code === 0x22 || code === 0x60) return this.#finish("quoted", this.#quotedEnd(start, code, false));
		if (code === 0x24) {
			const end = this.#dollarQuoteEnd(start);
			if (end !== undefined) return this.#finish("string", end);
		}
		if (code === 0x5b) {
			const end = bracketIdentifierEnd(text, start);
			if (end !== undefined) return this.#finish("quoted", end);
		}
		if (isDigit(code)) return this.#finish("number", numberEnd(text, start));
		if (isWordStart(code)) {
			let end = start + 1;
			while (end < limit && isWordPart(text.charCodeAt(end))) end += 1;
			// E'..', N'..', r'..': the prefix belongs to the string.
			if (end - start === 1 && text.charCodeAt(end) === 0x27 && /[eEnNbBxXrR]/.test(text[start] ?? "")) {
				const escapes = code === 0x45 || code === 0x65 || this.dialect.backslashEscapes;
				return this.#finish("string", this.#quotedEnd(end, 0x27, escapes));
			}
			return this.#finish("word", end);
		}
		const two = text.charCodeAt(start + 1);
		const double = (code === 0x3a && two === 0x3a) || (code === 0x3d && two === 0x3e);
		return this.#finish("symbol", start + (double ? 2 : 1));
	}

	/** Continues elsewhere, for the parts of a dump that are not SQL. */
	jump(to: number): void {
		this.end = to;
	}

	token(): SqlToken {
		const raw = this.text.slice(this.start, this.end);
		if (this.kind === "quoted") {
			const quote = raw[0] === "[" ? "]" : (raw[0] ?? "");
			return { kind: this.kind, text: unquote(raw, quote), upper: "", start: this.start, end: this.end };
		}
		if (this.kind === "string") {
			return { kind: this.kind, text: stringText(raw), upper: "", start: this.start, end: this.end };
		}
		const upper = this.kind === "word" ? raw.toUpperCase() : raw;
		return { kind: this.kind, text: raw, upper, start: this.start, end: this.end };
	}

	#finish(kind: SqlTokenKind, end: number): true {
		this.kind = kind;
		this.end = end;
		return true;
	}

	/** The end of a quoted piece; a quote that is never closed is a token of one character, so that it hides nothing. */
	#quotedEnd(start: number, quote: number, backslash: boolean): number {
		const { text } = this;
		const limit = text.length;
		if (this.#unclosed.has(quote)) return start + 1;
		let at = start + 1;
		while (at < limit) {
			const code = text.charCodeAt(at);
			if (code === quote) {
				if (text.charCodeAt(at + 1) !== quote) return at + 1;
				at += 2;
			} else at += backslash && code === 0x5c ? 2 : 1;
		}
		this.#unclosed.add(quote);
		return start + 1;
	}

	#skipTrivia(from: number): number {
		const { text, dialect } = this;
		const limit = text.length;
		let at = from;
		while (at < limit) {
			const code = text.charCodeAt(at);
			if (code === 0x20 || (code >= 0x09 && code <= 0x0d) || code === 0xa0) at += 1;
			else if (code === 0x2d && text.charCodeAt(at + 1) === 0x2d) at = lineEnd(text, at);
			else if (code === 0x23 && (dialect.backslashEscapes || !isWordStart(text.charCodeAt(at + 1)))) {
				// `#` begins a comment in MySQL and BigQuery; elsewhere it begins a temporary table's name, or is an operator.
				if (/[>\-#]/.test(text[at + 1] ?? "")) return at;
				at = lineEnd(text, at);
			} else if (code === 0x2f && text.charCodeAt(at + 1) === 0x2a) {
				if (text.charCodeAt(at + 2) === 0x21) {
					// MySQL executes what stands in /*!50001 ... */, and mysqldump writes views that way: only the marks are skipped.
					at += 3;
					while (isDigit(text.charCodeAt(at))) at += 1;
					continue;
				}
				const end = this.#unclosed.has(code) ? -1 : text.indexOf("*/", at + 2);
				if (end === -1) this.#unclosed.add(code);
				// A comment that is never closed hides nothing either.
				at = end === -1 ? at + 2 : end + 2;
			} else if (code === 0x2a && text.charCodeAt(at + 1) === 0x2f) at += 2;
			else return at;
		}
		return limit;
	}

	/** `$$ ... $$` or `$tag$ ... $tag$` of Postgres. */
	#dollarQuoteEnd(start: number): number | undefined {
		const { text } = this;
		if (this.#failedTags > 100 || isDigit(text.charCodeAt(start + 1))) return undefined;
		let at = start + 1;
		while (at - start < 64 && isWordPart(text.charCodeAt(at)) && text.charCodeAt(at) !== 0x24) at += 1;
		if (text.charCodeAt(at) !== 0x24) return undefined;
		const tag = text.slice(start, at + 1);
		const close = text.indexOf(tag, at + 1);
		if (close === -1) this.#failedTags += 1;
		return close === -1 ? undefined : close + tag.length;
	}
}

/** @returns undefined where there are more than `maximum` tokens */
export function tokenize(text: string, dialect: SqlDialect, maximum: number): SqlToken[] | undefined {
	const lexer = new SqlLexer(text, dialect);
	const tokens: SqlToken[] = [];
	while (lexer.next()) {
		if (tokens.length === maximum) return undefined;
		tokens.push(lexer.token());
	}
	return tokens;
}

function lineEnd(text: string, from: number): number {
	const end = text.indexOf("\n", from);
	return end === -1 ? text.length : end;
}

/** `[Order Details]` of SQL Server and SQLite; an array subscript or literal holds something else or stands behind a word. */
function bracketIdentifierEnd(text: string, start: number): number | undefined {
	if (start > 0 && /[\w\])"`]/.test(text[start - 1] ?? "")) return undefined;
	let at = start + 1;
	if (!isWordStart(text.charCodeAt(at))) return undefined;
	while (at - start < 130 && (isWordPart(text.charCodeAt(at)) || text.charCodeAt(at) === 0x20)) at += 1;
	return text.charCodeAt(at) === 0x5d ? at + 1 : undefined;
}

function numberEnd(text: string, start: number): number {
	let at = start + 1;
	while (isWordPart(text.charCodeAt(at)) || text.charCodeAt(at) === 0x2e) at += 1;
	return at;
}

function unquote(raw: string, quote: string): string {
	if (raw.length < 2 || !raw.endsWith(quote)) return "";
	return raw.slice(1, -1).replaceAll(quote + quote, quote);
}

function stringText(raw: string): string {
	if (raw.startsWith("$")) {
		const tag = raw.indexOf("$", 1) + 1;
		return raw.slice(tag, raw.length - tag);
	}
	const body = raw.slice(raw.indexOf("'") + 1, -1);
	return body.replaceAll("''", "'").replaceAll("\\'", "'");
}

function isDigit(code: number): boolean {
	return code >= 0x30 && code <= 0x39;
}

function isWordStart(code: number): boolean {
	return (
		(code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || code === 0x5f || code === 0x40 || code > 0xa0
	);
}

function isWordPart(code: number): boolean {
	return isWordStart(code) || isDigit(code) || code === 0x24;
}
