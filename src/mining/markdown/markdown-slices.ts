import type { LineIndex } from "../chunking/line-index.js";

/** Lines first..last (0-based) that can be parsed by themselves, and what parsing them may cost. */
export interface Slice {
	readonly first: number;
	readonly last: number;
	/** Characters that can open, close or continue a construct. */
	readonly marks: number;
	/** The most quotes and lists that may be open inside each other on one line. */
	readonly nesting: number;
}

/** A slice ends at the next safe place after so many characters or marks. */
const SLICE_CHARACTERS = 2_000;
const SLICE_MARKS = 250;

/**
 * Cuts a Markdown document where a top-level block surely begins: before an unindented heading, or before an unindented word
 * after a blank line, outside of fenced code and HTML. One pass over the lines.
 *
 * Why: micromark is quadratic in the number of constructs (40 KB of `a\n=\n` take 15 s, 40 KB of `]` take 5 s) and slower
 * than linear on plain documents too. Small slices make it linear, and `marks` tells hostile ones before they are parsed.
 */
export function* markdownSlices(lines: LineIndex): Generator<Slice> {
	let first = 0;
	let marks = 0;
	let nesting = 0;
	let blankBefore = true;
	let closed: string | undefined;
	for (let line = 0; line < lines.count; line++) {
		const blank = lines.isBlank(line);
		// No construct that decides where blocks end is recognised by more than the beginning of its line.
		const head = lines.text.slice(lines.start(line), Math.min(lines.end(line), lines.start(line) + 200));
		const full = lines.start(line) - lines.start(first) >= SLICE_CHARACTERS || marks >= SLICE_MARKS;
		if (closed === undefined && line > first && full && beginsBlock(head, blankBefore)) {
			yield { first, last: line - 1, marks, nesting };
			first = line;
			marks = 0;
			nesting = 0;
		}
		closed = insideAfter(closed, head, blank, lines.text, lines.start(line), lines.end(line));
		marks += countMarks(lines.text, lines.start(line), lines.end(line));
		nesting = Math.max(nesting, openedContainers(lines.text, lines.start(line), lines.end(line)));
		blankBefore = blank;
	}
	if (first < lines.count) yield { first, last: lines.count - 1, marks, nesting };
}

function beginsBlock(head: string, blankBefore: boolean): boolean {
	if (/^#{1,6}(?:[ \t]|$)/.test(head)) return true;
	return blankBefore && /^[\p{L}!*[_`]/u.test(head) && !/^\* /.test(head);
}

/** Fences and HTML run over blank lines and headings: what must be seen before they end. */
function insideAfter(
	inside: string | undefined,
	head: string,
	blank: boolean,
	text: string,
	start: number,
	end: number,
): string | undefined {
	if (inside === "blank line") return blank ? undefined : inside;
	if (inside !== undefined && (inside.startsWith("`") || inside.startsWith("~"))) {
		const fence = /^ {0,3}(`{3,}|~{3,})\s*$/.exec(head)?.[1];
		return fence?.startsWith(inside) ? undefined : inside;
	}
	if (inside !== undefined) return includes(text, inside, start, end) ? undefined : inside;
	const fence = /^ {0,3}(`{3,}(?!.*`)|~{3,})/.exec(head)?.[1];
	if (fence !== undefined) return fence;
	const html = /^ {0,3}<(!--|\?|!\[CDATA\[|(?:script|pre|style|textarea)(?=[\s>]|$)|\/?[a-z])/i.exec(head)?.[1];
	if (html === undefined) return undefined;
	const ending = HTML_ENDINGS.get(html.toLowerCase());
	if (ending === undefined) return "blank line";
	return includes(text, ending, start, end) ? undefined : ending;
}

const HTML_ENDINGS: ReadonlyMap<string, string> = new Map([
	["!--", "-->"],
	["?", "?>"],
	["![cdata[", "]]>"],
	["script", "</script>"],
	["pre", "</pre>"],
	["style", "</style>"],
	["textarea", "</textarea>"],
]);

function includes(text: string, searched: string, start: number, end: number): boolean {
	return text.slice(start, end).toLowerCase().includes(searched);
}

const MARKS = new Uint8Array(128);
for (const mark of '*_[]()!<>&~|`:#=+-\\@"') MARKS[mark.charCodeAt(0)] = 1;

/** The line itself, each mark, and each `1.` that may open a list. */
function countMarks(text: string, start: number, end: number): number {
	let count = 1;
	let previous = 0;
	for (let at = start; at < end; at++) {
		const code = text.charCodeAt(at);
		if (code < 128 && MARKS[code] === 1) count += 1;
		else if (code === 46 && previous >= 48 && previous <= 57) count += 1;
		previous = code;
	}
	return count;
}

/** How many quotes and list items may be open inside each other: `> - 1. ` is three, a rule of dashes none. */
function openedContainers(text: string, start: number, end: number): number {
	let count = 0;
	let indent = 0;
	for (let at = start; at < end; at++) {
		const code = text.charCodeAt(at);
		const digit = code >= 48 && code <= 57;
		if (code === 32 || code === 9 || code === 13 || digit) continue;
		// > opens by itself; - * + . ) only before white space.
		const opens = code === 62 || (code >= 41 && code <= 46 && code !== 44 && isGap(text, at + 1, end));
		if (!opens) break;
		if (count === 0) indent = at - start;
		count += 1;
	}
	// Each item of a list may lie in one that is indented by two less.
	return count === 0 ? 0 : count + (indent >> 1);
}

function isGap(text: string, at: number, end: number): boolean {
	const code = text.charCodeAt(at);
	return at >= end || code === 32 || code === 9 || code === 13;
}
