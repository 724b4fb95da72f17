/**
 * Where the lines of a text lie. A line ends with "\n" and nothing else (git's view: a lone "\r" or U+2028 is content), and
 * a "\r" before it belongs to the line. Built in one pass; line numbers here are 0-based.
 */
export class LineIndex {
	readonly text: string;
	readonly count: number;
	readonly #starts: Uint32Array;
	/** First character of a line that is no white space, relative to its start; -1 for blank lines. */
	readonly #indents: Int32Array;

	constructor(text: string) {
		this.text = text;
		this.count = countLines(text);
		this.#starts = new Uint32Array(this.count + 1);
		this.#indents = new Int32Array(this.count).fill(-1);
		let line = 0;
		let indent = -1;
		for (let at = 0; at < text.length; at++) {
			const code = text.charCodeAt(at);
			if (code === 10) {
				this.#indents[line] = indent;
				indent = -1;
				line += 1;
				this.#starts[line] = at + 1;
			} else if (indent < 0 && !isSpace(code)) {
				indent = at - (this.#starts[line] as number);
			}
		}
		if (line < this.count) {
			this.#indents[line] = indent;
			// As if the last line ended with a line end too.
			this.#starts[this.count] = text.length + 1;
		}
	}

	start(line: number): number {
		return this.#starts[line] as number;
	}

	/** Where the content of the line ends, before its "\n". */
	end(line: number): number {
		return (this.#starts[line + 1] as number) - 1;
	}

	isBlank(line: number): boolean {
		return (this.#indents[line] as number) < 0;
	}

	/** Characters of white space before the content; 0 for blank lines. */
	indent(line: number): number {
		return Math.max(0, this.#indents[line] as number);
	}

	/** Characters of lines first..last joined as they are, without the last line end. */
	span(first: number, last: number): number {
		return this.end(last) - this.start(first);
	}

	/** The first line from `line` on that is not blank, at most `last + 1`. */
	skipBlank(line: number, last: number): number {
		let at = line;
		while (at <= last && this.isBlank(at)) at += 1;
		return at;
	}

	/** The line that holds a character. */
	lineAt(offset: number): number {
		let low = 0;
		let high = this.count - 1;
		while (low < high) {
			const middle = (low + high + 1) >> 1;
			if (this.start(middle) <= offset) low = middle;
			else high = middle - 1;
		}
		return low;
	}
}

/** Lines as git counts them: a last line without a line end counts, nothing after the last line end does not. */
export function countLines(text: string): number {
	let count = 0;
	for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) count += 1;
	return text.length > 0 && text.charCodeAt(text.length - 1) !== 10 ? count + 1 : count;
}

/** The white space of `\s` and `trim()`. */
function isSpace(code: number): boolean {
	if (code <= 32) return code === 32 || (code >= 9 && code <= 13);
	if (code < 0xa0) return false;
	return (
		code === 0xa0 ||
		code === 0x1680 ||
		(code >= 0x2000 && code <= 0x200a) ||
		code === 0x2028 ||
		code === 0x2029 ||
		code === 0x202f ||
		code === 0x205f ||
		code === 0x3000 ||
		code === 0xfeff
	);
}
