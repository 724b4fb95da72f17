import { canonicalJson } from "../../domain/digest.js";
import type { Entity } from "../../domain/entities.js";
import type { EntityChange } from "./graph.port.js";

/** What became of an entity between two snapshots; undefined where nothing did. */
export function compareEntities(before: Entity | undefined, now: Entity | undefined): EntityChange | undefined {
	// A name that was turned into an entity, or the reverse, is the entity that appeared or went.
	const old = before?.kind === "name" ? undefined : before;
	const fresh = now?.kind === "name" ? undefined : now;
	const shown = fresh ?? old;
	if (shown === undefined) return undefined;
	const { key, kind, name } = shown;
	if (old === undefined) return { key, kind, name, change: "added" };
	if (fresh === undefined) return { key, kind, name, change: "removed" };
	const same = old.kind === kind && old.name === name && canonicalJson(old.props) === canonicalJson(fresh.props);
	return same ? undefined : { key, kind, name, change: "changed" };
}

/** The first text after all that begin with the prefix, in byte order; undefined where there is none. */
export function endOfPrefix(prefix: string): string | undefined {
	const points = Array.from(prefix, (character) => character.codePointAt(0) as number);
	for (let last = points.pop(); last !== undefined; last = points.pop()) {
		if (last === 0x10ffff) continue;
		return String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1);
	}
	return undefined;
}
