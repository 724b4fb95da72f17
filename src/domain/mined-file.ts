import { sha256 } from "./digest.js";
import type { EntityState } from "./entities.js";

export const SKIP_REASONS = [
	"binary",
	"too_large",
	"encoding",
	"nesting",
	"parse",
	"timeout",
	"lfs_pointer",
	"submodule",
	"symlink",
	"unreadable",
	"plugin",
	"excluded",
] as const;
/**
 * Why a file, or a part of what could be mined from it, was not mined. The bytes are archived all the same (except of
 * submodules, which have none here).
 */
export type SkipReason = (typeof SKIP_REASONS)[number];

export interface Skip {
	readonly reason: SkipReason;
	readonly detail: string;
}

export const CHUNK_KINDS = [
	"function",
	"class",
	"method",
	"type",
	"module",
	"section",
	"model",
	"table",
	"dataset",
	"config",
	"text",
] as const;
export type ChunkKind = (typeof CHUNK_KINDS)[number];
/**
 * The kind of a commit's record among the chunks: its text is the subject, then the paths it touched, one a line. It ranks the files of a
 * search and is itself found only where a filter asks for this kind.
 */
export const COMMIT_KIND = "commit";
export type RecordKind = ChunkKind | typeof COMMIT_KIND;
/** The model of a record without an embedding. */
export const NO_MODEL = "none";

/** A piece of text and its place. `text` is exactly lines startLine..endLine (1-based, inclusive) of the decoded file, or a part of them where one line exceeds the bound. */
export interface Chunk {
	/** 0-based position in the file; identity of the chunk within its file and group. */
	readonly ordinal: number;
	readonly kind: ChunkKind;
	readonly startLine: number;
	readonly endLine: number;
	/** Dotted name of the innermost symbol, section title or model that it belongs to. */
	readonly symbol?: string;
	readonly text: string;
}

/** What the pure extractors made of one blob. */
export interface MinedFile {
	readonly path: string;
	/** SHA-256 of the bytes: the address of the artifact. */
	readonly artifact: string;
	readonly size: number;
	readonly mediaType: string;
	readonly language?: string;
	readonly lines: number;
	readonly chunks: readonly Chunk[];
	readonly states: readonly EntityState[];
	/** Whole-file skip (no chunks) or partial ones (for example symbols not parsed, text still chunked). */
	readonly skips: readonly Skip[];
}

/** Bounds of chunks, in characters (UTF-16 code units). `overlap` applies only where a piece of syntax has to be cut. */
export interface ChunkSettings {
	readonly chunkSize: number;
	readonly overlap: number;
}

export const chunkTextHash = (text: string): string => sha256(text);

/** A chunk with its embedding as a vector store keeps it. Identity: (source, group, origin, ordinal) and the seq that added it. */
export interface ChunkRecord extends Omit<Chunk, "kind"> {
	readonly kind: RecordKind;
	readonly source: string;
	readonly group: string;
	/** The id of the embedding model, e.g. `lexical-v1-384`, or `NO_MODEL`. Vectors of different models never mix. */
	readonly model: string;
	readonly origin: string;
	readonly path: string;
	readonly language?: string;
	/** Unit length. */
	readonly vector: Float32Array;
}

/** Store and manifest want the digest of the same records: it is worked out once. */
const digests = new WeakMap<ChunkRecord, string>();

export function chunkRecordDigest(record: ChunkRecord): string {
	const known = digests.get(record);
	if (known !== undefined) return known;
	const { source, group, model, origin, path, language, ordinal, kind, startLine, endLine, symbol, text, vector } =
		record;
	// Float32 little-endian, the byte order of every platform Node runs on.
	const bytes = sha256(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength));
	// Canonical JSON: a list of texts and numbers needs no sorting.
	const digest = sha256(
		JSON.stringify([
			source,
			group,
			model,
			origin,
			path,
			language ?? null,
			ordinal,
			kind,
			startLine,
			endLine,
			symbol ?? null,
			text,
			bytes,
		]),
	);
	digests.set(record, digest);
	return digest;
}

/** A record that came from elsewhere together with its digest, which is not worked out again. */
export function withKnownDigest(record: ChunkRecord, digest: string): ChunkRecord {
	digests.set(record, digest);
	return record;
}
