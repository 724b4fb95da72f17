import { compareBytes } from "../../../domain/byte-order.js";
import type { JsonObject } from "../../../domain/digest.js";
import { ENTITY_KINDS, type Entity, type EntityKey, type EntityKind } from "../../../domain/entities.js";
import { LodeError } from "../../../domain/errors.js";
import { type MergeableState, mergeStates } from "../../../domain/merge-states.js";
import type { Snapshot } from "../../../domain/snapshot.js";
import { wellFormed } from "../../../domain/well-formed.js";
import type { SqliteDatabase } from "../../sqlite/sqlite-database.js";
import { compareEntities, endOfPrefix } from "../entity-comparison.js";
import type { EntityChange, EntityQuery, GraphScope } from "../graph.port.js";
import { changedStates } from "./changed-seqs.js";
import { inScope, scopeParameters } from "./graph-scope.js";

/** Keys compared at a time when two snapshots are. */
const CHANGE_PAGE = 500;

interface StateRow extends Omit<MergeableState, "props"> {
	readonly props: string;
}

/** Entities as readers see them: the visible states of a key merged. */
export class GraphEntities {
	constructor(private readonly database: SqliteDatabase) {}

	/** In byte order of the keys. */
	byKey(scope: GraphScope, keys: readonly EntityKey[]): Entity[] {
		const sql = `SELECT k.text AS key, s.kind, s.name, s.props, o.name AS origin, c.name AS source
			FROM json_each(:keys) wanted
			CROSS JOIN term k ON k.text = wanted.value
			CROSS JOIN state s ON s.key = k.id
			CROSS JOIN origin o ON o.id = s.origin
			CROSS JOIN source c ON c.id = o.source
			WHERE ${inScope("s", scope)}`;
		const states = new Map<EntityKey, MergeableState[]>();
		const rows = this.database
			.prepare(sql)
			.all<StateRow>({ ...scopeParameters(scope), keys: JSON.stringify([...new Set(keys.map(wellFormed))]) });
		for (const row of rows) {
			const state = { ...row, props: readProps(row) };
			const others = states.get(row.key);
			if (others) others.push(state);
			else states.set(row.key, [state]);
		}
		return [...states.values()].map(mergeStates).sort((a, b) => compareBytes(a.key, b.key));
	}

	/** A name matches where any visible state of the entity gives it. */
	find(scope: GraphScope, query: EntityQuery): Entity[] {
		return this.database.read(() =>
			this.byKey(scope, this.#matchingKeys(scope, query)).sort(
				(a, b) => compareBytes(a.name, b.name) || compareBytes(a.key, b.key),
			),
		);
	}

	countByKind(scope: GraphScope): Partial<Record<EntityKind, number>> {
		// The bare column comes from the row of min(): the first origin, which decides an entity's kind.
		const rows = this.database
			.prepare(
				`SELECT kind, count(*) AS n FROM (
					SELECT s.kind AS kind, min(o.name || char(1) || c.name) FROM state s
					CROSS JOIN origin o ON o.id = s.origin CROSS JOIN source c ON c.id = o.source
					WHERE ${inScope("s", scope)} GROUP BY s.key
				) GROUP BY kind ORDER BY kind`,
			)
			.all<{ kind: EntityKind; n: number }>(scopeParameters(scope));
		return Object.fromEntries(rows.map(({ kind, n }) => [kind, n]));
	}

	changes(source: string, from: Snapshot, to: Snapshot, after: EntityKey | undefined, limit: number): EntityChange[] {
		return this.database.read(() => {
			const found: EntityChange[] = [];
			for (let last = after; ; ) {
				const keys = this.#touchedKeys(source, from, to, last);
				const before = byKey(this.byKey({ snapshot: from, sources: [source] }, keys));
				const now = byKey(this.byKey({ snapshot: to, sources: [source] }, keys));
				for (const key of keys) {
					const change = compareEntities(before.get(key), now.get(key));
					if (change === undefined) continue;
					found.push(change);
					if (found.length === limit) return found;
				}
				if (keys.length < CHANGE_PAGE) return found;
				last = keys.at(-1);
			}
		});
	}

