import { canonicalJson, sha256 } from "../domain/digest.js";
import { LodeError } from "../domain/errors.js";
import { DEFAULT_GROUP, type Group } from "../domain/group.js";
import { indexedGroups, nextGroups } from "../domain/indexed-groups.js";
import { COMMIT_TEXT_VERSION } from "../mining/commits/commit-text.js";
import { type IndexingVersions, NO_PLUGINS } from "../mining/indexing-versions.js";
import { minerVersion } from "../mining/miner-version.js";
import type { Catalog, Source } from "../stores/catalog/catalog.port.js";

/** @throws SOURCE_NOT_FOUND */
export async function requireSource(catalog: Pick<Catalog, "source">, id: string): Promise<Source> {
	const source = await catalog.source(id);
	if (!source) throw unknownSource(id);
	return source;
}

export function unknownSource(id: string): LodeError {
	return new LodeError("SOURCE_NOT_FOUND", `there is no source ${id}`, { next: "list them with: lode sources" });
}

/** The sources that readers see: those that are being removed are out of sight at once, not store by store. */
export async function readableSources(catalog: Pick<Catalog, "sources">): Promise<Source[]> {
	return (await catalog.sources()).filter(({ removing }) => !removing);
}

/** The group that every source has. @throws GROUP_NOT_FOUND */
export async function defaultGroup(catalog: Pick<Catalog, "groups">, source: string): Promise<Group> {
	const group = (await catalog.groups(source)).find(({ name }) => name === DEFAULT_GROUP);
	if (!group) throw new LodeError("GROUP_NOT_FOUND", `source ${source} has no group ${DEFAULT_GROUP}`);
	return group;
}

/** The groups by which a source is indexed now, `default` first. @throws GROUP_NOT_FOUND */
export async function requireGroups(catalog: Pick<Catalog, "groups">, source: string): Promise<Group[]> {
	const groups = indexedGroups(await catalog.groups(source));
	if (groups[0]?.name !== DEFAULT_GROUP) {
		throw new LodeError("GROUP_NOT_FOUND", `source ${source} has no group ${DEFAULT_GROUP}`);
	}
	return groups;
}

/** What a recipe depends on beside the group: see IndexingVersions. */
export type Plugins = Pick<IndexingVersions, "all">;

/**
 * The hash of everything but the commit that decides what an ingestion leaves: miner versions, how commits are told, plugins and the group's
 * filters, chunking and model. An ingestion with another recipe than its base stages the whole commit anew.
 */
export function recipeOfGroup({ name, include, exclude, indexing }: Group, { all }: Plugins = NO_PLUGINS): string {
	const inputs = [minerVersion, COMMIT_TEXT_VERSION, name, include, exclude, indexing];
	// Without plugins the recipe is what it was before there were any.
	return sha256(canonicalJson(all.length === 0 ? inputs : [...inputs, all])).slice(0, 32);
}

/** The same over all groups of a source. One that has `default` alone, over all its files, keeps the recipe it had before there were others. */
export function recipeOfGroups(groups: readonly Group[], plugins?: Plugins): string {
	const [first] = groups;
	if (first && groups.length === 1 && first.path === "") return recipeOfGroup(first, plugins);
	return sha256(canonicalJson(groups.map((group) => [recipeOfGroup(group, plugins), group.path]))).slice(0, 32);
}

/** The recipe by which a source's next ingestion is made. @throws GROUP_NOT_FOUND */
export async function recipeOf(catalog: Pick<Catalog, "groups">, source: string, plugins?: Plugins): Promise<string> {
	await defaultGroup(catalog, source);
	return recipeOfGroups(nextGroups(await catalog.groups(source)), plugins);
}
