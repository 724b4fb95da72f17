import { sha256, tallyOf } from "../../src/domain/digest.js";
import type { Group } from "../../src/domain/group.js";
import { fileOrigin, folderOrigin } from "../../src/domain/keys.js";
import type { Snapshot } from "../../src/domain/snapshot.js";
import type {
	BeginResult,
	Catalog,
	Ingestion,
	IngestionStats,
	OriginEntry,
	Source,
} from "../../src/stores/catalog/catalog.port.js";

/** A clock that a test sets; it stands still otherwise. */
export class TestClock {
	#ms = Date.UTC(2026, 0, 1);

	readonly now = (): string => new Date(this.#ms).toISOString();

	advance(seconds: number): string {
		this.#ms += seconds * 1_000;
		return this.now();
	}
}

export const STATS: IngestionStats = {
	files: { added: 1, changed: 2, removed: 3, failed: 0 },
	entities: 4,
	chunks: 5,
	embedded: 6,
	reused: 7,
};

export function fileEntry(path: string, version = 1): OriginEntry {
	const artifact = sha256(`${path} ${version}`);
	return {
		origin: fileOrigin(path),
		graph: tallyOf([sha256(`graph ${artifact}`)]),
		vectors: tallyOf([sha256(`chunk 0 ${artifact}`), sha256(`chunk 1 ${artifact}`)]),
		file: {
			artifact,
			blob: artifact.slice(0, 40),
			mode: "file",
			size: 100 + version,
			mediaType: "text/plain",
			chunks: 2,
			mined: `mined/${artifact}`,
			skips: [],
		},
	};
}

export function folderEntry(path: string): OriginEntry {
	return {
		origin: folderOrigin(path),
		graph: tallyOf([sha256(`folder ${path}`)]),
		vectors: tallyOf([]),
	};
}

export const newSource = (id: string): Omit<Source, "createdAt"> => ({
	id,
	kind: "git",
	address: `https://example.org/${id}.git`,
	branch: "main",
	policy: "every",
});

export const newGroup = (source: string, name = "default", retention: Group["retention"] = {}): Group => ({
	source,
	name,
	path: "",
	include: ["**"],
	exclude: [],
	grouping: "file",
	rules: [],
	indexing: { model: "lexical-v1-384", chunkSize: 1_200, overlap: 150 },
	retention,
});

export async function addSource(catalog: Catalog, id: string, retention: Group["retention"] = {}): Promise<string> {
	await catalog.putSource(newSource(id), newGroup(id, "default", retention));
	return id;
}

let runs = 0;

export function beginning(catalog: Catalog, source: string, commit: string, recipe = "recipe-1"): Promise<BeginResult> {
	const workflowId = `ingest/${source}/${commit}`;
	return catalog.begin({ source, commit, recipe, workflowId, runId: `run-${++runs}` });
}

export async function started(catalog: Catalog, source: string, commit: string, recipe?: string): Promise<Ingestion> {
	const result = await beginning(catalog, source, commit, recipe);
	if (result.outcome !== "started") throw new Error(`expected a start, got ${result.outcome}`);
	return result.ingestion;
}

/** Replaces these files (version 0 removes one) in one batch and publishes. */
export async function ingest(
	catalog: Catalog,
	source: string,
	commit: string,
	files: Readonly<Record<string, number>>,
): Promise<{ ingestion: Ingestion; snapshot: Snapshot }> {
	const { seq } = await started(catalog, source, commit);
	await catalog.recordBatch(seq, {
		batch: "0",
		retired: Object.keys(files).map(fileOrigin),
		entries: Object.entries(files)
			.filter(([, version]) => version > 0)
			.map(([path, version]) => fileEntry(path, version)),
	});
	return catalog.publish(seq, STATS);
}

/** What a snapshot shows of a source: origin → artifact. */
export async function shown(catalog: Catalog, snapshot: Snapshot, source: string): Promise<Record<string, string>> {
	const entries = await catalog.entries(snapshot, source, undefined, 1_000);
	return Object.fromEntries(entries.map((entry) => [entry.origin, entry.file?.artifact ?? ""]));
}

export const showing = (files: Readonly<Record<string, number>>): Record<string, string> =>
	Object.fromEntries(
		Object.entries(files).map(([path, version]) => [fileOrigin(path), fileEntry(path, version).file?.artifact ?? ""]),
	);
