import { posix } from "node:path";
import type { Json } from "../../domain/digest.js";
import type { Edge, EdgeKind, EntityKey, EntityKind, EntityState, ProvidedName } from "../../domain/entities.js";
import { fileKey } from "../../domain/keys.js";
import type { FileInput } from "../extractor.js";

/** One state under construction; setting the same thing twice changes nothing. */
export class StateDraft {
	readonly #props = new Map<string, Json>();
	readonly #edges = new Map<string, Edge>();
	readonly #provides = new Map<EntityKey, number>();

	constructor(
		readonly key: EntityKey,
		readonly kind: EntityKind,
		readonly name: string,
	) {}

	/** Undefined values are left out; a later value replaces an earlier one. */
	prop(name: string, value: Json | undefined): this {
		if (value !== undefined) this.#props.set(name, value);
		return this;
	}

	hasProp(name: string): boolean {
		return this.#props.has(name);
	}

	edge(kind: EdgeKind, to: EntityKey): this {
		this.#edges.set(`${kind} ${to}`, { kind, to });
		return this;
	}

	/** The lowest rank wins where a name is provided twice. */
	provides(name: EntityKey, rank: number): this {
		this.#provides.set(name, Math.min(rank, this.#provides.get(name) ?? rank));
		return this;
	}

	build(): EntityState {
		return {
			key: this.key,
			kind: this.kind,
			name: this.name,
			// fromEntries defines own properties, so that a column or package called __proto__ is only a name.
			props: Object.fromEntries(sortedByKey(this.#props)),
			edges: sortedByKey(this.#edges).map(([, edge]) => edge),
			provides: sortedByKey(this.#provides).map(([name, rank]): ProvidedName => ({ name, rank })),
		};
	}
}

/** The states that one file makes, one a key, in an order that does not depend on how the file was read. */
export class StateSet {
	readonly #drafts = new Map<EntityKey, StateDraft>();

	/** Finds or starts the state of a key; kind and name of the first call stay. */
	state(key: EntityKey, kind: EntityKind, name: string): StateDraft {
		let draft = this.#drafts.get(key);
		if (draft === undefined) {
			draft = new StateDraft(key, kind, name);
			this.#drafts.set(key, draft);
		}
		return draft;
	}

	/** The part of the file's own state that an extractor adds: edges only, the mining core states the rest. */
	file(input: FileInput): StateDraft {
		return this.state(fileKey(input.source, input.path), "file", posix.basename(input.path));
	}

	build(): EntityState[] {
		return sortedByKey(this.#drafts).map(([, draft]) => draft.build());
	}
}

function sortedByKey<V>(map: ReadonlyMap<string, V>): [string, V][] {
	return [...map].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}
