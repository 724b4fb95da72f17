import { expect, test } from "vitest";
import { EMPTY_SNAPSHOT } from "../../domain/snapshot.js";
import type { ArtifactStore } from "../../stores/artifacts/artifacts.port.js";
import type { Catalog } from "../../stores/catalog/catalog.port.js";
import type { EventStore } from "../../stores/events/events.port.js";
import type { GraphStore } from "../../stores/graph/graph.port.js";
import type { VectorStore } from "../../stores/vectors/vectors.port.js";
import { scopedCatalog } from "./scoped-catalog.js";
import { scopedEvents } from "./scoped-events.js";
import { scopedArtifacts, scopedGraph, scopedVectors } from "./scoped-stores.js";

/** Stand in: the stores, which say what they are asked. What use cases ask of real ones is tried in access.int.spec.ts. */
const VISIBLE = new Set(["ours"]);
const asked: unknown[] = [];
const recording = <T extends object>(): T =>
	new Proxy({} as T, {
		get:
			() =>
			async (...args: unknown[]) => {
				asked.push(args.find((arg) => typeof arg === "object" && arg !== null && "snapshot" in arg));
				return [];
			},
	});
const snapshot = EMPTY_SNAPSHOT;

test("whatever sources a question names, it reaches the graph and the vectors with those that may be seen", async () => {
	const graph = scopedGraph(recording<GraphStore>(), VISIBLE);
	const vectors = scopedVectors(recording<VectorStore>(), VISIBLE);
	for (const [sources, reached] of [
		[undefined, ["ours"]],
		[["ours", "other"], ["ours"]],
		[["other"], []],
	] as const) {
		const scope = { snapshot, ...(sources && { sources: [...sources] }) };
		asked.length = 0;
		await graph.entity(scope, "k");
		await graph.entities(scope, { limit: 1 });
		await graph.entitiesByKey(scope, ["k"]);
		await graph.neighbours(scope, { keys: ["k"], direction: "out", limit: 1 });
		await graph.countByKind(scope);
		await vectors.searchText("t", scope, 1);
		await vectors.searchVector("m", new Float32Array(1), scope, 1);
		await vectors.searchSymbol("s", scope, 1);
		await vectors.firstChunks(scope, []);
		await vectors.chunksOf(scope, [], 1);
		await vectors.models(scope);
		await vectors.count(scope);
		expect(asked).toEqual(Array(12).fill({ snapshot, sources: reached }));
	}
	asked.length = 0;
	expect(await graph.changes("other", snapshot, snapshot, undefined, 1)).toEqual([]);
	expect(await scopedArtifacts(recording<ArtifactStore>(), VISIBLE).root(snapshot, "other")).toBeUndefined();
	expect(asked).toEqual([]);
});

test("what nobody has thought of fails, and shows nothing", () => {
	const ports = [
		scopedCatalog(recording<Catalog>(), VISIBLE),
		scopedEvents(recording<EventStore>(), VISIBLE),
		scopedGraph(recording<GraphStore>(), VISIBLE),
		scopedVectors(recording<VectorStore>(), VISIBLE),
		scopedArtifacts(recording<ArtifactStore>(), VISIBLE),
	] as unknown as Record<string, () => unknown>[];
	for (const port of ports) {
		for (const method of ["stage", "putSource", "append", "records", "tally", "references", "dropSource"]) {
			expect(() => port[method]?.()).toThrow(/is not for readers of some sources only/);
		}
	}
});
