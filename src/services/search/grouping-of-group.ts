import { canonicalJson } from "../../domain/digest.js";
import { LodeError } from "../../domain/errors.js";
import type { Group } from "../../domain/group.js";
import type { Snapshot } from "../../domain/snapshot.js";
import type { Catalog } from "../../stores/catalog/catalog.port.js";
import type { VectorStore } from "../../stores/vectors/vectors.port.js";
import type { HitGrouping } from "./group-hits.js";

/** How the group that is searched puts hits together; undefined where it says nothing but the order that they have anyway. @throws GROUP_NOT_FOUND */
export async function groupingOfGroup(
	{ catalog, vectors }: { readonly catalog: Pick<Catalog, "groups">; readonly vectors: Pick<VectorStore, "models"> },
	name: string | undefined,
	scope: { readonly snapshot: Snapshot; readonly sources: readonly string[] },
): Promise<HitGrouping | undefined> {
	if (name === undefined) return undefined;
	const groups = (await Promise.all(scope.sources.map((source) => catalog.groups(source)))).flat();
	const named = groups.filter((group) => group.name === name);
	// One that was deleted is still in earlier snapshots.
	if (named.length === 0 && (await vectors.models({ ...scope, group: name })).length === 0) {
		throw new LodeError("GROUP_NOT_FOUND", `no source in scope has a group ${name}`, {
			next: "every source has the group default",
		});
	}
	const [first, ...others] = named.map(groupingOfOne);
	return others.every((other) => canonicalJson(other) === canonicalJson(first ?? null))
		? (first ?? undefined)
		: undefined;
}

function groupingOfOne({ grouping, rules }: Group): HitGrouping | null {
	if (grouping !== "custom") return grouping === "folder" ? { by: grouping } : null;
	return { by: grouping, rules: rules.flatMap(({ name, globs }) => globs.map((glob) => ({ name, glob }))) };
}
