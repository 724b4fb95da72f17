import { sha256 } from "../../../domain/digest.js";
import type { EntityKey, EntityKind } from "../../../domain/entities.js";
import type { Seq, Snapshot } from "../../../domain/snapshot.js";
import { wellFormed } from "../../../domain/well-formed.js";
import type { GraphScope } from "../graph.port.js";
import { CURRENT } from "./dgraph-schema.js";

/**
 * What nodes are found by. All are hashes (or seqs): of one length whatever a repository holds, and with nothing in them that a query would
 * have to escape. The installation is part of each.
 */
export class GraphIds {
	constructor(readonly installation: string) {}

	term = (text: string): string => `t:${this.#hash("term", text)}`;
	originTerm = (source: string, origin: string): string => `o:${this.#hash("origin", source, origin)}`;
	state = (source: string, origin: string, key: EntityKey, addedAt: Seq): string =>
		`s:${this.#hash("state", source, origin, key, String(addedAt))}`;
	source = (source: string): string => this.#hash("source", wellFormed(source));
	origin = (source: string, origin: string): string => this.#hash("origin", wellFormed(source), wellFormed(origin));
	seq = (seq: Seq): string => `${this.installation}|${seq}`;
	closedSeq = (seq: Seq): string => `c:${this.installation}|${seq}`;
	get closedMark(): string {
		return `m:${this.installation}`;
	}
	guard = (slot: number): string => `g:${this.installation}|${slot}`;
	/** Orders the states of a kind by their names. */
	kindName = (kind: EntityKind, name: string): string => `${this.installation}|${kind}|${name}`;

	#hash(...parts: readonly string[]): string {
		return sha256([this.installation, ...parts].join("\0")).slice(0, 40);
	}
}

/** A list of ids as a query has them. */
export const idList = (ids: readonly string[]): string => `[${ids.map((id) => `"${id}"`).join(",")}]`;

/** Whether a key is that of a name; see nameKey in domain/keys.ts. */
export const isNameKey = (key: EntityKey): boolean => key.startsWith("name:");

/** The one visibility rule (`isVisible` in domain/snapshot.ts) as a filter of DQL. */
export function visible({ seq, excluding }: Snapshot): string {
	if (excluding.length === 0) return `le(lode.added, ${seq}) AND gt(lode.removed, ${seq})`;
	const list = `[${excluding.join(",")}]`;
	return (
		`le(lode.added, ${seq}) AND NOT eq(lode.added, ${list}) ` +
		`AND (gt(lode.removed, ${seq}) OR eq(lode.removed, ${list}))`
	);
}

/** That a state was retired in the snapshot. */
export function goneIn({ seq, excluding }: Snapshot): string {
	const gone = `le(lode.removed, ${seq})`;
	return excluding.length === 0 ? gone : `${gone} AND NOT eq(lode.removed, [${excluding.join(",")}])`;
}

/** That a state belongs to what a question is about. */
export function inScope(ids: GraphIds, { snapshot, sources }: GraphScope): string {
	const seen = visible(snapshot);
	if (sources === undefined) return seen;
	// No source: nothing has this hash.
	const wanted = sources.length === 0 ? ["none"] : [...new Set(sources)].map(ids.source);
	return `${seen} AND eq(lode.src, ${idList(wanted)})`;
}

export const isCurrent = `eq(lode.removed, ${CURRENT})`;
