import type { ChunkSettings } from "../../domain/mined-file.js";
import type { LineIndex } from "./line-index.js";

/** A piece of a file: lines first..last (0-based), characters from..to. */
export interface Piece {
	readonly first: number;
	readonly last: number;
	readonly from: number;
	readonly to: number;
}

/**
 * Settings that always make progress: an overlap of more than half a chunk would repeat text for ever, and every piece
 * brings at least a quarter of `chunkSize` of new text, which keeps the work linear.
 */
export function boundedSettings(settings: ChunkSettings): ChunkSettings {
	const chunkSize = Math.max(16, Math.floor(settings.chunkSize));
	const overlap = Math.min(Math.max(0, Math.floor(settings.overlap)), Math.floor(chunkSize / 2));
	return { chunkSize, overlap };
}

/**
 * Cuts lines first..last to pieces of at most `chunkSize` characters, at blank lines or where a statement starts where that is
 * possible, and repeats up to `overlap` characters of whole lines. Every line that is not blank is in a piece; pieces neither
 * begin nor end with blank lines. `settings` as `boundedSettings` gives them.
 */
export function* cutLines(lines: LineIndex, first: number, last: number, settings: ChunkSettings): Generator<Piece> {
	const { chunkSize, overlap } = settings;
	let end = last;
	while (end >= first && lines.isBlank(end)) end -= 1;
	let fresh = lines.skipBlank(first, end);
	// Where the next piece begins: before `fresh` by the overlap.
	let from = fresh;
	while (fresh <= end) {
		if (lines.span(fresh, fresh) > chunkSize) {
			yield* cutWithinLine(lines, fresh, settings);
			fresh = lines.skipBlank(fresh + 1, end);
			from = fresh;
			continue;
		}
		while (lines.span(from, fresh) > chunkSize) from = lines.skipBlank(from + 1, fresh);
		let reach = fresh;
		while (reach < end && lines.span(from, reach + 1) <= chunkSize) reach += 1;
		const cut =
			reach < end && lines.span(reach + 1, reach + 1) <= chunkSize
				? bestCut(lines, from, fresh, reach, chunkSize)
				: reach;
		let closing = cut;
		while (lines.isBlank(closing)) closing -= 1;
		yield { first: from, last: closing, from: lines.start(from), to: lines.end(closing) };
		const previous = from;
		fresh = lines.skipBlank(cut + 1, end);
		from = fresh;
		while (from - 1 > previous && lines.span(from - 1, fresh - 1) <= overlap) from -= 1;
		from = lines.skipBlank(from, fresh);
	}
}

/** The last line of a piece that may reach to `reach`: before a line of small indentation, after a blank one. */
function bestCut(lines: LineIndex, from: number, fresh: number, reach: number, chunkSize: number): number {
	const enough = (chunkSize - (lines.start(fresh) - lines.start(from))) / 2;
	let best = reach;
	let bestScore = Number.POSITIVE_INFINITY;
	for (let at = reach; at >= fresh && lines.span(fresh, at) >= enough; at--) {
		const following = at + 1;
		if (lines.isBlank(following)) {
			if (at === reach) return reach;
			continue;
		}
		const head = lines.text.charCodeAt(lines.start(following) + lines.indent(following));
		// A line that closes something belongs to what is before it: ) ] }
		const closes = head === 41 || head === 93 || head === 125;
		const score = lines.indent(following) * 2 + (lines.isBlank(at) ? 0 : 1) + (closes ? 1_000 : 0);
		if (score < bestScore) {
			best = at;
			bestScore = score;
		}
	}
	return best;
}

function* cutWithinLine(lines: LineIndex, line: number, { chunkSize, overlap }: ChunkSettings): Generator<Piece> {
	const { text } = lines;
	const end = lines.end(line);
	let from = lines.start(line);
	for (;;) {
		let to = Math.min(from + chunkSize, end);
		if (to < end) {
			const space = lastSpace(text, from + Math.ceil(chunkSize * 0.75), to);
			to = onCharacter(text, space ?? to);
		}
		if (text.slice(from, to).trim() !== "") yield { first: line, last: line, from, to };
		if (to >= end) return;
		from = onCharacter(text, to - overlap);
	}
}

/** The end of the last white space in the text between two offsets. */
function lastSpace(text: string, low: number, high: number): number | undefined {
	for (let at = high; at > low; at--) {
		const code = text.charCodeAt(at - 1);
		if (code === 32 || code === 9) return at;
	}
	return undefined;
}

/** Steps back where the offset would split a surrogate pair. */
function onCharacter(text: string, offset: number): number {
	const code = text.charCodeAt(offset);
	return code >= 0xdc00 && code <= 0xdfff ? offset - 1 : offset;
}
