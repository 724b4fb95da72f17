import type { Seq } from "../../../domain/snapshot.js";
import type { DgraphConnection } from "./dgraph-client.js";
import { readMark } from "./dgraph-guard.js";
import { CURRENT } from "./dgraph-schema.js";
import type { GraphIds } from "./graph-ids.js";

/** The highest seq of a state, or closed, of this installation; 0 where there is none. */
export async function highestDgraphSeq(connection: DgraphConnection, ids: GraphIds): Promise<Seq> {
	const { added, removed, mark, closed } = await connection.query<{
		added: { "lode.added": number }[];
		removed: { "lode.removed": number }[];
		mark: { "lode.closed"?: string }[];
		closed: { "lode.closed": string }[];
	}>(
		"look for the highest seq",
		`{
			added(func: eq(lode.inst, "${ids.installation}|states"), orderdesc: lode.added, first: 1) { lode.added }
			removed(func: eq(lode.inst, "${ids.installation}|states"), orderdesc: lode.removed, first: 1)
				@filter(lt(lode.removed, ${CURRENT})) { lode.removed }
			mark(func: eq(lode.id, "${ids.closedMark}")) { lode.closed }
			closed(func: eq(lode.inst, "${ids.closedMark}")) { lode.closed }
		}`,
	);
	const one = closed.reduce((highest, node) => Math.max(highest, Number(node["lode.closed"])), 0);
	const upTo = readMark(mark[0]?.["lode.closed"]).upTo;
	return Math.max(added[0]?.["lode.added"] ?? 0, removed[0]?.["lode.removed"] ?? 0, one, upTo);
}
