import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { canonicalJson, type Json } from "../domain/digest.js";
import { EDGE_KINDS, ENTITY_KINDS } from "../domain/entities.js";
import { fileOrigin } from "../domain/keys.js";
import { type MinedFile, SKIP_REASONS } from "../domain/mined-file.js";
import { packOf, type RecordPack } from "../domain/record-pack.js";

/** Raise when the shape changes: older ones then read as absent and are mined again. */
const FORMAT = 1;
const MAX_DECODED_BYTES = 512 * 1024 * 1024;

/** zstd over canonical JSON: equal mined files give equal bytes. */
export function encodeMinedFile(file: MinedFile): Uint8Array {
	return parcels.get(file)?.bytes ?? encoded(file);
}

function encoded(file: MinedFile): Uint8Array {
	const json = canonicalJson({ format: FORMAT, file: file as unknown as Json });
	return zstdCompressSync(json, {
		params: { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 },
	});
}

/** A mined file on its way out of the thread that mined it. What it says of entities only passes through the thread that takes it. */
export interface MinedParcel {
	/** The file without its states, as JSON. */
	readonly json: string;
	/** As it is archived. */
	readonly bytes: Uint8Array;
	/** Its states as the file's records in the source that it was mined for. */
	readonly records: RecordPack;
}

export function parcelOf(file: MinedFile, source: string): MinedParcel {
	return {
		json: JSON.stringify({ ...file, states: undefined }),
		bytes: encoded(file),
		records: packedStates(file, source),
	};
}

/** Files that came as parcels are neither encoded nor packed again. */
const parcels = new WeakMap<
	MinedFile,
	{ readonly bytes: Uint8Array; readonly source: string; readonly records: RecordPack }
>();

/** The same object that decoding the bytes would give; its states are decoded where somebody asks for them. */
export function unpackParcel({ json, bytes, records }: MinedParcel, source: string): MinedFile {
	const file = JSON.parse(json) as MinedFile;
	let states: MinedFile["states"] | undefined;
	Object.defineProperty(file, "states", {
		enumerable: true,
		configurable: true,
		get() {
			states ??= decodeMinedFile(bytes)?.states ?? [];
			return states;
		},
	});
	parcels.set(file, { bytes, source, records });
	return file;
}

/** What the file states, as records of the source. */
export function packedStates(file: MinedFile, source: string): RecordPack {
	const parcel = parcels.get(file);
	if (parcel?.source === source) return parcel.records;
	const origin = fileOrigin(file.path);
	return packOf(file.states.map((state) => ({ ...state, source, origin })));
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
