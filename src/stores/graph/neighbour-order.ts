import { compareBytes } from "../../domain/byte-order.js";
import type { EdgeKind, EntityKey } from "../../domain/entities.js";

/** An edge as seen from the entity that was asked for. */
export interface FoundEdge {
	readonly kind: EdgeKind;
	readonly other: EntityKey;
	readonly via?: EntityKey;
}

/** Ordered, each (kind, other) once: the direct edge before one through a name, else the first name's. */
export function cutNeighbours(found: readonly FoundEdge[], limit: number): FoundEdge[] {
	const unique = new Map<string, FoundEdge>();
	const ordered = [...found].sort(
		(a, b) => compareBytes(a.kind, b.kind) || compareBytes(a.other, b.other) || compareBytes(a.via ?? "", b.via ?? ""),
	);
	for (const one of ordered) {
		const name = `${one.kind} ${one.other}`;
		if (!unique.has(name)) unique.set(name, one);
	}
	return [...unique.values()].slice(0, limit);
}
