import { expect, test } from "vitest";
import { canonicalJson, sha256 } from "../domain/digest.js";
import { type Group, groupSchema } from "../domain/group.js";
import { COMMIT_TEXT_VERSION } from "../mining/commits/commit-text.js";
import { minerVersion } from "../mining/miner-version.js";
import { recipeOfGroups } from "./recipe.js";

const group = (name: string, given: Partial<Group> = {}): Group => ({
	...groupSchema.parse({ source: "s", name, indexing: { model: "m" } }),
	...given,
});

test("a source that has only default, over all of it, keeps the recipe that it had before there were other groups", () => {
	const indexing = { model: "m", chunkSize: 1_200, overlap: 150 };
	const before = sha256(canonicalJson([minerVersion, COMMIT_TEXT_VERSION, "default", ["**"], [], indexing])).slice(
		0,
		32,
	);
	expect(recipeOfGroups([group("default")])).toBe(before);
	expect(recipeOfGroups([group("default", { grouping: "folder", retention: { ttl: 1 } })])).toBe(before);
});

test("whatever decides what is indexed is in the recipe, of every group", () => {
	const recipes = [
		[group("default")],
		[group("default", { path: "src" })],
		[group("default", { path: "docs" })],
		[group("default"), group("a")],
		[group("default"), group("b")],
		[group("default"), group("a", { path: "src" })],
		[group("default"), group("a", { exclude: ["x"] })],
		[group("default"), group("a", { indexing: { model: "n", chunkSize: 1_200, overlap: 150 } })],
		[group("default"), group("a"), group("b")],
	].map((groups) => recipeOfGroups(groups));
	expect(new Set(recipes).size).toBe(recipes.length);
});
