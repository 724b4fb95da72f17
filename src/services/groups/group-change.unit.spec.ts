import { expect, test } from "vitest";
import { DEFAULT_GROUP, type Group, groupSchema } from "../../domain/group.js";
import type { GroupFields } from "../../domain/group-input.js";
import { indexedGroups, wantedGroups } from "../../domain/indexed-groups.js";
import { createLexicalProvider } from "../../embeddings/lexical/lexical-provider.js";
import type { Source } from "../../stores/catalog/catalog.port.js";
import { applied, type GroupChange, planCreation, planDeletion, planUpdate } from "./group-change.js";

const LEXICAL = "lexical-v1-384";
const group = (name: string, fields: object = {}) =>
	groupSchema.parse({ source: "s", name, indexing: { model: LEXICAL }, ...fields });
const source = { id: "s", address: "/s", branch: "", kind: "git", policy: "every", createdAt: "" } as Source;

function ports(groups: readonly Group[]) {
	return {
		catalog: { sources: async () => [source], groups: async () => [...groups] },
		defaultProvider: async () => createLexicalProvider(),
		serves: (model: string) => model === LEXICAL || model === "m",
		chunking: { chunkSize: 900, overlap: 90 },
		retention: { maxVersions: 5 },
	};
}

/** As a catalog does it. */
function made(groups: readonly Group[], change: GroupChange): Group[] {
	const { save, remove } = applied(change, groups);
	const kept = groups.filter(({ name }) => !remove.includes(name) && !save.some((one) => one.name === name));
	return [...kept, ...save].sort((a, b) => (a.name < b.name ? -1 : 1));
}
const again = (groups: readonly Group[], change: GroupChange) => made(made(groups, change), change);

test("a change that is made again, after a crash say, changes nothing more", async () => {
	const groups = [group(DEFAULT_GROUP), group("docs", { path: "docs" })];
	const created = await planCreation(ports(groups), "s", "code", { path: "./src/", indexing: { model: "configured" } });
	expect(made(groups, created)[0]).toEqual({
		...group("code", { path: "src", retention: { maxVersions: 5 } }),
		indexing: { model: LEXICAL, chunkSize: 900, overlap: 90 },
		reindex: {},
	});
	const updated = await planUpdate(ports(groups), "s", "docs", { exclude: ["x"], indexing: { model: "m" } });
	const deleted = await planDeletion(ports(groups), "s", "docs");
	for (const change of [created, updated, deleted]) expect(again(groups, change)).toEqual(made(groups, change));
	// A group of which the index has nothing yet goes at once.
	const pending = made(groups, created);
	expect(made(pending, await planDeletion(ports(pending), "s", "code"))).toEqual(groups);
	expect(again(pending, await planDeletion(ports(pending), "s", "code"))).toEqual(groups);
});

test("until the switch the index has what it had, and a change that is taken back needs none", async () => {
	const groups = [group(DEFAULT_GROUP)];
	const changed = made(groups, await planUpdate(ports(groups), "s", DEFAULT_GROUP, { include: ["src/**"] }));
	expect(indexedGroups(changed)).toEqual(groups);
	expect(wantedGroups(changed)).toMatchObject([{ include: ["src/**"] }]);
	const twice = made(changed, await planUpdate(ports(changed), "s", DEFAULT_GROUP, { indexing: { chunkSize: 500 } }));
	expect(indexedGroups(twice)).toEqual(groups);
	const back = { include: ["**"], indexing: { chunkSize: 1_200 } };
	expect(made(twice, await planUpdate(ports(twice), "s", DEFAULT_GROUP, back))).toEqual(groups);
	const rest = { retention: { maxVersions: null, ttl: 60 }, grouping: "folder" as const };
	expect(made(groups, await planUpdate(ports(groups), "s", DEFAULT_GROUP, rest))).toEqual([
		group(DEFAULT_GROUP, { retention: { ttl: 60 }, grouping: "folder" }),
	]);
});

test("two who create one name: the second is refused, unless it is the same", async () => {
	const groups = [group(DEFAULT_GROUP)];
	const plan = (fields: GroupFields) => planCreation(ports(groups), "s", "docs", fields);
	const first = made(groups, await plan({ path: "docs" }));
	expect(made(first, await plan({ path: "docs" }))).toEqual(first);
	expect(() => applied({ ...created(first), group: { ...created(first).group, path: "other" } }, first)).toThrow(
		expect.objectContaining({ code: "GROUP_EXISTS" }),
	);
	await expect(planCreation(ports(first), "s", "docs", {})).rejects.toMatchObject({ code: "GROUP_EXISTS" });
});

function created(groups: readonly Group[]) {
	const { source: _source, reindex: _reindex, ...docs } = groups.find(({ name }) => name === "docs") as Group;
	return { change: "create", source: "s", name: "docs", group: docs } as const;
}

test("whatever is no group is told as that, whatever its form", async () => {
	const groups = [group(DEFAULT_GROUP)];
	for (const fields of [
		{ indexing: 7 },
		{ indexing: [] },
		{ indexing: { model: 7 } },
		{ retention: "x" },
		{ rules: {} },
	])
		for (const planned of [
			planCreation(ports(groups), "s", "a", fields as unknown as GroupFields),
			planUpdate(ports(groups), "s", DEFAULT_GROUP, fields as unknown as GroupFields),
		])
			await expect(planned).rejects.toMatchObject({ code: "GROUP_INVALID" });
	await expect(planUpdate(ports(groups), "s", DEFAULT_GROUP, { indexing: { model: "nobody" } })).rejects.toMatchObject({
		fields: { "indexing.model": "no configured embedding provider serves nobody" },
	});
	// One that nobody serves any more may stay.
	const old = [group(DEFAULT_GROUP, { indexing: { model: "gone" } })];
	expect(await planUpdate(ports(old), "s", DEFAULT_GROUP, { path: "src" })).toEqual({
		change: "update",
		source: "s",
		name: DEFAULT_GROUP,
		fields: { path: "src" },
	});
});

test("a change cannot name another group, nor be of no source", async () => {
	const groups = [group(DEFAULT_GROUP), group("docs", { path: "docs" })];
	const named = (name: unknown) => ({ path: "src", name }) as GroupFields;
	for (const other of [DEFAULT_GROUP, "new", 7, null]) {
		await expect(planUpdate(ports(groups), "s", "docs", named(other))).rejects.toMatchObject({
			code: "GROUP_INVALID",
			fields: { name: "cannot be changed: create another group" },
		});
	}
	const change = await planUpdate(ports(groups), "s", "docs", named("docs"));
	expect(change).toMatchObject({ fields: { path: "src" } });
	expect(made(groups, change).map(({ name }) => name)).toEqual([DEFAULT_GROUP, "docs"]);
	// One that was accepted before this was checked.
	const before = { change: "update", source: "s", name: "docs", fields: named(DEFAULT_GROUP) } as const;
	expect(made(groups, before).find(({ name }) => name === DEFAULT_GROUP)).toEqual(groups[0]);
	for (const source of [undefined, null, "", 7, ["s"]]) {
		await expect(
			planCreation(ports(groups), source as string, undefined as unknown as string, {}),
		).rejects.toMatchObject({
			code: "GROUP_INVALID",
			fields: { source: "must be an id, a unique beginning of one, or an address", name: "must be a text" },
		});
	}
});
