import type { Chunk, ChunkKind, ChunkSettings } from "../../domain/mined-file.js";
import type { Region } from "../extractor.js";
import { boundedSettings, cutLines, type Piece } from "./cut-lines.js";
import { LineIndex } from "./line-index.js";
import { type Segment, segmentsOf } from "./region-segments.js";

/** A file has at most this many chunks. */
export const maxChunks = 5_000;

export interface ChunkedFile {
	readonly chunks: readonly Chunk[];
	/** The first line (1-based) that is in no chunk because the file had too many. */
	readonly omittedFrom?: number;
}

interface Draft {
	readonly first: number;
	last: number;
	readonly from: number;
	to: number;
	readonly kind: ChunkKind;
	readonly symbol: string | undefined;
}

/**
 * Chunks of a file, in order of their lines. Every line that is not blank is in at least one (unless `omittedFrom` says where
 * it ended). `text` is exactly the decoded file's lines startLine..endLine, line ends kept but for the last "\n" (so a "\r" at
 * the end stays): `file.split("\n").slice(startLine - 1, endLine).join("\n")`. Only a line longer than `chunkSize` is cut
 * within, and then startLine = endLine and `text` is a part of it.
 *
 * A region without others inside is one chunk where it fits; lines between the regions of a region are chunks of the outer one;
 * lines in no region are chunks of `plainKind`. Linear in the text, whatever it is.
 */
export function chunkFile(
	text: string,
	regions: readonly Region[],
	plainKind: ChunkKind,
	settings: ChunkSettings,
): ChunkedFile {
	const lines = new LineIndex(text);
	const bounds = boundedSettings(settings);
	const drafts: Draft[] = [];
	let omittedFrom: number | undefined;
	for (const segment of segmentsOf(regions, lines.count, plainKind)) {
		if (closePrevious(lines, drafts.at(-1), segment, bounds.chunkSize)) continue;
		omittedFrom = addPieces(drafts, cutLines(lines, segment.first, segment.last, bounds), segment);
		if (omittedFrom !== undefined) break;
	}
	const chunks = drafts.map((draft, ordinal): Chunk => {
		const { kind, symbol, first, last, from, to } = draft;
		return {
			ordinal,
			kind,
			startLine: first + 1,
			endLine: last + 1,
			...(symbol === undefined ? {} : { symbol }),
			text: text.slice(from, to),
		};
	});
	return omittedFrom === undefined ? { chunks } : { chunks, omittedFrom };
}

function addPieces(drafts: Draft[], pieces: Generator<Piece>, { kind, symbol }: Segment): number | undefined {
	for (const piece of pieces) {
		if (drafts.length >= maxChunks) return piece.first + 1;
		drafts.push({ ...piece, kind, symbol });
	}
	return undefined;
}

/** `}`, `});` or `end` after a region make no chunk of their own: they close the one before. */
function closePrevious(lines: LineIndex, previous: Draft | undefined, segment: Segment, chunkSize: number): boolean {
	if (previous === undefined || segment.leaf) return false;
	let { first, last } = segment;
	while (last >= first && lines.isBlank(last)) last -= 1;
	first = lines.skipBlank(first, last);
	if (first > last) return true;
	const from = lines.start(first);
	const to = lines.end(last);
	if (to - from > 200 || to - lines.start(previous.first) > chunkSize) return false;
	if (previous.from !== lines.start(previous.first) || previous.to !== lines.end(previous.last)) return false;
	for (const word of lines.text.slice(from, to).split(/[\s)}\]>;,]+/)) {
		if (word !== "" && word !== "end") return false;
	}
	previous.last = last;
	previous.to = to;
	return true;
}
