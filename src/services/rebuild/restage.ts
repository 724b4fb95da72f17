import pLimit from "p-limit";
import { sameTally, tallyOf } from "../../domain/digest.js";
import { type GraphRecord, graphRecordDigest } from "../../domain/entities.js";
import { LodeError } from "../../domain/errors.js";
import { originPath } from "../../domain/keys.js";
import { type ChunkRecord, chunkRecordDigest, type MinedFile } from "../../domain/mined-file.js";
import { decodeMinedFile } from "../../mining/mined-file-codec.js";
import type { ArtifactStore } from "../../stores/artifacts/artifacts.port.js";
import type { Catalog, Ingestion, OriginEntry } from "../../stores/catalog/catalog.port.js";
import type { GraphStore } from "../../stores/graph/graph.port.js";
import type { VectorStore } from "../../stores/vectors/vectors.port.js";
import { type ArchivedEntry, type ArchivedVectors, decodeVector, readArchivedEntries } from "../archive/change-sets.js";
import { changedPages } from "../changed-pages.js";

export interface RestagePorts {
	readonly catalog: Catalog;
	readonly graph: GraphStore;
	readonly vectors: VectorStore;
	readonly artifacts: ArtifactStore;
}

const RECORDS_A_WRITE = 500;
const PAGE = 1_000;
const READS_AT_ONCE = 8;

/** Empties the graph and fills it from the archive, publication by publication, with the seqs that the records had. @throws STORE_CORRUPT */
export async function restageGraph(ports: RestagePorts, published: readonly Ingestion[], progress: Progress) {
	await ports.graph.clear();
	for (const { seq, source, id } of published) {
		await retireAnew(ports, ports.graph, seq, source);
		await stageAnew<GraphRecord>(ports, seq, source, graphOf, (records) => ports.graph.stage(seq, records));
		progress(`graph: ${id} of ${source}`);
	}
}

/** The same for the chunks: nothing is embedded anew. @throws STORE_CORRUPT */
export async function restageVectors(ports: RestagePorts, published: readonly Ingestion[], progress: Progress) {
	await ports.vectors.clear();
	for (const { seq, source, id } of published) {
		await retireAnew(ports, ports.vectors, seq, source);
		await stageAnew<ChunkRecord>(ports, seq, source, chunksOf, (records) => ports.vectors.stage(seq, records));
		progress(`vectors: ${id} of ${source}`);
	}
}

type Progress = (done: string) => void;
type Read<T> = (ports: RestagePorts, source: string, archived: ArchivedEntry) => Promise<readonly T[]>;

async function retireAnew(
	{ catalog }: RestagePorts,
	store: Pick<GraphStore | VectorStore, "retire">,
	seq: number,
	source: string,
): Promise<void> {
	for await (const entries of changedPages(catalog, seq, "retired", { size: PAGE }))
		await store.retire(
			seq,
			source,
			entries.map(({ origin }) => origin),
		);
}

async function stageAnew<T>(
	ports: RestagePorts,
	seq: number,
	source: string,
	read: Read<T>,
	stage: (records: readonly T[]) => Promise<void>,
): Promise<void> {
	const kept = await keptOrigins(ports.catalog, seq);
	const limit = pLimit(READS_AT_ONCE);
	let waiting: Promise<readonly T[]>[] = [];
	let records: T[] = [];
	const gather = async () => {
		for (const some of await Promise.all(waiting)) records.push(...some);
		waiting = [];
		for (; records.length >= RECORDS_A_WRITE; records = records.slice(RECORDS_A_WRITE))
			await stage(records.slice(0, RECORDS_A_WRITE));
	};
	for await (const archived of readArchivedEntries(ports.artifacts, source, seq)) {
		if (!kept.has(archived.entry.origin)) continue;
		waiting.push(limit(() => read(ports, source, archived)));
		if (waiting.length >= 8 * READS_AT_ONCE) await gather();
	}
	await gather();
	if (records.length > 0) await stage(records);
}

/** What no kept snapshot shows any more is in the archive's change sets, but not in the catalog, and its bytes may be gone. */
async function keptOrigins(catalog: Catalog, seq: number): Promise<Set<string>> {
	const kept = new Set<string>();
	for await (const entries of changedPages(catalog, seq, "added", { size: PAGE }))
		for (const { origin } of entries) kept.add(origin);
	return kept;
}

async function graphOf({ artifacts }: RestagePorts, source: string, { entry, graph }: ArchivedEntry) {
	const { origin } = entry;
	const records = entry.file
		? (await minedOf(artifacts, entry)).states.map((state): GraphRecord => ({ ...state, source, origin }))
		: graph;
	if (!sameTally(tallyOf(records.map(graphRecordDigest)), entry.graph)) throw differs("graph", origin);
	return records;
}

async function chunksOf({ artifacts }: RestagePorts, source: string, { entry, chunks, vectors }: ArchivedEntry) {
	const { origin } = entry;
	if (entry.vectors.count === 0) return [];
	const records: ChunkRecord[] = entry.file
		? []
		: chunks.map((chunk) => ({ ...chunk, vector: decodeVector(chunk.vector) }));
	// Lines of one group follow each other, so that each mined form is read once.
	let before: { key: string; mined: MinedFile } | undefined;
	for (const some of entry.file ? vectors : []) {
		const key = entry.file?.minedBy?.[some.group] ?? entry.file?.mined ?? "";
		if (before?.key !== key) before = { key, mined: await minedOf(artifacts, entry, key) };
		records.push(...chunkRecords(before.mined, { source, origin }, some));
	}
	if (!sameTally(tallyOf(records.map(chunkRecordDigest)), entry.vectors)) throw differs("vectors", origin);
	return records;
}

function chunkRecords(
	mined: MinedFile,
	place: { readonly source: string; readonly origin: string },
	{ group, model, from, vectors }: ArchivedVectors,
): ChunkRecord[] {
	return vectors.flatMap((text, at) => {
		const chunk = mined.chunks[from + at];
		if (chunk === undefined) return [];
		const vector = decodeVector(text);
		return [{ ...chunk, ...place, group, model, path: mined.path, language: mined.language, vector }];
	});
}

async function minedOf(artifacts: ArtifactStore, { origin, file }: OriginEntry, key = file?.mined): Promise<MinedFile> {
	const bytes = key === undefined ? undefined : await artifacts.getDerived(key);
	const mined = bytes && decodeMinedFile(bytes);
	if (mined && mined.path === originPath(origin)) return mined;
	throw new LodeError("STORE_CORRUPT", `archive: the mined form of ${origin} is missing or damaged`, {
		next: "Restore the archive from a copy of it, or ingest the sources anew into an empty home.",
	});
}

function differs(store: string, origin: string): LodeError {
	return new LodeError(
		"STORE_CORRUPT",
		`archive: what it holds of ${origin} for the ${store} is not what was published`,
		{
			next: "Restore the archive from a copy of it, or ingest the sources anew into an empty home.",
		},
	);
}
