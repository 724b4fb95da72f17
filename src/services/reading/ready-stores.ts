import { LodeError } from "../../domain/errors.js";
import { EMPTY_SNAPSHOT } from "../../domain/snapshot.js";
import type { ArtifactStore } from "../../stores/artifacts/artifacts.port.js";
import type { Catalog } from "../../stores/catalog/catalog.port.js";
import type { GraphStore } from "../../stores/graph/graph.port.js";
import type { VectorStore } from "../../stores/vectors/vectors.port.js";
import type { ReadyReport } from "../reports.js";

/** A store that does not answer within this time does not serve readers either. Milliseconds. */
const PATIENCE_MS = 5_000;
const NOTHING = { snapshot: EMPTY_SNAPSHOT, sources: [] };

/** Asks each store something small that goes all the way to its engine. Never throws. */
export async function readyStores(ports: {
	readonly catalog: Catalog;
	readonly graph: GraphStore;
	readonly vectors: VectorStore;
	readonly artifacts: ArtifactStore;
}): Promise<ReadyReport> {
	const { catalog, graph, vectors, artifacts } = ports;
	const questions: Readonly<Record<string, () => Promise<unknown>>> = {
		catalog: () => catalog.sources(),
		graph: () => graph.entity(NOTHING, "repository:none"),
		vectors: () => vectors.count(NOTHING),
		artifacts: () => artifacts.get("0".repeat(64)),
	};
	const stores = await Promise.all(
		Object.entries(questions).map(async ([name, ask]) => ({ name, problem: await problemOf(ask) })),
	);
	return { ready: stores.every(({ problem }) => problem === null), stores };
}

async function problemOf(ask: () => Promise<unknown>): Promise<string | null> {
	let timer: NodeJS.Timeout | undefined;
	const late = new Promise<never>((_, reject) => {
		timer = setTimeout(
			() => reject(new LodeError("TIMEOUT", `no answer within ${PATIENCE_MS / 1_000} s`)),
			PATIENCE_MS,
		);
	});
	try {
		await Promise.race([ask(), late]);
		return null;
	} catch (error) {
		const { code, message } = error as { code?: string; message: string };
		return `${code ?? "INTERNAL"}: ${message}`;
	} finally {
		clearTimeout(timer);
	}
}
