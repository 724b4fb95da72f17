import type { EntityState } from "../domain/entities.js";
import type { ChunkKind, ChunkSettings, Skip } from "../domain/mined-file.js";

/** A file as extractors read it. Everything they return must follow from this alone: no clock, no I/O, no other file. */
export interface FileInput {
	readonly source: string;
	readonly path: string;
	readonly bytes: Uint8Array;
	/** Decoded as UTF-8 (byte order mark removed); undefined for binary content such as Parquet. Line ends are kept. */
	readonly text: string | undefined;
	/** As the language table names it from path and first line, e.g. `typescript`, `python`, `sql`, `markdown`. */
	readonly language: string | undefined;
	readonly settings: ChunkSettings;
}

/** A span of lines that belongs together (a function, a section, a model). Regions nest or are disjoint, never overlap in part. */
export interface Region {
	/** 1-based, inclusive. */
	readonly startLine: number;
	readonly endLine: number;
	readonly kind: ChunkKind;
	readonly symbol: string;
}

export interface Extraction {
	readonly states: readonly EntityState[];
	readonly regions: readonly Region[];
	readonly skips: readonly Skip[];
}

/** One per format, listed in table.ts. Raise `version` whenever the same bytes would give something else. */
export interface Extractor {
	readonly name: string;
	readonly version: number;
	/** Cheap: by path and language, at most a look at the beginning. Several may match one file; states are united by key. */
	matches(input: FileInput): boolean;
	/** Throws only on bugs: what cannot be parsed is a skip, with whatever was found before it. */
	extract(input: FileInput): Extraction | Promise<Extraction>;
}
