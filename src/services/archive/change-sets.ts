import { setImmediate as nextTurn } from "node:timers/promises";
import pLimit from "p-limit";
import { canonicalJson, type Json, sameTally, type Tally, TallyBuilder, tallyOf } from "../../domain/digest.js";
import { type GraphRecord, graphRecordDigest } from "../../domain/entities.js";
import { errorCode, LodeError } from "../../domain/errors.js";
import { originPath } from "../../domain/keys.js";
import { type ChunkRecord, chunkRecordDigest } from "../../domain/mined-file.js";
import { originEntryDigest } from "../../domain/origin-entry.js";
import type { Snapshot } from "../../domain/snapshot.js";
import type { Catalog, Ingestion, OriginEntry, StoreTotals } from "../../stores/catalog/catalog.port.js";
import type { GraphStore } from "../../stores/graph/graph.port.js";
import type { VectorStore } from "../../stores/vectors/vectors.port.js";
import { changedPages } from "../changed-pages.js";
import { getLines, padded, putLines, type RecordStore } from "./record-lines.js";

/** Raise with whatever decides where a part ends: parts of two rules must never mix. */
const FORMAT = "v1";
const ENTRIES_A_PAGE = 500;
const LINE_BYTES = 1024 * 1024;
const PART_BYTES = 3 * 1024 * 1024;
const READS_AT_ONCE = 16;

/**
 * Embeddings of one file in one group, in the order of the mined file's chunks, `from` the how-manieth on: unit vectors, Float32 little-endian
 * in base64. Those of a large file are several lines.
 */
export interface ArchivedVectors {
	readonly group: string;
	readonly model: string;
	readonly from: number;
	readonly vectors: readonly string[];
}

/**
 * What an ingestion added or retired, a line each. Of files the graph's records and the chunks' texts are those of the mined file, which the
 * archive keeps as long as the entry; of everything else the graph's records are here.
 */
export type ChangeLine =
	| {
			readonly entry: OriginEntry;
			readonly graph?: readonly GraphRecord[];
			/** Whole: what commits say is in no mined file. */
			readonly chunks?: readonly ArchivedChunk[];
	  }
	/** Of the entry before it. */
	| { readonly vectors: ArchivedVectors }
	| { readonly retired: string };

/** A chunk that is not of a file. `vector` as in `ArchivedVectors`. */
export type ArchivedChunk = Omit<ChunkRecord, "vector"> & { readonly vector: string };

/** An entry with all lines that belong to it. */
export interface ArchivedEntry {
	readonly entry: OriginEntry;
	readonly graph: readonly GraphRecord[];
	readonly chunks: readonly ArchivedChunk[];
	readonly vectors: readonly ArchivedVectors[];
}

export interface ChangeSetPorts {
	readonly catalog: Catalog;
	readonly graph: GraphStore;
	readonly vectors: VectorStore;
	readonly artifacts: RecordStore;
}

const prefixOf = (source: string): string => `changes/${source}/`;

/**
 * Writes what a published ingestion changed into the archive, each origin held against the manifest first.
 * @throws STORE_CORRUPT where a store does not hold what was published
 */
export async function putChangeSet(
	ports: ChangeSetPorts,
	ingestion: Ingestion,
	published: { readonly snapshot: Snapshot; readonly added: StoreTotals; readonly retired: StoreTotals },
	progress: () => void,
): Promise<void> {
	const { catalog } = ports;
	const { source, seq } = ingestion;
	const writer = new PartWriter(ports.artifacts, `${prefixOf(source)}${padded(seq)}/${FORMAT}-`);
	const limit = pLimit(READS_AT_ONCE);
	const sums = { added: new TallyBuilder(), retired: new TallyBuilder() };
	for await (const entries of changedPages(catalog, seq, "added", { size: ENTRIES_A_PAGE })) {
		for (const entry of entries) sums.added.add(originEntryDigest(entry));
		const lines = await Promise.all(
			entries.map((entry) => limit(() => added(ports, ingestion, published.snapshot, entry))),
		);
		for (const line of lines.flat()) await writer.add(line);
		progress();
	}
	for await (const entries of changedPages(catalog, seq, "retired", { size: ENTRIES_A_PAGE })) {
		for (const entry of entries) sums.retired.add(originEntryDigest(entry));
		for (const { origin } of entries) await writer.add({ retired: origin });
		progress();
	}
	await writer.end();

	// What no kept snapshot shows may be collected already, where the archiver began after that.
	if (await isExpired(catalog, ingestion.snapshot, source)) return;
	refuseDifference(ingestion, "added", sums.added.build(), published.added.catalog);
	const base = ingestion.baseSeq === undefined ? undefined : await catalog.ingestion(`ing-${ingestion.baseSeq}`);
	if (base && (await isExpired(catalog, base.snapshot, source))) return;
	refuseDifference(ingestion, "retired", sums.retired.build(), published.retired.catalog);
}

/** Everything of a source that is gone for good. */
export function removeChangeSets(records: RecordStore, source: string): Promise<void> {
	return records.removeRecords(prefixOf(source));
}

