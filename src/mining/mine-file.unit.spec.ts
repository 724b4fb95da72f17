import { describe, expect, it } from "vitest";
import { sha256 } from "../domain/digest.js";
import type { MinedFile } from "../domain/mined-file.js";
import { maxTextBytes } from "./decode.js";
import { type MineInput, minedKey, mineFile, minePlainly, mineUnread } from "./mine-file.js";
import { decodeMinedFile, encodeMinedFile } from "./mined-file-codec.js";
import { minerVersion } from "./miner-version.js";

const settings = { chunkSize: 1200, overlap: 150 };
const mine = (path: string, content: string | Uint8Array, mode: MineInput["mode"] = "file"): Promise<MinedFile> =>
	mineFile({ source: "s", path, bytes: Buffer.from(content), mode }, settings);
const fileState = (mined: MinedFile) => mined.states.find((state) => state.key === `file:s:${mined.path}`);

describe("mineFile", () => {
	it("mines a document: type, lines, chunks, states", async () => {
		const mined = await mine("docs/a.md", "# Hi\n\ntext\n");
		expect(mined).toMatchObject({
			path: "docs/a.md",
			artifact: sha256("# Hi\n\ntext\n"),
			size: 11,
			mediaType: "text/markdown",
			language: "markdown",
			lines: 3,
			chunks: [{ ordinal: 0, kind: "section", symbol: "Hi", startLine: 1, endLine: 3, text: "# Hi\n\ntext" }],
			skips: [],
		});
		expect(mined.states.map((state) => state.key)).toEqual([
			"document:s:docs/a.md",
			"file:s:docs/a.md",
			"folder:s:docs",
			"section:s:docs/a.md#hi",
		]);
		expect(fileState(mined)).toMatchObject({
			kind: "file",
			name: "a.md",
			props: { path: "docs/a.md", language: "markdown", size: 11, lines: 3 },
			edges: [{ kind: "DEFINES", to: "document:s:docs/a.md" }],
			provides: [{ name: "name:s:path::docs/a.md", rank: 0 }],
		});
	});

	it("chunks unknown text plainly", async () => {
		const mined = await mine("notes.xyzzy", "one\n\ntwo");
		expect(mined).toMatchObject({ lines: 3, skips: [] });
		expect(mined.chunks).toEqual([{ ordinal: 0, kind: "text", startLine: 1, endLine: 3, text: "one\n\ntwo" }]);
	});

	it.each([
		["binary", "a.bin", Buffer.from([1, 0, 2]), "file", "binary"],
		["invalid UTF-8", "a.txt", Buffer.from([0x61, 0xff]), "file", "encoding"],
		["too large text", "a.txt", Buffer.alloc(maxTextBytes + 1, "a"), "file", "too_large"],
		["a symlink", "a.txt", Buffer.from("../b"), "symlink", "symlink"],
		["a submodule", "lib", Buffer.alloc(0), "submodule", "submodule"],
	] as const)("records %s as a skip without chunks", async (_name, path, bytes, mode, reason) => {
		const mined = await mine(path, bytes, mode);
		expect(mined.chunks).toEqual([]);
		expect(mined.skips.map((skip) => skip.reason)).toEqual([reason]);
		expect(fileState(mined)?.props).toMatchObject({ skips: [reason] });
		expect(mined.artifact).toBe(sha256(bytes));
	});

	it("says where a symlink points and what a pointer stands for", async () => {
		expect(fileState(await mine("a", "../b", "symlink"))?.props).toMatchObject({ target: "../b", mode: "symlink" });
		const oid = `sha256:${"0".repeat(64)}`;
		const pointer = await mine("a.parquet", `version https://git-lfs.github.com/spec/v1\noid ${oid}\nsize 5\n`);
		expect(fileState(pointer)?.props).toMatchObject({ lfs: { oid, size: 5 }, skips: ["lfs_pointer"] });
		expect(pointer.chunks).toEqual([]);
	});

	it("keeps the text of a data file that is too large out of the chunks", async () => {
		const mined = await mine("a.csv", Buffer.alloc(maxTextBytes + 10, "a,b\n"));
		expect(mined.chunks).toEqual([]);
		expect(mined.skips).toContainEqual({ reason: "too_large", detail: expect.stringContaining("not chunked") });
	});

	it("says from which line on a file had too many chunks", async () => {
		const mined = await mineFile(
			{ source: "s", path: "a.txt", bytes: Buffer.from("word word\n".repeat(200_000)), mode: "file" },
			{ chunkSize: 200, overlap: 0 },
		);
		expect(mined.chunks).toHaveLength(5_000);
		expect(mined.skips).toEqual([{ reason: "too_large", detail: "more than 5000 chunks: none from line 100001 on" }]);
		expect(mined.lines).toBe(200_000);
	});

	it("gives a file without extractors its text and the reason", async () => {
		const skip = { reason: "timeout", detail: "x" } as const;
		const input: MineInput = { source: "s", path: "a.md", bytes: Buffer.from("# a\n"), mode: "file" };
		const mined = await minePlainly(input, settings, skip);
		expect(mined.chunks).toMatchObject([{ kind: "text", text: "# a" }]);
		expect(mined.skips).toEqual([skip]);
		const unread = mineUnread({ source: "s", path: "a.md", mode: "file", artifact: "0".repeat(64), size: 9 }, skip);
		expect(unread).toMatchObject({ size: 9, chunks: [], skips: [skip], language: "markdown" });
	});

	it("gives equal bytes for equal input", async () => {
		const text = "# A\n[x](y)\n\n## B\n";
		expect(encodeMinedFile(await mine("a.md", text))).toEqual(encodeMinedFile(await mine("a.md", text)));
	});
});

