import type { TestWorkflowEnvironment } from "@temporalio/testing";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Stores } from "../../src/activities/ports.js";
import { fileKey } from "../../src/domain/keys.js";
import type { Snapshot } from "../../src/domain/snapshot.js";
import { readManifest } from "../../src/stores/artifacts/manifest.js";
import { openStores } from "../../src/wiring.js";
import { LodeInstance } from "../support/lode-instance.js";
import { temporalEnvironment } from "../support/temporal-environment.js";
import { type VersionedRepository, versionedRepository } from "../support/versioned-repository.js";

const PUBLISHES = 20;
const READS = 1_000;
const FILES = 12;

type StoreName = "catalog" | "graph" | "vectors" | "artifacts";

/** Without its filter a store shows what is newest, committed or not. */
const UNFILTERED = { seq: Number.MAX_SAFE_INTEGER, excluding: [] };

/** Which versions of the repository each store shows in a snapshot. `broken`: that store ignores the snapshot. */
async function versionsSeen(stores: Stores, source: string, snapshot: Snapshot, broken?: StoreName) {
	const seenBy = (name: StoreName): Snapshot => (name === broken ? { ...snapshot, ...UNFILTERED } : snapshot);
	const seen: Record<StoreName, Set<string>> = {
		catalog: new Set(),
		graph: new Set(),
		vectors: new Set(),
		artifacts: new Set(),
	};
	const entries = await stores.catalog.entries(seenBy("catalog"), source, "file:", 1_000);
	const artifacts = new Set<string>();
	for (const { file } of entries) if (file) artifacts.add(file.artifact);

	const chunks = await stores.vectors.searchText("marker", { snapshot: seenBy("vectors"), sources: [source] }, 1_000);
	for (const { text } of chunks) seen.vectors.add(/version_(\d+)/.exec(text)?.[1] ?? "none");

	const scope = { snapshot: seenBy("graph"), sources: [source] };
	const graphArtifacts = new Set<string>();
	for (let file = 0; file < FILES; file++) {
		const entity = await stores.graph.entity(scope, fileKey(source, `f${file}.txt`));
		if (entity) graphArtifacts.add(String(entity.props.artifact));
	}
	const root = await stores.artifacts.root(seenBy("artifacts"), source);
	const manifest = new Set<string>();
	if (root) for await (const { object } of readManifest(stores.artifacts, root.object)) manifest.add(object);
	for (const [name, objects] of [
		["catalog", artifacts],
		["graph", graphArtifacts],
		["artifacts", manifest],
	] as const) {
		for (const object of objects) {
			const bytes = await stores.artifacts.get(object);
			seen[name].add(/version_(\d+)/.exec(Buffer.from(bytes ?? []).toString())?.[1] ?? "none");
		}
	}
	return {
		seen,
		counts: { entries: artifacts.size, chunks: chunks.length, graph: graphArtifacts.size, manifest: manifest.size },
	};
}

/** Real: Temporal server, worker, all stores, git; the reader has connections of its own. */
describe("a reader during ingestions", () => {
	let environment: TestWorkflowEnvironment;
	let lode: LodeInstance;
	let repository: VersionedRepository;
	beforeAll(async () => {
		environment = await temporalEnvironment();
	});
	afterAll(() => environment?.teardown());
	beforeEach(async () => {
		lode = await LodeInstance.open(environment);
		repository = await versionedRepository({ files: FILES, versions: PUBLISHES + 1 });
	});
	afterEach(async () => {
		await lode.close();
		await repository.remove();
	});

	/** Reads all the time while 20 commits are published; returns how many reads saw a mix. */
	async function mixesSeen(broken?: StoreName): Promise<{ reads: number; mixes: number; snapshots: number }> {
		const first = await lode.ingest(repository.path, repository.commits[0]);
		const reader = await openStores(lode.config);
		const snapshots = new Set<number>();
		let reads = 0;
		let mixes = 0;
		let publishing = true;
		const reading = (async () => {
			while (publishing || reads < READS) {
				const snapshot = await reader.value.catalog.snapshot({ by: "latest" });
				const { seen, counts } = await versionsSeen(reader.value, first.source, snapshot, broken);
				const versions = new Set(Object.values(seen).flatMap((set) => [...set]));
				const head = await reader.value.catalog.head(snapshot, first.source);
				const expected = String(repository.commits.indexOf(head?.commit ?? ""));
				const complete = Object.values(counts).every((count) => count === FILES);
				if (versions.size !== 1 || !versions.has(expected) || !complete) mixes += 1;
				snapshots.add(snapshot.number);
				reads += 1;
				await new Promise((resolve) => setImmediate(resolve));
			}
		})();
		try {
			for (const commit of repository.commits.slice(1)) await lode.ingest(repository.path, commit);
		} finally {
			publishing = false;
			await reading;
			await reader.close();
		}
		return { reads, mixes, snapshots: snapshots.size };
	}

	test(`sees the old or the new state in full, never a mix (${READS} reads over ${PUBLISHES} publishes)`, async () => {
		const { reads, mixes, snapshots } = await mixesSeen();
		expect(mixes).toBe(0);
		expect(reads).toBeGreaterThanOrEqual(READS);
		expect(snapshots).toBeGreaterThan(PUBLISHES / 2);
	}, 240_000);

	test.each(["catalog", "graph", "vectors", "artifacts"] as const)(
		"the check notices when %s loses its filter",
		async (store) => {
			const first = await lode.ingest(repository.path, repository.commits[0]);
			const before = await lode.ports.catalog.snapshot({ by: "latest" });
			await lode.ingest(repository.path, repository.commits[1]);
			const whole = await versionsSeen(lode.ports, first.source, before);
			expect(new Set(Object.values(whole.seen).flatMap((set) => [...set]))).toEqual(new Set(["0"]));
			const { seen } = await versionsSeen(lode.ports, first.source, before, store);
			expect(new Set(Object.values(seen).flatMap((set) => [...set])).size).toBeGreaterThan(1);
		},
	);
});