/** In the order in which they were written. @throws STORE_CORRUPT */
export async function* readChangeSet(records: RecordStore, source: string, seq: number): AsyncGenerator<ChangeLine> {
	for (const key of await records.recordKeys(`${prefixOf(source)}${padded(seq)}/`))
		for (const line of await getLines(records, key)) yield line as ChangeLine;
}

/** The same, with the lines of an entry together. @throws STORE_CORRUPT */
export async function* readArchivedEntries(
	records: RecordStore,
	source: string,
	seq: number,
): AsyncGenerator<ArchivedEntry> {
	let entry: (ArchivedEntry & { vectors: ArchivedVectors[] }) | undefined;
	for await (const line of readChangeSet(records, source, seq)) {
		if ("vectors" in line) entry?.vectors.push(line.vectors);
		else {
			if (entry) yield entry;
			entry = "entry" in line ? { graph: [], chunks: [], ...line, vectors: [] } : undefined;
		}
	}
	if (entry) yield entry;
}

async function added(
	{ graph, vectors }: ChangeSetPorts,
	{ source }: Ingestion,
	snapshot: Snapshot,
	entry: OriginEntry,
): Promise<ChangeLine[]> {
	// Stores in files answer at once: without a turn for others a page of these would hold up every commit of this worker for half a second.
	await nextTurn();
	const { origin } = entry;
	const isFile = originPath(origin) !== undefined;
	const states = isFile || entry.graph.count === 0 ? [] : await graph.records(snapshot, source, origin);
	if (!isFile) refuseOther("graph", origin, tallyOf(states.map(graphRecordDigest)), entry.graph);
	const chunks = entry.vectors.count === 0 ? [] : await vectors.records(snapshot, source, origin);
	refuseOther("vectors", origin, tallyOf(chunks.map(chunkRecordDigest)), entry.vectors);
	const line = { entry, ...(states.length > 0 && { graph: states }) };
	if (isFile) return [line, ...archivedVectors(chunks).map((vectors) => ({ vectors }))];
	if (chunks.length === 0) return [line];
	return [{ ...line, chunks: chunks.map((chunk) => ({ ...chunk, vector: encodeVector(chunk.vector) })) }];
}

const encodeVector = (vector: Float32Array): string =>
	Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString("base64");

export function decodeVector(text: string): Float32Array {
	const bytes = Uint8Array.from(Buffer.from(text, "base64"));
	return new Float32Array(bytes.buffer, 0, bytes.byteLength / Float32Array.BYTES_PER_ELEMENT);
}

function archivedVectors(chunks: readonly ChunkRecord[]): ArchivedVectors[] {
	const lines: (ArchivedVectors & { vectors: string[] })[] = [];
	let bytes = 0;
	// Ordered by group: the chunks of one follow each other.
	for (const { group, model, vector } of chunks) {
		const before = lines.at(-1);
		const same = before?.group === group && before.model === model;
		let line = before;
		if (!line || !same || bytes >= LINE_BYTES) {
			line = { group, model, from: same ? before.from + before.vectors.length : 0, vectors: [] };
			lines.push(line);
			bytes = 0;
		}
		line.vectors.push(encodeVector(vector));
		bytes += vector.byteLength;
	}
	return lines;
}

async function isExpired(catalog: Catalog, number: number | undefined, source: string): Promise<boolean> {
	try {
		await catalog.snapshot({ by: "number", number: number ?? 0 }, [source]);
		return false;
	} catch (error) {
		if (errorCode(error) === "SNAPSHOT_EXPIRED") return true;
		throw error;
	}
}

function refuseOther(store: string, origin: string, found: Tally, expected: Tally): void {
	if (sameTally(found, expected)) return;
	throw new LodeError("STORE_CORRUPT", `${store}: what it holds of ${origin} is not what was published`, {
		next: "lode verify",
	});
}

function refuseDifference({ id }: Ingestion, what: string, found: Tally, expected: Tally): void {
	if (sameTally(found, expected)) return;
	throw new LodeError("STORE_CORRUPT", `catalog: the entries that ${id} ${what} are not those that were published`, {
		next: "lode verify",
	});
}

/** Cuts lines into records of some megabytes. The same lines give the same parts, so a repeat writes nothing anew. */
class PartWriter {
	#lines: string[] = [];
	#bytes = 0;
	#parts = 0;

	constructor(
		private readonly records: RecordStore,
		private readonly key: string,
	) {}

	async add(line: ChangeLine): Promise<void> {
		const text = canonicalJson(line as unknown as Json);
		this.#lines.push(text);
		this.#bytes += text.length;
		if (this.#bytes >= PART_BYTES) await this.#flush();
	}

	async end(): Promise<void> {
		if (this.#lines.length > 0) await this.#flush();
	}

	async #flush(): Promise<void> {
		await putLines(this.records, `${this.key}${padded(this.#parts++)}`, this.#lines);
		this.#lines = [];
		this.#bytes = 0;
	}
}
