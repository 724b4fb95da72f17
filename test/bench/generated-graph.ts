import type { Edge, GraphRecord } from "../../src/domain/entities.js";
import { seededNumbers } from "../support/seeded-vectors.js";

const EDGES = 3;

/** Functions in files that call earlier ones, near and far: what a code base looks like from here. */
export function generated(count: number): GraphRecord[] {
	const next = seededNumbers(5);
	const key = (n: number) => `symbol:bench:src/p${Math.floor(n / 200)}/f${Math.floor(n / 10)}.ts#function${n}`;
	return Array.from({ length: count }, (_, n) => {
		const callees = new Set<number>();
		while (callees.size < Math.min(EDGES, n)) {
			const reach = next() < 0.7 ? 50 : n;
			callees.add(Math.max(0, n - 1 - Math.floor(next() * reach)));
		}
		const file = Math.floor(n / 10);
		return {
			source: "bench",
			origin: `file:src/p${Math.floor(n / 200)}/f${file}.ts`,
			key: key(n),
			kind: "symbol",
			name: `function${n}`,
			props: {
				line: n % 400,
				exported: n % 2 === 0,
				signature: `function${n}(input: string, options?: Options): void`,
			},
			edges: [...callees]
				.sort((a, b) => (key(a) < key(b) ? -1 : 1))
				.map((to): Edge => ({ kind: "CALLS", to: key(to) })),
			provides: [],
		};
	});
}
