import { compareBytes } from "../../../domain/byte-order.js";
import { canonicalJson, sha256 } from "../../../domain/digest.js";
import { type ChunkRecord, chunkRecordDigest, type RecordKind } from "../../../domain/mined-file.js";
import type { Seq } from "../../../domain/snapshot.js";
import { textTerms } from "../../../domain/text/terms.js";
import { searchedTexts } from "../text/searched-texts.js";
import type { ChunkHit } from "../vectors.port.js";

/** `removedAt` of what is current: above every seq, so that one comparison tells. */
export const CURRENT = Number.MAX_SAFE_INTEGER;
/** `slice` spreads objects evenly over so many values: answers are bounded, and asked slice by slice. */
export const SLICES = 2 ** 30;

/**
 * An object as Weaviate keeps it. What comes back is one property, because the client's time and the server's go by the number of them; the
 * others are looked for. Keys are hashes: filters on texts trim them, and lists of long paths would make long queries.
 */
export interface StoredChunk {
	/** The whole chunk, see `contentOf`. */
	readonly content: string;
	/** Listed: see `distinct`. */
	readonly origin: string;
	readonly path: string;
	/** `l:` and the language; empty where there is none: Weaviate has no filter for "none" without an index of its own. */
	readonly language: string;
	readonly kind: string;
	readonly addedAt: Seq;
	readonly removedAt: Seq;
	readonly sourceKey: string;
	readonly groupKey: string;
	readonly originKey: string;
	readonly pathKey: string;
	/** Of the symbol and of each ending of it after a dot. */
	readonly symbolKeys: readonly string[];
	readonly slice: number;
	/** What full text searches: see text/terms.ts. Separated by blanks. */
	readonly terms: string;
	readonly pathTerms: string;
	readonly symbolTerms: string;
	/** How many terms these are together. */
	readonly length: number;
	readonly digest: string;
	/** Over what may change besides the content. */
	readonly life: string;
}

const hash = (...parts: readonly string[]): string => sha256(canonicalJson(parts)).slice(0, 24);
export const sourceKey = (source: string): string => hash("source", source);
export const groupKey = (group: string): string => hash("group", group);
export const originKey = (source: string, origin: string): string => hash("origin", source, origin);
export const pathKey = (path: string): string => hash("path", path);
export const symbolKey = (symbol: string): string => hash("symbol", symbol);
export const lifeOf = (digest: string, addedAt: Seq, removedAt: Seq): string =>
	hash("life", digest, String(addedAt), String(removedAt));
const MAX_ENDINGS = 32;

function endings(symbol: string | undefined): string[] {
	if (symbol === undefined) return [];
	const parts = symbol.split(".");
	return parts
		.slice(-MAX_ENDINGS)
		.map((_, at, kept) => symbolKey(parts.slice(parts.length - kept.length + at).join(".")));
}

/** A repeat of a write names the same object; another seq, even with the same content, names another one. */
export function chunkId({ source, group, origin, ordinal }: ChunkRecord, seq: Seq): string {
	const hex = sha256(canonicalJson([source, group, origin, ordinal, seq]));
	// The form of a UUID of version 8 (RFC 9562), whose bits are free.
	const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 0x3) | 0x8).toString(16);
	return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

export function storedChunk(record: ChunkRecord, seq: Seq, removedAt: Seq = CURRENT): StoredChunk {
	const digest = chunkRecordDigest(record);
	const searched = searchedTexts(record).map(textTerms);
	const [terms, pathTerms, symbolTerms] = searched.map((some) => some.join(" ")) as [string, string, string];
	const { source, group, origin, path, language = "", kind, symbol } = record;
	return {
		content: contentOf(record),
		origin,
		path,
		language: language === "" ? "" : `l:${language}`,
		kind,
		addedAt: seq,
		removedAt,
		sourceKey: sourceKey(source),
		groupKey: groupKey(group),
		originKey: originKey(source, origin),
		pathKey: pathKey(path),
		symbolKeys: endings(symbol),
		slice: Number.parseInt(chunkId(record, seq).slice(0, 8), 16) % SLICES,
		terms,
		pathTerms,
		symbolTerms,
		length: searched.reduce((sum, some) => sum + some.length, 0),
		digest,
		life: lifeOf(digest, seq, removedAt),
	};
}

/** What hits and records are made of. */
export const CONTENT_PROPERTIES = ["content", "addedAt"] as const;

type Content = Readonly<{ content?: unknown; addedAt?: unknown }>;

/** A JSON array: the client may read hundreds of them for one answer. */
function contentOf(record: ChunkRecord): string {
	const {
		source,
		group,
		origin,
		path,
		language = null,
		kind,
		symbol = null,
		text,
		ordinal,
		startLine,
		endLine,
	} = record;
	return JSON.stringify([source, group, origin, path, language, kind, symbol, text, ordinal, startLine, endLine]);
}

/** Damaged text must change the digest and never stop a verification half-way. */
function contentValues(content: unknown): readonly unknown[] {
	try {
		const values: unknown = JSON.parse(String(content));
		return Array.isArray(values) ? values : [];
	} catch {
		return [];
	}
}

function fields({ content }: Content, model: string): Omit<ChunkRecord, "vector"> {
	const [source, group, origin, path, language, kind, symbol, text, ordinal, startLine, endLine] =
		contentValues(content);
	const asText = (value: unknown) => String(value ?? "");
	const asNumber = (value: unknown) => Number(value ?? -1);
	return {
		source: asText(source),
		group: asText(group),
		model,
		origin: asText(origin),
		path: asText(path),
		...(typeof language === "string" && { language }),
		ordinal: asNumber(ordinal),
		kind: asText(kind) as RecordKind,
		startLine: asNumber(startLine),
		endLine: asNumber(endLine),
		...(typeof symbol === "string" && { symbol }),
		text: asText(text),
	};
}

export const toHit = (id: string, properties: Content, model: string, score: number): ChunkHit => ({
	id,
	addedAt: Number(properties.addedAt ?? -1),
	...fields(properties, model),
	score,
});

export const toRecord = (properties: Content, model: string, vector: readonly number[] | undefined): ChunkRecord => ({
	...fields(properties, model),
	vector: Float32Array.from(vector ?? []),
});

export const byPlace = (a: ChunkHit, b: ChunkHit): number =>
	compareBytes(a.path, b.path) ||
	a.ordinal - b.ordinal ||
	compareBytes(a.source, b.source) ||
	compareBytes(a.group, b.group);
