import { compareBytes } from "../../../domain/byte-order.js";
import type { EdgeKind, EntityKey } from "../../../domain/entities.js";
import { wellFormed } from "../../../domain/well-formed.js";
import type { SqliteDatabase, Statement } from "../../sqlite/sqlite-database.js";
import type { GraphScope, Neighbour, NeighbourQuery } from "../graph.port.js";
import { cutNeighbours, type FoundEdge } from "../neighbour-order.js";
import { inScope, scopeParameters } from "./graph-scope.js";

/** All keys of names lie between these two texts. */
const NAMES_FROM = "name:";
const NAMES_TO = "name;";

/**
 * The edges of some entities in one scope. Names are looked through: an edge to a name leads to what the name's visible link state
 * refers to, and an entity has the edges that point to its names. A name that is itself asked for shows its own
 * edges as they are stored.
 */
export class NeighbourSearch {
	readonly #scope: Readonly<Record<string, number | string>>;
	readonly #kinds: Readonly<Record<string, string>>;
	readonly #out: Statement;
	readonly #outNames: Statement;
	readonly #in: Statement;
	readonly #namesOf: Statement;
	readonly #targetsOf: Statement;
	readonly #termOf: Statement;
	/** What names lead to, by the number of the name: asked once a search. */
	readonly #resolved = new Map<number, readonly EntityKey[]>();

	constructor(
		database: SqliteDatabase,
		scope: GraphScope,
		private readonly query: NeighbourQuery,
	) {
		const ofKinds = query.kinds === undefined ? "" : "AND e.kind IN (SELECT value FROM json_each(:kinds))";
		this.#scope = scopeParameters(scope);
		this.#kinds = query.kinds === undefined ? {} : { kinds: JSON.stringify(query.kinds) };
		const seen = inScope("s", scope);
		const isName = `t.text >= '${NAMES_FROM}' AND t.text < '${NAMES_TO}'`;
		const leaving = `FROM state s CROSS JOIN edge e ON e.state = s.id CROSS JOIN term t ON t.id = e.target
			WHERE s.key = :id AND ${seen} ${ofKinds}`;
		this.#termOf = database.prepare("SELECT id FROM term WHERE text = ?");
		this.#out = database.prepare(
			`SELECT DISTINCT e.kind, t.text AS other ${leaving} AND (:names OR NOT (${isName}))
			ORDER BY e.kind, t.text LIMIT :limit`,
		);
		this.#outNames = database.prepare(
			`SELECT DISTINCT e.kind, t.id, t.text AS name ${leaving} AND ${isName} ORDER BY e.kind, t.text`,
		);
		this.#in = database.prepare(
			`SELECT DISTINCT e.kind, e.from_key AS other FROM arrival e CROSS JOIN state s ON s.id = e.state
			WHERE e.target = :id AND (:names OR s.kind <> 'name') AND ${seen} ${ofKinds}
			ORDER BY e.kind, e.from_key LIMIT :limit`,
		);
		this.#namesOf = database.prepare(
			`SELECT DISTINCT s.key AS id, e.from_key AS name FROM arrival e CROSS JOIN state s ON s.id = e.state
			WHERE e.target = :id AND e.kind = 'REFERENCES' AND e.from_key >= '${NAMES_FROM}' AND e.from_key < '${NAMES_TO}'
			AND s.kind = 'name' AND ${seen} ORDER BY e.from_key`,
		);
		this.#targetsOf = database.prepare(
			`SELECT DISTINCT t.text AS target
			FROM state s CROSS JOIN edge e ON e.state = s.id CROSS JOIN term t ON t.id = e.target
			WHERE s.key = :id AND s.kind = 'name' AND e.kind = 'REFERENCES' AND ${seen} ORDER BY t.text`,
		);
	}

	run(): Neighbour[] {
		const keys = [...new Set(this.query.keys.map(wellFormed))].sort(compareBytes);
		return keys.flatMap((key) => {
			const id = this.#termOf.get<{ id: number }>([key])?.id;
			if (id === undefined) return [];
			const isName = key >= NAMES_FROM && key < NAMES_TO;
			if (this.query.direction === "out") {
				const found = isName ? this.#leaving(id, true) : [...this.#leaving(id, false), ...this.#throughNames(id)];
				return cutNeighbours(found, this.query.limit).map(({ kind, other, via }) => ({
					from: key,
					kind,
					to: other,
					...(via && { via }),
				}));
			}
			const found = isName ? this.#arriving(id, true) : [...this.#arriving(id, false), ...this.#atNamesOf(id)];
			return cutNeighbours(found, this.query.limit).map(({ kind, other, via }) => ({
				from: other,
				kind,
				to: key,
				...(via && { via }),
			}));
		});
	}

	#leaving(id: number, names: boolean): FoundEdge[] {
		return this.#out.all<FoundEdge>({
			...this.#scope,
			...this.#kinds,
			id,
			names: Number(names),
			limit: this.query.limit,
		});
	}

	#arriving(id: number, names: boolean): FoundEdge[] {
		return this.#in.all<FoundEdge>({
			...this.#scope,
			...this.#kinds,
			id,
			names: Number(names),
			limit: this.query.limit,
		});
	}

	#throughNames(id: number): FoundEdge[] {
		return this.#outNames
			.all<{ kind: EdgeKind; id: number; name: EntityKey }>({ ...this.#scope, ...this.#kinds, id })
			.flatMap<FoundEdge>(({ kind, id: nameId, name }) => {
				const targets = this.#resolve(nameId);
				if (targets.length === 0) return [{ kind, other: name }];
				return targets.map((other) => ({ kind, other, via: name }));
			});
	}

	#atNamesOf(id: number): FoundEdge[] {
		return this.#namesOf
			.all<{ id: number; name: EntityKey }>({ ...this.#scope, id })
			.flatMap(({ id: nameId, name }) => this.#arriving(nameId, false).map((found) => ({ ...found, via: name })));
	}

	#resolve(nameId: number): readonly EntityKey[] {
		const known = this.#resolved.get(nameId);
		if (known) return known;
		const targets = this.#targetsOf.all<{ target: EntityKey }>({ ...this.#scope, id: nameId }).map((row) => row.target);
		this.#resolved.set(nameId, targets);
		return targets;
	}
}
