import type { EdgeKind, EntityKey } from "../../domain/entities.js";
import type { GraphScope, GraphStore, Neighbour } from "../../stores/graph/graph.port.js";

/** Which edges a walk follows, by the end that it stands on. */
export interface Steps {
	/** Edges that leave. Empty: none; undefined: of every kind. */
	readonly out?: readonly EdgeKind[];
	/** Edges that arrive. */
	readonly in?: readonly EdgeKind[];
}

export interface WalkedEdge extends Neighbour {
	/** Steps from the start; 1 is the nearest. */
	readonly depth: number;
}

export interface Walked {
	/** Nearest first. */
	readonly edges: readonly WalkedEdge[];
	/** Every entity that was reached, the start too, by its distance. */
	readonly reached: ReadonlyMap<EntityKey, number>;
	/** There is more than the bounds allowed. */
	readonly truncated: boolean;
}

export interface Bounds {
	readonly depth: number;
	/** Edges in all. */
	readonly limit: number;
}

/** A key with more edges than this is a hub: the rest of them tells little. */
export const EDGES_A_KEY = 200;
/** Keys that one question to the graph names. */
const KEYS_A_QUESTION = 500;

type Graph = Pick<GraphStore, "neighbours">;

/** Breadth first, a question a layer and direction. */
export async function walk(
	graph: Graph,
	scope: GraphScope,
	start: readonly EntityKey[],
	steps: Steps,
	{ depth: deepest, limit }: Bounds,
): Promise<Walked> {
	const reached = new Map<EntityKey, number>(start.map((key) => [key, 0]));
	const edges: WalkedEdge[] = [];
	const seen = new Set<string>();
	let frontier: EntityKey[] = [...reached.keys()];
	let truncated = false;
	for (let depth = 1; depth <= deepest && frontier.length > 0; depth++) {
		const found = await around(graph, scope, frontier, steps);
		truncated ||= found.truncated;
		frontier = [];
		for (const { edge, other } of found.edges) {
			const id = edgeId(edge);
			if (seen.has(id)) continue;
			if (edges.length >= limit) return { edges, reached, truncated: true };
			seen.add(id);
			edges.push({ ...edge, depth });
			if (reached.has(other)) continue;
			reached.set(other, depth);
			frontier.push(other);
		}
	}
	return { edges, reached, truncated };
}

export const edgeId = ({ from, kind, to }: Neighbour): string => `${from}\0${kind}\0${to}`;

/** The edges of these keys, and the key at the other end of each. */
export async function around(
	graph: Graph,
	scope: GraphScope,
	keys: readonly EntityKey[],
	steps: Steps,
): Promise<{ edges: { edge: Neighbour; other: EntityKey }[]; truncated: boolean }> {
	const questions = (["out", "in"] as const).flatMap((direction) => {
		const kinds = direction === "out" ? steps.out : steps.in;
		if (kinds?.length === 0) return [];
		const slices = Array.from({ length: Math.ceil(keys.length / KEYS_A_QUESTION) }, (_, at) =>
			keys.slice(at * KEYS_A_QUESTION, (at + 1) * KEYS_A_QUESTION),
		);
		return slices.map(async (slice) => {
			const found = await graph.neighbours(scope, { keys: slice, direction, kinds, limit: EDGES_A_KEY });
			return found.map((edge) => ({ edge, other: direction === "out" ? edge.to : edge.from, direction }));
		});
	});
	const edges = (await Promise.all(questions)).flat();
	const counts = new Map<string, number>();
	for (const { edge, direction } of edges) {
		const asked = `${direction} ${direction === "out" ? edge.from : edge.to}`;
		counts.set(asked, (counts.get(asked) ?? 0) + 1);
	}
	return { edges, truncated: [...counts.values()].some((count) => count >= EDGES_A_KEY) };
}
