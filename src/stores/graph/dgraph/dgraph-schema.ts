import { EDGE_KINDS, type EdgeKind } from "../../../domain/entities.js";
import { LodeError } from "../../../domain/errors.js";
import type { DgraphConnection } from "./dgraph-client.js";

export const edgePredicate = (kind: EdgeKind): string => `lode.e_${kind}`;
export const EDGE_PREDICATES: readonly string[] = EDGE_KINDS.map(edgePredicate);

/** `lode.removed` of what is current: above every seq, so that one comparison tells. */
export const CURRENT = Number.MAX_SAFE_INTEGER;

/**
 * Three kinds of nodes, each found by `lode.id` (see graph-ids.ts).
 *
 * A **term** is a text that edges lead to: the key of an entity, a name, or (`lode.tk` = `o`) an origin. It carries no seq and goes with
 * the last state that refers to it.
 *
 * A **state** is one record: its lifetime, its content, and edges to terms. `lode.ain` and `lode.rin` name the seqs that added and retired
 * it, because seqs of several installations are equal numbers; `lode.src` and `lode.org` are hashes of its source and origin; `lode.kname`
 * orders states of a kind by name. `lode.digest` and `lode.checksum` are read by `check` alone.
 *
 * **Guards** serialise, see dgraph-guard.ts.
 */
const FIRST_SCHEMA = `
	lode.id: string @index(hash) @upsert .
	lode.inst: string @index(hash) .
	lode.text: string @index(exact) .
	lode.tk: string @index(hash) .
	lode.tsrc: string @index(hash) .
	lode.added: int @index(int) .
	lode.removed: int @index(int) .
	lode.ain: string @index(hash) .
	lode.rin: string @index(hash) .
	lode.src: string @index(hash) .
	lode.org: string @index(hash) .
	lode.kind: string @index(hash) .
	lode.kname: string @index(exact) .
	lode.source: string .
	lode.origin: string .
	lode.key: string .
	lode.name: string .
	lode.props: string .
	lode.provides: string .
	lode.digest: string .
	lode.checksum: string .
	lode.of: uid @reverse .
	lode.at: uid @reverse .
	lode.p: [uid] @reverse .
	${EDGE_PREDICATES.map((predicate) => `${predicate}: [uid] @reverse .`).join("\n\t")}
	lode.guard: int .
	lode.closed: string .
	lode.version: int .
`;

/** Migrations by version: each adds to the schema before it. */
const SCHEMAS: readonly string[] = [FIRST_SCHEMA];
const VERSION_ID = "v:schema";
/** The first with what queries here use (`between`, ordered children). */
const OLDEST = 23;

export interface DgraphProbe {
	readonly version: string;
	readonly schema: { readonly current: number; readonly wanted: number };
}

/** `v25.0.0`; a build of one's own calls itself anything, and is tried. @throws CONFIG_INVALID */
export function requireDgraphVersion(version: string, address: string): void {
	const major = /^v?(\d+)\./.exec(version)?.[1];
	if (major === undefined || Number(major) >= OLDEST) return;
	throw new LodeError("CONFIG_INVALID", `Dgraph at ${address} is ${version}; Lode needs v${OLDEST} or later`, {
		next: "Upgrade that server, or set LODE_DGRAPH_ADDRESS to another one.",
	});
}

/** The version of Lode's schema on the server; 0 where there is none. */
async function schemaVersion(connection: DgraphConnection): Promise<number> {
	const { schema = [] } = await connection.query<{ schema?: { predicate: string }[] }>(
		"look at the schema",
		"schema(pred: [lode.id, lode.version]) { type }",
	);
	// Asking about a predicate that is not there is an error of its own.
	if (schema.length < 2) return 0;
	const { q } = await connection.query<{ q: { "lode.version"?: number }[] }>(
		"look at the schema",
		`{ q(func: eq(lode.id, "${VERSION_ID}")) { lode.version } }`,
	);
	return q[0]?.["lode.version"] ?? 0;
}

/** What is there, with nothing changed. */
export async function probeDgraph(connection: DgraphConnection): Promise<DgraphProbe> {
	const version = await connection.serverVersion();
	requireDgraphVersion(version, connection.options.address);
	return { version, schema: { current: await schemaVersion(connection), wanted: SCHEMAS.length } };
}

/** Brings the schema to this version; all installations of the server share it. @throws CONFIG_INVALID where it is newer */
export async function migrateDgraph(connection: DgraphConnection): Promise<{ from: number; to: number }> {
	const { schema } = await probeDgraph(connection);
	if (schema.current > schema.wanted) {
		throw new LodeError(
			"CONFIG_INVALID",
			`the graph's schema in Dgraph has version ${schema.current}, and this Lode knows ${schema.wanted}`,
			{ next: "Run the Lode that made it, or a later one." },
		);
	}
	// Applying what is there already changes nothing, so processes that start at once do no harm to each other.
	for (const text of SCHEMAS.slice(schema.current)) await connection.alter(text);
	if (schema.current < schema.wanted) {
		await connection.transact("write down the schema's version", async (transaction) => {
			const { q } = await transaction.query<{ q: { uid: string }[] }>(
				`{ q(func: eq(lode.id, "${VERSION_ID}")) { uid } }`,
			);
			const uid = q[0]?.uid ?? "_:version";
			await transaction.mutate({ set: [{ uid, "lode.id": VERSION_ID, "lode.version": schema.wanted }] });
		});
	}
	return { from: schema.current, to: schema.wanted };
}
