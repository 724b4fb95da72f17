const MAX_DOC = 200;
const LINE_COMMENT = /^(?:\/{2,}!?|#+(?!\[)|--+)\s?/;
const BLOCK_START = /^(?:\/\*+!?|"""|''')\s?/;
const BLOCK_END = /\s*(?:\*+\/|"""|''')\s*$/;
const STARS = /^\*+\s?/;
const XML_TAG = /<\/?[a-z][^<>]{0,80}>/gi;
/** Notes to tools, and tags: not what the symbol is for. */
const PRAGMA = /^(?:@|!|eslint-|biome-ignore|prettier-ignore|noqa|type:|pylint|istanbul|go:|#?(?:end)?region)/i;

/** The first line with words of the comments in this span, at most 200 characters; decorators and attributes are not comments. */
export function docLine(text: string, start: number, end: number): string | undefined {
	let inBlock = false;
	// A doc comment that says nothing in its first 2,000 characters says nothing worth keeping.
	for (const raw of text.slice(start, Math.min(end, start + 2_000)).split("\n")) {
		const line = raw.trim();
		const opener = inBlock ? "" : BLOCK_START.exec(line)?.[0];
		let words: string;
		if (opener !== undefined) {
			const inner = line.slice(opener.length);
			words = inner.replace(BLOCK_END, "").replace(STARS, "");
			inBlock = !BLOCK_END.test(inner);
		} else if (LINE_COMMENT.test(line)) words = line.replace(LINE_COMMENT, "");
		else continue;
		words = words.replace(XML_TAG, "").trim();
		if (/[\p{L}\p{N}]/u.test(words) && !PRAGMA.test(words)) return words.slice(0, MAX_DOC);
	}
	return undefined;
}