	#matchingKeys(scope: GraphScope, query: EntityQuery): EntityKey[] {
		if (query.limit <= 0) return [];
		const conditions = [inScope("s", scope), "s.kind = :kind"];
		const parameters: Record<string, string | number> = { ...scopeParameters(scope) };
		if (query.key !== undefined) {
			conditions.push("s.key = (SELECT id FROM term WHERE text = :key)");
			parameters.key = wellFormed(query.key);
		}
		if (query.name !== undefined) {
			const name = wellFormed(query.name);
			const end = query.prefix ? endOfPrefix(name) : undefined;
			conditions.push(query.prefix ? "s.name >= :name" : "s.name = :name");
			parameters.name = name;
			if (end !== undefined) {
				conditions.push("s.name < :end");
				parameters.end = end;
			}
		}
		const rows = this.database.prepare(
			`SELECT s.name, k.text AS key FROM state s CROSS JOIN term k ON k.id = s.key
			WHERE ${conditions.join(" AND ")} ORDER BY s.name, k.text`,
		);
		// The index is by kind and name: asked kind by kind it gives each in order, and the reading ends at the limit.
		const kinds = query.kinds ?? ENTITY_KINDS.filter((kind) => kind !== "name" || query.key !== undefined);
		const found = [...new Set(kinds)].flatMap((kind) => {
			const first = new Map<EntityKey, { name: string; key: EntityKey }>();
			for (const row of rows.iterate<{ name: string; key: EntityKey }>({ ...parameters, kind })) {
				if (!first.has(row.key)) first.set(row.key, row);
				if (first.size >= query.limit) break;
			}
			return [...first.values()];
		});
		found.sort((a, b) => compareBytes(a.name, b.name) || compareBytes(a.key, b.key));
		return [...new Set(found.map(({ key }) => key))].slice(0, query.limit);
	}

	/** Keys of the source that something became visible or invisible of between the two snapshots, in order, a page of them. */
	#touchedKeys(source: string, from: Snapshot, to: Snapshot, after: EntityKey | undefined): EntityKey[] {
		const [low, high] = from.seq <= to.seq ? [from.seq, to.seq] : [to.seq, from.seq];
		const touched = (["added", "removed"] as const).flatMap((what) =>
			["c.seq > :low AND c.seq <= :high", "c.seq IN (SELECT value FROM json_each(:odd))"].map(
				(when) => `SELECT s.key ${changedStates(what, `${when} AND s.kind <> 'name'`)}`,
			),
		);
		return this.database
			.prepare(
				`SELECT DISTINCT k.text AS key FROM (${touched.join(" UNION ALL ")}) t CROSS JOIN term k ON k.id = t.key
				${after === undefined ? "" : "WHERE k.text > :after"}
				ORDER BY k.text LIMIT ${CHANGE_PAGE}`,
			)
			.all<{ key: EntityKey }>({
				low,
				high,
				odd: JSON.stringify([...new Set([...from.excluding, ...to.excluding])].filter((seq) => seq <= low)),
				source: wellFormed(source),
				...(after === undefined ? {} : { after: wellFormed(after) }),
			})
			.map((row) => row.key);
	}
}

const byKey = (entities: readonly Entity[]) => new Map(entities.map((entity) => [entity.key, entity]));

function readProps(row: StateRow): JsonObject {
	try {
		return JSON.parse(row.props) as JsonObject;
	} catch (cause) {
		throw new LodeError(
			"STORE_CORRUPT",
			`The properties of ${row.key} in the graph store are damaged (${row.origin})`,
			{
				next: "Run `lode verify`, then ingest the source again.",
				cause,
			},
		);
	}
}
