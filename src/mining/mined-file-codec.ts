import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { canonicalJson, type Json } from "../domain/digest.js";
import { EDGE_KINDS, ENTITY_KINDS } from "../domain/entities.js";
import { type MinedFile, SKIP_REASONS } from "../domain/mined-file.js";

/** Raise when the shape changes: older ones then read as absent and are mined again. */
const FORMAT = 1;
const MAX_DECODED_BYTES = 512 * 1024 * 1024;

/** zstd over canonical JSON: equal mined files give equal bytes. */
export function encodeMinedFile(file: MinedFile): Uint8Array {
	return encoded.get(file) ?? parcelOf(file).bytes;
}

/** A mined file on its way out of the thread that mined it: as it is archived, and as text for whoever reads it next. */
export interface MinedParcel {
	readonly json: string;
	readonly bytes: Uint8Array;
}

export function parcelOf(file: MinedFile): MinedParcel {
	const json = canonicalJson({ format: FORMAT, file: file as unknown as Json });
	const bytes = zstdCompressSync(json, {
		params: { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 },
	});
	return { json, bytes };
}

/** Files that came as parcels are not encoded again. */
const encoded = new WeakMap<MinedFile, Uint8Array>();

/** The same object that decoding the bytes would give. */
export function unpackParcel({ json, bytes }: MinedParcel): MinedFile {
	const { file } = JSON.parse(json) as { file: MinedFile };
	encoded.set(file, bytes);
	return file;
}

/** Undefined where the bytes are damaged or of another format: the caller mines again. */
export function decodeMinedFile(bytes: Uint8Array): MinedFile | undefined {
	let value: unknown;
	try {
		value = JSON.parse(zstdDecompressSync(bytes, { maxOutputLength: MAX_DECODED_BYTES }).toString("utf8"));
	} catch {
		return undefined;
	}
	if (!isObject(value) || value.format !== FORMAT) return undefined;
	return isMinedFile(value.file) ? value.file : undefined;
}

function isMinedFile(value: unknown): value is MinedFile {
	return (
		isObject(value) &&
		typeof value.path === "string" &&
		typeof value.artifact === "string" &&
		/^[0-9a-f]{64}$/.test(value.artifact) &&
		isCount(value.size) &&
		isCount(value.lines) &&
		typeof value.mediaType === "string" &&
		isOptionalString(value.language) &&
		isArrayOf(value.chunks, isChunk) &&
		isArrayOf(value.states, isState) &&
		isArrayOf(value.skips, isSkip)
	);
}

function isChunk(value: unknown, index: number): boolean {
	return (
		isObject(value) &&
		value.ordinal === index &&
		typeof value.kind === "string" &&
		isCount(value.startLine) &&
		isCount(value.endLine) &&
		isOptionalString(value.symbol) &&
		typeof value.text === "string"
	);
}

function isState(value: unknown): boolean {
	return (
		isObject(value) &&
		typeof value.key === "string" &&
		KINDS.has(value.kind) &&
		typeof value.name === "string" &&
		isObject(value.props) &&
		isArrayOf(value.edges, (edge) => isObject(edge) && EDGES.has(edge.kind) && typeof edge.to === "string") &&
		isArrayOf(value.provides, (named) => isObject(named) && typeof named.name === "string" && isCount(named.rank))
	);
}

function isSkip(value: unknown): boolean {
	return isObject(value) && REASONS.has(value.reason) && typeof value.detail === "string";
}

const KINDS: ReadonlySet<unknown> = new Set(ENTITY_KINDS);
const EDGES: ReadonlySet<unknown> = new Set(EDGE_KINDS);
const REASONS: ReadonlySet<unknown> = new Set(SKIP_REASONS);

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isOptionalString = (value: unknown): boolean => value === undefined || typeof value === "string";
const isArrayOf = (value: unknown, check: (item: unknown, index: number) => boolean): boolean =>
	Array.isArray(value) && value.every(check);

function isObject(value: unknown): value is Record<string, unknown> {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}
