import { describe, expect, it } from "vitest";
import { folderRecords } from "./file-states.js";
import { mineFile } from "./mine-file.js";

const settings = { chunkSize: 1200, overlap: 150 };

describe("folderRecords", () => {
	it("states a folder, its path as a name, and that its parent contains it", () => {
		expect(folderRecords("s", "a/b")).toEqual([
			{
				source: "s",
				origin: "folder:a/b",
				key: "folder:s:a",
				kind: "folder",
				name: "a",
				props: {},
				edges: [{ kind: "CONTAINS", to: "folder:s:a/b" }],
				provides: [],
			},
			{
				source: "s",
				origin: "folder:a/b",
				key: "folder:s:a/b",
				kind: "folder",
				name: "b",
				props: {},
				edges: [],
				provides: [{ name: "name:s:path::a/b", rank: 0 }],
			},
		]);
	});

	it("agrees with what files and subfolders say of the same folder", async () => {
		const statesOf = async (folder: string, path: string) => {
			const { states } = await mineFile({ source: "s", path, bytes: new Uint8Array(), mode: "file" }, settings);
			const all = [...states, ...folderRecords("s", folder), ...folderRecords("s", `${folder ? `${folder}/` : ""}x`)];
			const key = folder === "" ? "repository:s" : `folder:s:${folder}`;
			return all.filter((state) => state.key === key).map(({ kind, name, props }) => ({ kind, name, props }));
		};
		expect(await statesOf("a/b", "a/b/f.txt")).toEqual(Array(3).fill({ kind: "folder", name: "b", props: {} }));
		expect(await statesOf("", "f.txt")).toEqual(Array(3).fill({ kind: "repository", name: "s", props: {} }));
	});
});
