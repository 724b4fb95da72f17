import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { errorCode } from "../../src/domain/errors.js";
import { createFolderSource } from "../../src/sources/folder/folder-source.adapter.js";
import { createGitSource } from "../../src/sources/git/git-source.adapter.js";
import { createSourceRegistry } from "../../src/sources/registry.js";
import { createRepository, type TestRepository } from "../support/git-repository.js";
import { createMemoryArchive } from "../support/memory-archive.js";

// Real: git, the file system and both adapters.
describe("source registry", () => {
	let root: string;
	let repository: TestRepository;
	let empty: TestRepository;

	beforeAll(async () => {
		root = await mkdtemp(path.join(tmpdir(), "lode-registry-"));
		repository = await createRepository();
		empty = await createRepository();
		await repository.commit({ files: { "docs/a.md": "# a" } });
		await repository.checkout();
		await mkdir(path.join(root, "plain"));
		await writeFile(path.join(root, "file.txt"), "x");
	});
	afterAll(async () => {
		await repository.remove();
		await empty.remove();
		await rm(root, { recursive: true, force: true });
	});

	function registry() {
		const home = path.join(root, "home");
		return createSourceRegistry([
			createGitSource({ home }),
			createFolderSource({ home, artifacts: createMemoryArchive() }),
		]);
	}

	it("asks git first: repositories, their sub-folders, bundles and URLs", async () => {
		const bundle = await repository.bundle("x.anything");
		const targets = [
			repository.path,
			path.join(repository.path, "docs"),
			bundle,
			"https://host.example/x.git",
			"git@host:x",
		];
		for (const target of targets) expect((await registry().recognise(target)).kind).toBe("git");
	});

	it("takes a folder as it lies where git has no history of it", async () => {
		await writeFile(path.join(empty.path, "a.txt"), "a");
		for (const target of [path.join(root, "plain"), empty.path]) {
			expect((await registry().recognise(target)).kind).toBe("folder");
		}
		const { commit } = await registry().of("folder").resolve(empty.path, undefined);
		expect(commit).toMatch(/^[0-9a-f]{64}$/);
	});

	it("leaves a broken repository to git, which says so, and takes it for no folder", async () => {
		const broken = path.join(root, "broken");
		await mkdir(path.join(broken, ".git"), { recursive: true });
		const adapter = await registry().recognise(broken);
		expect(adapter.kind).toBe("git");
		expect(errorCode(await adapter.resolve(broken, undefined).catch((error) => error))).toBe("REPOSITORY_UNREADABLE");
	});

	it("says what it knows none of", async () => {
		for (const target of [path.join(root, "nowhere"), path.join(root, "file.txt"), "s3://bucket/x", "-x", ""]) {
			const error = await registry()
				.recognise(target)
				.catch((caught) => caught);
			expect(errorCode(error)).toBe("SOURCE_NOT_FOUND");
			expect(error.next).toBeTruthy();
		}
		expect(() => registry().of("lakefs")).toThrow(expect.objectContaining({ code: "SOURCE_NOT_FOUND" }));
	});
});
