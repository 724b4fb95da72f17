import type { JsonObject } from "../domain/digest.js";
import type { Edge, EntityKind, EntityState } from "../domain/entities.js";
import type { Chunk, ChunkKind, Skip } from "../domain/mined-file.js";
import type { SearchHit } from "../services/reports.js";

/**
 * What a plugin is: the default export of a module that LODE_PLUGINS names (docs/plugins.md). Hooks run in threads of their own, get copies,
 * and change nothing but by what they return, which has to be JSON. They may be called again for the same input and must then return the same.
 */
export interface LodePlugin {
	/** 1 to 100 of `a-z 0-9 @ . _ / -`. */
	readonly name: string;
	/** 1 to 50 of `A-Z a-z 0-9 . + _ -`. Raise it whenever the same input would give something else: it is part of the cache keys. */
	readonly version: string;
	/** Globs of the paths that the indexing hooks see; all where omitted. Files that no glob matches are never mined again for this plugin. */
	readonly files?: readonly string[];
	/**
	 * What becomes of a file when an indexing hook throws, does not come to an end or returns something else than it may. `skip`: as if this
	 * hook had returned nothing (default). `fail`: it is archived and not mined. Either way the file counts as failed and says why.
	 * A search hook that fails is always skipped.
	 */
	readonly onFailure?: "skip" | "fail";
	/** Milliseconds that a call of a hook may take, 1 to 20,000; by default 5,000 for indexing and 1,000 for search. */
	readonly timeLimitsMs?: Partial<Readonly<Record<HookName, number>>>;
	readonly hooks: PluginHooks;
}

export const HOOK_NAMES = ["beforeIndexing", "afterIndexing", "beforeSearch", "afterSearch"] as const;
export type HookName = (typeof HOOK_NAMES)[number];

type Answer<T> = T | undefined | null | Promise<T | undefined | null>;

/** All are optional. Plugins run in the order of LODE_PLUGINS; each sees what those before it made. */
export interface PluginHooks {
	/** Before a file is mined. Not called for links and submodules. */
	beforeIndexing?(file: FileToIndex): Answer<FileChange>;
	/** After a file was mined, before anything of it is embedded or stored. */
	afterIndexing?(file: IndexedFile): Answer<IndexedFileChange>;
	/** Before a search. */
	beforeSearch?(query: PluginQuery): Answer<QueryChange>;
	/** After a search, before anybody sees the hits. */
	afterSearch?(found: FoundHits): Answer<HitsChange>;
}

export interface FileToIndex {
	readonly source: string;
	readonly path: string;
	readonly language?: string;
	readonly bytes: Uint8Array;
	/** Undefined where the bytes are no text. */
	readonly text?: string;
	/** What plugins before this one set. */
	readonly metadata: JsonObject;
}

export interface FileChange {
	/** Why the file is not mined: it is archived only, and no plugin after this one sees it. */
	readonly skip?: string;
	/** Mined in place of the file's text, 8 MiB at most; the archive keeps the file's own bytes. Keep its lines, so that hits lead to the right ones. */
	readonly text?: string;
	/** Merged into the property `metadata` of the file; 64 KiB of JSON at most. */
	readonly metadata?: JsonObject;
}

export interface IndexedFile {
	readonly source: string;
	readonly path: string;
	readonly language?: string;
	readonly mediaType: string;
	readonly lines: number;
	readonly metadata: JsonObject;
	readonly chunks: readonly Chunk[];
	/** What the file states of entities. */
	readonly entities: readonly EntityState[];
	readonly skips: readonly Skip[];
}

export interface IndexedFileChange {
	/**
	 * United with the entities of the file by key; where properties differ, those of the file win. Keys begin with the kind, and those of things in
	 * a source with `kind:source:`. Not of kind repository, commit, contributor, folder or name. At most 2,000 with 10,000 edges.
	 */
	readonly entities?: readonly {
		readonly key: string;
		readonly kind: EntityKind;
		readonly name: string;
		readonly props?: JsonObject;
		readonly edges?: readonly Edge[];
	}[];
	/** Another kind or symbol for chunks of the file, by ordinal. */
	readonly chunks?: readonly { readonly ordinal: number; readonly kind?: ChunkKind; readonly symbol?: string }[];
}

export interface PluginQuery {
	readonly text: string;
	readonly source?: string;
	readonly group?: string;
	readonly kinds?: readonly ChunkKind[];
	readonly path?: string;
	readonly limit: number;
	readonly at?: string;
}

/** What is omitted stays; null takes a filter away. Where and when is searched is not a plugin's to say. */
export interface QueryChange {
	/** Empty: as it was. Of a search for what is like an example, which has none, it is ignored. */
	readonly text?: string;
	readonly group?: string | null;
	readonly kinds?: readonly ChunkKind[] | null;
	readonly path?: string | null;
	readonly limit?: number;
}

export interface FoundHits {
	readonly query: PluginQuery;
	/** As the answer has them, with the annotations of plugins before this one. */
	readonly hits: readonly SearchHit[];
}

export interface HitsChange {
	/** The hits in their new order by their present index: those that are left out are dropped, none can be invented. */
	readonly hits: readonly { readonly index: number; readonly annotation?: JsonObject }[];
}