describe("minedKey", () => {
	it("follows from everything that the mined file holds", () => {
		const blob = sha256("x");
		const key = minedKey(blob, "a", "file", "s", settings);
		expect(key).toMatch(/^mined\/[0-9a-f]{2}\/[0-9a-f]{64}$/);
		expect(minedKey(blob, "a", "file", "s", { ...settings })).toBe(key);
		const others = [
			minedKey(sha256("y"), "a", "file", "s", settings),
			minedKey(blob, "b", "file", "s", settings),
			minedKey(blob, "a", "executable", "s", settings),
			minedKey(blob, "a", "file", "t", settings),
			minedKey(blob, "a", "file", "s", { ...settings, overlap: 0 }),
		];
		expect(new Set([key, ...others]).size).toBe(6);
		expect(minerVersion).toMatch(/^core@\d+;.*markdown@\d+/);
	});
});

describe("mined file codec", () => {
	it("gives back what it was given", async () => {
		for (const path of ["a.md", "b/c.txt"]) {
			const mined = await mine(path, "# ä\n\n[l](m.md)\n\n## b\r\n");
			expect(decodeMinedFile(encodeMinedFile(mined))).toEqual(mined);
		}
	});

	it("takes damaged and foreign bytes for absent", async () => {
		const bytes = encodeMinedFile(await mine("a.md", "# a\n"));
		expect(decodeMinedFile(new Uint8Array())).toBeUndefined();
		expect(decodeMinedFile(bytes.subarray(0, bytes.length - 3))).toBeUndefined();
		for (let at = 0; at < bytes.length; at++) {
			const damaged = Uint8Array.from(bytes);
			damaged[at] = (damaged[at] as number) ^ 0x10;
			const decoded = decodeMinedFile(damaged);
			if (decoded !== undefined) expect(encodeMinedFile(decoded)).toEqual(bytes);
		}
		const { zstdCompressSync } = await import("node:zlib");
		for (const foreign of ["null", "[]", '{"format":1}', '{"format":1,"file":{"path":"a"}}', "{"]) {
			expect(decodeMinedFile(zstdCompressSync(foreign))).toBeUndefined();
		}
	});
});
