import { describe, expect, it } from "vitest";
import { canonicalJson, sha256 } from "../domain/digest.js";
import { groupSchema } from "../domain/group.js";
import { recipeOfGroup } from "../services/recipe.js";
import { COMMIT_TEXT_VERSION } from "./commits/commit-text.js";
import { minedKey } from "./mine-file.js";
import { minerVersion } from "./miner-version.js";

/** Written out: a change of these mines everything again, everywhere. */
describe("keys with and without plugins", () => {
	const settings = { chunkSize: 1200, overlap: 150 };
	const group = groupSchema.parse({
		source: "s",
		name: "default",
		indexing: { model: "m", ...settings },
		retention: {},
	});
	const key = (plugins?: readonly string[]) => minedKey("git:b", "a.md", "file", "s", settings, plugins);
	const recipe = (...all: string[]) => recipeOfGroup(group, { all });

	it("are without plugins what they were before there were any", () => {
		const hash = sha256(canonicalJson([minerVersion, "git:b", "a.md", "file", "s", 1200, 150]));
		expect([key(), key([])]).toEqual([`mined/${hash.slice(0, 2)}/${hash}`, `mined/${hash.slice(0, 2)}/${hash}`]);
		const { name, include, exclude, indexing } = group;
		const before = sha256(canonicalJson([minerVersion, COMMIT_TEXT_VERSION, name, include, exclude, indexing])).slice(
			0,
			32,
		);
		expect([recipeOfGroup(group), recipe()]).toEqual([before, before]);
	});

	it("follow name, version and order", () => {
		const lists = [[], ["a@1"], ["a@2"], ["b@1"], ["a@1", "b@1"], ["b@1", "a@1"]];
		expect(new Set(lists.map((list) => key(list))).size).toBe(lists.length);
		expect(new Set(lists.map((list) => recipe(...list))).size).toBe(lists.length);
	});
});
