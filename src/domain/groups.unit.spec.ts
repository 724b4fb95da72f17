import { describe, expect, test } from "vitest";
import { chunkPlans } from "./chunk-plans.js";
import { type Group, groupSchema } from "./group.js";
import { groupSelector } from "./group-filter.js";
import { indexedGroups, isReady, nextGroups, pendingGroup, selectionOf, wantedGroups } from "./indexed-groups.js";

const group = (name: string, given: Partial<Group> = {}): Group => ({
	...groupSchema.parse({ source: "s", name, indexing: { model: "m" } }),
	...given,
});
const names = (groups: readonly Group[]) => groups.map(({ name }) => name);

describe("groups", () => {
	test("a definition from before there were several reads as all of its source", () => {
		const old = {
			source: "s",
			name: "default",
			include: ["**"],
			exclude: ["*.lock"],
			grouping: "file",
			indexing: { model: "lexical-v1-384", chunkSize: 1_200, overlap: 150 },
			retention: {},
		};
		expect(groupSchema.parse(old)).toEqual({ ...old, path: "", rules: [] });
	});

	test("globs count below the group's folder, and a folder of a like name is another", () => {
		const selects = groupSelector({ path: "docs", include: ["*.md", "api/**"], exclude: ["draft*"] });
		const of = ["docs/a.md", "docs/api/x/y.ts", "docs/draft.md", "docs/deep/a.md", "docs2/a.md", "docs", "a.md"];
		expect(of.filter(selects)).toEqual(["docs/a.md", "docs/api/x/y.ts"]);
	});

	test("files are mined once for all groups that cut alike, and all of them for the graph", () => {
		const small = { model: "m", chunkSize: 300, overlap: 0 };
		const plans = chunkPlans([
			group("default", { path: "src" }),
			group("a", { path: "docs", indexing: small }),
			group("b", { path: "src" }),
			group("c", { path: "notes", indexing: { ...small, model: "other" } }),
		]);
		expect(plans.map((plan) => [plan.settings.chunkSize, names(plan.groups.map((one) => one.group))])).toEqual([
			[1_200, ["default", "b"]],
			[300, ["a", "c"]],
		]);
		const paths = ["src/x", "docs/x", "notes/x", "else/x"];
		expect(plans.map(({ wants }) => paths.filter(wants))).toEqual([paths, ["docs/x", "notes/x"]]);
	});

	test("a change counts from the switch on, for all groups at once", () => {
		const before = group("default");
		const changed = pendingGroup(group("default", { exclude: ["x/**"] }), selectionOf(before));
		const added = pendingGroup(group("a"), undefined);
		const gone: Group = { ...group("z"), reindex: { serves: selectionOf(group("z")), deleting: true } };
		const all = [gone, added, changed];
		expect(indexedGroups(all)).toEqual([before, group("z")]);
		expect(wantedGroups(all)).toEqual([group("default", { exclude: ["x/**"] }), group("a")]);
		const ready = all.map((one) => ({ ...one, reindex: { ...one.reindex, ready: true as const } }));
		expect([isReady(all), isReady([...ready.slice(1), gone]), isReady(ready)]).toEqual([false, false, true]);
		expect(nextGroups(all)).toEqual(indexedGroups(all));
		expect(nextGroups(ready)).toEqual(wantedGroups(all));
	});

	test("a change that is taken back needs no re-index", () => {
		const before = group("default");
		const changed = pendingGroup(group("default", { exclude: ["x/**"] }), selectionOf(before));
		expect(pendingGroup(before, changed.reindex?.serves)).toEqual(before);
		expect(pendingGroup({ ...before, grouping: "folder" }, selectionOf(before)).reindex).toBeUndefined();
	});
});
