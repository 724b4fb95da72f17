import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EMPTY_SNAPSHOT } from "../../domain/snapshot.js";
import { FolderTouches, folderChanges } from "./folder-changes.js";

const path = fc
	.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 4 })
	.map((parts) => [...parts, "file"].join("/"));
const paths = fc.uniqueArray(path, { maxLength: 12 });

/** A catalog that knows these files. */
const knows = (files: readonly string[]) => ({
	hasFilesUnder: async (_snapshot: unknown, _source: string, folder: string, without: readonly string[]) =>
		files.some((file) => file.startsWith(`${folder}/`) && !without.includes(file)),
});

const foldersOf = (files: Iterable<string>) => {
	const folders = new Set<string>();
	for (const file of files) {
		const parts = file.split("/").slice(0, -1);
		for (let depth = 1; depth <= parts.length; depth++) folders.add(parts.slice(0, depth).join("/"));
	}
	return folders;
};

describe("folder changes", () => {
	test("are the difference between the folders before and after, for any change set", async () => {
		await fc.assert(
			fc.asyncProperty(paths, paths, async (before, after) => {
				const touches = new FolderTouches();
				for (const file of after) if (!before.includes(file)) touches.add(file);
				for (const file of before) if (!after.includes(file)) touches.remove(file);
				const changes = await folderChanges(knows(before), EMPTY_SNAPSHOT, "s", touches, false, false);
				const [had, has] = [foldersOf(before), foldersOf(after)];
				expect(changes.added).toEqual([...has].filter((folder) => !had.has(folder)).sort());
				expect(changes.removed).toEqual([...had].filter((folder) => !has.has(folder)).sort());
			}),
		);
	});

	test("a first ingestion states the root too", async () => {
		const touches = new FolderTouches();
		touches.add("a/b/file");
		const changes = await folderChanges(knows([]), EMPTY_SNAPSHOT, "s", touches, false, true);
		expect(changes).toEqual({ added: ["", "a", "a/b"], removed: [] });
	});
});
