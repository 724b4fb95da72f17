import type { EdgeKind, Entity, EntityKey, EntityKind, GraphRecord } from "../../domain/entities.js";
import type { Seq, Snapshot } from "../../domain/snapshot.js";
import type { VersionedStore, WriteOptions } from "../versioned.port.js";

/** Which part of the graph a question is about. */
export interface GraphScope {
	readonly snapshot: Snapshot;
	/** Only these sources; all where omitted. */
	readonly sources?: readonly string[];
}

export interface EntityQuery {
	/** Exact key, or exact name, or (with `prefix`) the beginning of a name. */
	readonly key?: EntityKey;
	readonly name?: string;
	readonly prefix?: boolean;
	readonly kinds?: readonly EntityKind[];
	readonly limit: number;
}

export interface NeighbourQuery {
	readonly keys: readonly EntityKey[];
	readonly direction: "out" | "in";
	readonly kinds?: readonly EdgeKind[];
	/** A key's edges are cut after this many, in order of (kind, other key). */
	readonly limit: number;
}

/** An edge between two entities: names that the link step resolved are followed through. */
export interface Neighbour {
	readonly from: EntityKey;
	readonly kind: EdgeKind;
	readonly to: EntityKey;
	/** The name it went through, where it did. An unresolved name is itself the `to`. */
	readonly via?: EntityKey;
}

export interface NameCandidate {
	readonly name: EntityKey;
	readonly target: EntityKey;
	readonly rank: number;
}

export interface EntityChange {
	readonly key: EntityKey;
	readonly kind: EntityKind;
	readonly name: string;
	readonly change: "added" | "removed" | "changed";
}

/** The knowledge graph: entity states and their edges, in versions. */
export interface GraphStore extends VersionedStore {
	/** Adds records with `addedAt = seq`; one that is already there is left. @throws SEQ_CLOSED */
	stage(seq: Seq, records: Iterable<GraphRecord>, options?: WriteOptions): Promise<void>;

	entity(scope: GraphScope, key: EntityKey): Promise<Entity | undefined>;
	/** Ordered by (name, key). Names of kind `name` are left out unless asked for. */
	entities(scope: GraphScope, query: EntityQuery): Promise<Entity[]>;
	/** Many keys at once; unknown ones are left out. */
	entitiesByKey(scope: GraphScope, keys: readonly EntityKey[]): Promise<Entity[]>;
	/** Ordered by (from or to = the asked key, kind, other key), without doubles. */
	neighbours(scope: GraphScope, query: NeighbourQuery): Promise<Neighbour[]>;
	countByKind(scope: GraphScope): Promise<Partial<Record<EntityKind, number>>>;

	/**
	 * Entities (not names) whose merged state differs between two snapshots, ordered by key; a page starts after `after`.
	 * Costs what changed between them.
	 */
	changes(
		source: string,
		from: Snapshot,
		to: Snapshot,
		after: EntityKey | undefined,
		limit: number,
	): Promise<EntityChange[]>;

	/** For the link step: names provided by states that this seq added or retired, ordered; a page starts after `after`. */
	touchedNames(seq: Seq, source: string, after: EntityKey | undefined, limit: number): Promise<EntityKey[]>;
	/**
	 * For the link step: who provides these names in the staging view of seq (visible in `base`, or added at seq, and not retired
	 * at seq), per name ordered by (rank, target), at most `limit` a name.
	 */
	candidates(
		seq: Seq,
		source: string,
		base: Snapshot,
		names: readonly EntityKey[],
		limit: number,
	): Promise<NameCandidate[]>;

	/** The visible records of one origin, ordered by key: for verification and tests. */
	records(snapshot: Snapshot, source: string, origin: string): Promise<GraphRecord[]>;
}
