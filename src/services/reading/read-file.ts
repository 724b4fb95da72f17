import { LodeError } from "../../domain/errors.js";
import type { Snapshot } from "../../domain/snapshot.js";
import { LineIndex } from "../../mining/chunking/line-index.js";
import { decodeFile } from "../../mining/decode.js";
import { fileTypeOf } from "../../mining/languages.js";
import type { ArtifactStore } from "../../stores/artifacts/artifacts.port.js";
import { ManifestFinder } from "../../stores/artifacts/manifest.js";
import type { FileReport } from "../reports.js";

/** Larger ones are not loaded to show a part of them. Bytes. */
const MAX_BYTES = 16 * 1024 * 1024;
const MAX_LINES = 10_000;
const MAX_CHARACTERS = 1_000_000;

export interface FileRange {
	/** 1-based; the first where omitted. */
	readonly startLine?: number;
	readonly maxLines?: number;
	/** Text is cut at the end of the last line that fits; a first line that does not fit is cut within. */
	readonly maxCharacters?: number;
}

/**
 * The lines of one file as a snapshot has them, from the archive alone: a path is looked up in the commit's manifest and reaches nothing else.
 * @throws FILE_NOT_FOUND, STORE_CORRUPT
 */
export async function readFile(
	artifacts: Pick<ArtifactStore, "root" | "get">,
	place: { readonly snapshot: Snapshot; readonly source: string; readonly path: string },
	range: FileRange,
): Promise<FileReport> {
	const { snapshot, source, path } = place;
	const root = await artifacts.root(snapshot, source);
	const file = root && (await new ManifestFinder(artifacts, root.object).find(path));
	if (!root || !file) {
		throw new LodeError("FILE_NOT_FOUND", `${source} has no file ${path} in snapshot ${snapshot.number}`, {
			next: "Give the path as search prints it, from the root of the repository; folders and submodules have no content.",
		});
	}
	const { language, mediaType } = fileTypeOf(path);
	const about = {
		snapshot: snapshot.number,
		source,
		commit: root.commit,
		path,
		artifact: file.object,
		size: file.size,
		mode: file.mode,
		language: language ?? null,
		mediaType: mediaType ?? null,
	};
	const without = (skipped: string): FileReport => ({
		...about,
		lines: 0,
		startLine: 0,
		endLine: 0,
		text: null,
		skipped,
		truncated: false,
	});
	if (file.size > MAX_BYTES) return without("too_large");
	const bytes = await artifacts.get(file.object);
	if (!bytes) {
		throw new LodeError("STORE_CORRUPT", `archive: the content of ${path} in ${source} is missing`, {
			next: "lode verify",
		});
	}
	const decoded = decodeFile(bytes);
	if (decoded.text === undefined) return without(decoded.skip.reason);
	return { ...about, ...linesOf(decoded.text, range), skipped: null };
}

function linesOf(text: string, range: FileRange) {
	const index = new LineIndex(text);
	const first = Math.max(1, range.startLine ?? 1);
	if (first > index.count) return { lines: index.count, startLine: 0, endLine: 0, text: "", truncated: false };
	const wanted = Math.min(index.count, first - 1 + Math.min(MAX_LINES, Math.max(1, range.maxLines ?? MAX_LINES)));
	const room = Math.min(MAX_CHARACTERS, Math.max(1, range.maxCharacters ?? MAX_CHARACTERS));
	let last = first;
	while (last < wanted && index.span(first - 1, last) <= room) last += 1;
	const whole = text.slice(index.start(first - 1), index.end(last - 1));
	// Not in the middle of a character.
	const cut = whole.slice(0, room).replace(/[\ud800-\udbff]$/, "");
	return {
		lines: index.count,
		startLine: first,
		endLine: last,
		text: cut,
		truncated: last < index.count || cut.length < whole.length,
	};
}
