import { compareBytes } from "./byte-order.js";
import { canonicalJson, type JsonObject, sha256 } from "./digest.js";
import { wellFormed, wellFormedProps } from "./well-formed.js";

export const ENTITY_KINDS = [
	"repository",
	"commit",
	"contributor",
	"folder",
	"file",
	"symbol",
	"module",
	"package",
	"data_model",
	"column",
	"dataset",
	"document",
	"section",
	"business_entity",
	"name",
] as const;
export type EntityKind = (typeof ENTITY_KINDS)[number];

export const EDGE_KINDS = [
	"CONTAINS",
	"DEFINES",
	"IMPORTS",
	"CALLS",
	"REFERENCES",
	"DEPENDS_ON",
	"HAS_COLUMN",
	"DERIVES_FROM",
	"IMPLEMENTS",
	"AUTHORED",
	"PARENT",
	"DESCRIBES",
] as const;
export type EdgeKind = (typeof EDGE_KINDS)[number];

/** A stable key of an entity, see keys.ts. */
export type EntityKey = string;

export interface Edge {
	readonly kind: EdgeKind;
	/** The key of an entity, or of a name that the link step resolves. */
	readonly to: EntityKey;
}

/**
 * A name under which others may refer to the entity of a state. Lower ranks win: `b.ts` provides the module name `b` with
 * rank 0, `b/index.ts` with rank 1.
 */
export interface ProvidedName {
	readonly name: EntityKey;
	readonly rank: number;
}

/**
 * What one origin (a file, a commit, a folder, a name) says of one entity, from its own bytes and path alone.
 * At most one state an origin and key. All edges leave from the entity `key`; a child that states its parent's CONTAINS
 * does so by a state of the parent's key.
 */
export interface EntityState {
	readonly key: EntityKey;
	readonly kind: EntityKind;
	readonly name: string;
	readonly props: JsonObject;
	readonly edges: readonly Edge[];
	readonly provides: readonly ProvidedName[];
}

/** An entity state as a graph store keeps it. Identity: (source, origin, key) and the seq that added it. */
export interface GraphRecord extends EntityState {
	readonly source: string;
	readonly origin: string;
}

/** An entity as a reader sees it: the visible states of one key merged. */
export interface Entity {
	readonly key: EntityKey;
	readonly kind: EntityKind;
	readonly name: string;
	/** Properties of all states; where two differ, the state of the first origin in byte order wins. */
	readonly props: JsonObject;
	readonly sources: readonly string[];
	/** The origins that state it, sorted, at most 100. */
	readonly origins: readonly string[];
}

/**
 * The one form in which a record is digested and stored: well-formed texts, edges and provided names sorted and without doubles,
 * properties as JSON reads them back. Normal records come back with equal content.
 */
export function normalRecord(record: GraphRecord): GraphRecord {
	const known = normals.get(record);
	if (known !== undefined) return known;
	const normal = isNormal(record) ? record : normalised(record);
	normals.set(record, normal);
	return normal;
}

/** Every store and the manifest want the normal form and the digest of the same records: each is worked out once. */
const normals = new WeakMap<GraphRecord, GraphRecord>();
const digests = new WeakMap<GraphRecord, string>();

/** What was mined is normal mostly: nothing is copied then. */
function isNormal({ source, origin, key, name, props, edges, provides }: GraphRecord): boolean {
	for (const text of [source, origin, key, name]) if (!text.isWellFormed()) return false;
	for (let at = 0; at < edges.length; at += 1) {
		const { kind, to } = edges[at] as Edge;
		if (!to.isWellFormed()) return false;
		const before = edges[at - 1];
		if (before !== undefined && (compareBytes(before.kind, kind) || compareBytes(before.to, to)) >= 0) return false;
	}
	for (let at = 0; at < provides.length; at += 1) {
		const { name: provided, rank } = provides[at] as ProvidedName;
		if (!provided.isWellFormed()) return false;
		const before = provides[at - 1];
		if (before !== undefined && (before.rank - rank || compareBytes(before.name, provided)) >= 0) return false;
	}
	return wellFormedProps(props) === props;
}

function normalised(record: GraphRecord): GraphRecord {
	const edges = record.edges
		.map(({ kind, to }) => ({ kind, to: wellFormed(to) }))
		.sort((a, b) => compareBytes(a.kind, b.kind) || compareBytes(a.to, b.to));
	const provides = record.provides
		.map(({ name, rank }) => ({ name: wellFormed(name), rank }))
		.sort((a, b) => a.rank - b.rank || compareBytes(a.name, b.name));
	return {
		source: wellFormed(record.source),
		origin: wellFormed(record.origin),
		key: wellFormed(record.key),
		kind: record.kind,
		name: wellFormed(record.name),
		props: wellFormedProps(record.props),
		edges: edges.filter(({ kind, to }, at) => kind !== edges[at - 1]?.kind || to !== edges[at - 1]?.to),
		provides: provides.filter(
			({ name, rank }, at) => rank !== provides[at - 1]?.rank || name !== provides[at - 1]?.name,
		),
	};
}

/** The digest of a record in its normal form: independent of seq, of the order of its edges, of doubles and of the engine. */
export function graphRecordDigest(record: GraphRecord): string {
	return normalRecordDigest(normalRecord(record));
}

/** The same of a record that is in its normal form already. */
export function normalRecordDigest(record: GraphRecord): string {
	if (!digests.has(record)) normalRecordText(record);
	return digests.get(record) as string;
}

/** A record in its normal form as canonical JSON: all that it says, and what its digest is of (which is known from then on). */
export function normalRecordText(record: GraphRecord): string {
	const { source, origin, key, kind, name, props, edges, provides } = record;
	const text = canonicalJson([
		source,
		origin,
		key,
		kind,
		name,
		props,
		edges.map((edge) => `${edge.kind} ${edge.to}`),
		provides.map((provided) => `${provided.rank} ${provided.name}`),
	]);
	if (!digests.has(record)) digests.set(record, sha256(text));
	return text;
}

/** `normalRecordText` as JSON reads it. */
export type NormalRecordValues = readonly [
	source: string,
	origin: string,
	key: EntityKey,
	kind: EntityKind,
	name: string,
	props: JsonObject,
	edges: readonly string[],
	provides: readonly string[],
];

/** The record of the text, whose digest whoever made the text knows. */
export function normalRecordOf(values: NormalRecordValues, digest: string): GraphRecord {
	const [source, origin, key, kind, name, props, edges, provides] = values;
	const record: GraphRecord = {
		source,
		origin,
		key,
		kind,
		name,
		props,
		edges: edges.map((edge) => {
			const space = edge.indexOf(" ");
			return { kind: edge.slice(0, space) as EdgeKind, to: edge.slice(space + 1) };
		}),
		provides: provides.map((provided) => {
			const space = provided.indexOf(" ");
			return { name: provided.slice(space + 1), rank: Number(provided.slice(0, space)) };
		}),
	};
	normals.set(record, record);
	digests.set(record, digest);
	return record;
}
