import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ArtifactStore } from "../../stores/artifacts/artifacts.port.js";
import { createFolderArtifactStore } from "../../stores/artifacts/folder/folder-artifacts.adapter.js";
import { updateManifest } from "../../stores/artifacts/manifest.js";
import { type FileRange, readFile } from "./read-file.js";

const FILES: Record<string, string | Uint8Array> = {
	"a.txt": "one\ntwo\r\nthree\n",
	"src/deep/b.ts": "export const b = 1;\n",
	"empty.txt": "",
	"long.txt": `${"x".repeat(50)}\nshort\n`,
	"smile.txt": "ab😀",
	"image.png": Uint8Array.of(0x89, 0, 1, 2),
};

/** On the real archive in a folder. */
describe("reading a file of a snapshot", () => {
	let folder: string;
	let artifacts: ArtifactStore;
	const snapshot = (seq: number) => ({ number: seq, seq, excluding: [], publishedAt: "2026-01-01T00:00:00Z" });
	const read = (path: string, range: FileRange = {}, seq = 1) =>
		readFile(artifacts, { snapshot: snapshot(seq), source: "s", path }, range);
	beforeAll(async () => {
		folder = await mkdtemp(join(tmpdir(), "lode-read-"));
		artifacts = createFolderArtifactStore({ path: folder });
		const put = async (seq: number, files: typeof FILES, base?: string) => {
			const paths = Object.keys(files);
			const contents = paths.map((path) => Buffer.from(files[path] as string));
			const objects = await artifacts.put(contents);
			const puts = paths.map((path, n) => ({
				path,
				object: objects[n] as string,
				size: contents[n]?.byteLength ?? 0,
				mode: "file" as const,
			}));
			const object = await updateManifest(artifacts, base, { puts, removes: [] });
			await artifacts.stageRoot(seq, { source: "s", commit: `c${seq}`, object });
			return object;
		};
		await put(2, { "a.txt": "new\n" }, await put(1, FILES));
	});
	afterAll(() => rm(folder, { recursive: true, force: true }));

	it("gives the lines that are asked for, and says how many there are", async () => {
		expect(await read("a.txt")).toMatchObject({
			...{ commit: "c1", lines: 3, startLine: 1, endLine: 3, truncated: false, skipped: null },
			text: "one\ntwo\r\nthree",
		});
		expect(await read("a.txt", { startLine: 2, maxLines: 1 })).toMatchObject({
			...{ startLine: 2, endLine: 2, truncated: true, text: "two\r" },
		});
		expect(await read("a.txt", { startLine: 9 })).toMatchObject({ text: "", startLine: 0, endLine: 0, lines: 3 });
		expect(await read("empty.txt")).toMatchObject({ text: "", lines: 0, truncated: false });
		expect(await read("src/deep/b.ts")).toMatchObject({ language: "typescript", text: "export const b = 1;" });
	});

	it("cuts at whole lines, and within one only where it is too long by itself", async () => {
		expect(await read("a.txt", { maxCharacters: 8 })).toMatchObject({
			text: "one\ntwo\r",
			endLine: 2,
			truncated: true,
		});
		expect(await read("long.txt", { maxCharacters: 10 })).toMatchObject({ text: "x".repeat(10), truncated: true });
		expect(await read("smile.txt", { maxCharacters: 3 })).toMatchObject({ text: "ab", truncated: true });
	});

	it("answers from the snapshot, and from nothing outside of the commit", async () => {
		expect(await read("a.txt", {}, 2)).toMatchObject({ commit: "c2", text: "new" });
		expect(await read("image.png")).toMatchObject({ text: null, skipped: "binary", size: 4 });
		for (const path of ["b.txt", "src", "src/deep", "../a.txt", "/a.txt", "src/../a.txt", "", "a.txt/", "./a.txt"])
			await expect(read(path), path).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
	});
});
