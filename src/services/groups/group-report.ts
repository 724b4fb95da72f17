import { LodeError } from "../../domain/errors.js";
import type { Group, GroupSelection } from "../../domain/group.js";
import { nextGroups } from "../../domain/indexed-groups.js";
import type { Catalog } from "../../stores/catalog/catalog.port.js";
import { type Plugins, recipeOfGroups } from "../recipe.js";

/** A group, and whether the index has what it says. */
export interface GroupReport extends Omit<Group, "reindex"> {
	/** `<source>:<name>` */
	readonly id: string;
	/** `reindexing`: until the index has it readers see what it said before; `deleting`: the same, and then it is gone. */
	readonly state: "indexed" | "reindexing" | "deleting";
	/** What the index has meanwhile; null where nothing of the group, or where it has what the group says. */
	readonly serves: GroupSelection | null;
}

export function groupReports(
	groups: readonly Group[],
	headRecipe: string | undefined,
	plugins?: Plugins,
): GroupReport[] {
	const published = recipeOfGroups(nextGroups(groups), plugins) === headRecipe;
	return groups.map(({ reindex, ...group }) => ({
		id: `${group.source}:${group.name}`,
		...group,
		state: reindex?.deleting ? "deleting" : reindex || !published ? "reindexing" : "indexed",
		serves: reindex?.serves ?? null,
	}));
}

/** The groups of a source, by name. */
export async function groupsOfSource(
	catalog: Pick<Catalog, "groups" | "ingestions">,
	source: string,
	plugins: Plugins | undefined,
): Promise<GroupReport[]> {
	const [head] = await catalog.ingestions({ source, status: ["published"], limit: 1 });
	return groupReports(await catalog.groups(source), head?.recipe, plugins);
}

/** A group by its id: `<source>:<name>`, where the source may be named by a beginning of its id, or its address. @throws GROUP_NOT_FOUND */
export function groupPlace(id: string): { readonly source: string; readonly name: string } {
	const at = id.lastIndexOf(":");
	if (at < 1) throw new LodeError("GROUP_NOT_FOUND", `there is no group ${id}`, { next: "name it as <source>:<name>" });
	return { source: id.slice(0, at), name: id.slice(at + 1) };
}

export function groupNotFound(source: string, name: string): LodeError {
	return new LodeError("GROUP_NOT_FOUND", `source ${source} has no group ${name}`, {
		next: `list them with: lode group list ${source}`,
	});
}
