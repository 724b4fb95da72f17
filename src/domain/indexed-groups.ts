import { compareBytes } from "./byte-order.js";
import { canonicalJson } from "./digest.js";
import { DEFAULT_GROUP, type Group, type GroupSelection } from "./group.js";

/** `default` first, then by name: the order in which groups are worked on everywhere. */
export function inOrder(groups: readonly Group[]): Group[] {
	return [...groups].sort(
		(a, b) => Number(b.name === DEFAULT_GROUP) - Number(a.name === DEFAULT_GROUP) || compareBytes(a.name, b.name),
	);
}

/** The groups as ingestions index them now: a change counts from the switch on. */
export function indexedGroups(groups: readonly Group[]): Group[] {
	return inOrder(groups).flatMap(({ reindex, ...group }) => {
		if (!reindex) return [group];
		return reindex.serves ? [{ ...group, ...reindex.serves }] : [];
	});
}

/** The groups as users want them: what is indexed after the switch. */
export function wantedGroups(groups: readonly Group[]): Group[] {
	return inOrder(groups).flatMap(({ reindex, ...group }) => (reindex?.deleting ? [] : [group]));
}

/** The names of those that are gone after the switch. */
export function deletedGroups(groups: readonly Group[]): string[] {
	return groups.filter(({ reindex }) => reindex?.deleting).map(({ name }) => name);
}

/** Whether the index lacks something of what the groups say. */
export const isPending = (groups: readonly Group[]): boolean => groups.some(({ reindex }) => reindex !== undefined);

/** Whether the next ingestion switches to what the groups say. */
export const isReady = (groups: readonly Group[]): boolean =>
	isPending(groups) && groups.every(({ reindex }) => reindex === undefined || reindex.ready === true);

/** The groups by which the source's next ingestion is made. */
export const nextGroups = (groups: readonly Group[]): Group[] =>
	isReady(groups) ? wantedGroups(groups) : indexedGroups(groups);

export function selectionOf({ path, include, exclude, indexing }: GroupSelection): GroupSelection {
	return { path, include, exclude, indexing };
}

export function sameSelection(a: GroupSelection, b: GroupSelection): boolean {
	return canonicalJson(selectionOf(a)) === canonicalJson(selectionOf(b));
}

/** Whether two say the same, whatever the index has. */
export function sameGroup({ reindex: _a, ...a }: Group, { reindex: _b, ...b }: Group): boolean {
	return canonicalJson(a) === canonicalJson(b);
}

/** What the index has of a group that is stored: undefined where nothing. */
export function servedSelection(group: Group): GroupSelection | undefined {
	return group.reindex ? group.reindex.serves : selectionOf(group);
}

/** The group as it is to be stored where the index has `served` of it: marked as pending where that is something else. */
export function pendingGroup(group: Omit<Group, "reindex">, served: GroupSelection | undefined): Group {
	if (served && sameSelection(group, served)) return { ...group };
	return { ...group, reindex: { ...(served && { serves: selectionOf(served) }) } };
}
