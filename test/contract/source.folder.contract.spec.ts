import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { createFolderSource } from "../../src/sources/folder/folder-source.adapter.js";
import { createFolderArtifactStore } from "../../src/stores/artifacts/folder/folder-artifacts.adapter.js";
import type { TestContent } from "../support/git-repository.js";
import { sourceContract } from "./source.contract.js";

const POSIX = process.platform !== "win32";

// Real: the file system and the archive.
sourceContract("folder", async () => {
	const root = await mkdtemp(path.join(tmpdir(), "lode-folder-"));
	const folder = path.join(root, "folder");
	await mkdir(folder);
	const artifacts = createFolderArtifactStore({ path: path.join(root, "home", "artifacts") });
	return {
		adapter: createFolderSource({ home: path.join(root, "home"), artifacts }),
		target: folder,
		capabilities: {
			log: false,
			bytePaths: process.platform === "linux",
			modes: POSIX,
			symlinks: true,
			keepsPrepared: true,
			schemed: false,
		},
		async write(files, deletes = []) {
			for (const name of deletes) await rm(place(folder, name), { force: true });
			for (const [name, content] of files) await put(folder, name, content);
		},
		vanish: () => rm(folder, { recursive: true }),
		async close() {
			await artifacts.close();
			await rm(root, { recursive: true, force: true });
		},
	};
});

function place(folder: string, name: string | Uint8Array): string | Buffer {
	return typeof name === "string" ? path.join(folder, name) : Buffer.concat([Buffer.from(`${folder}/`), name]);
}

async function put(folder: string, name: string | Uint8Array, content: TestContent): Promise<void> {
	const file = place(folder, name);
	const slash = Buffer.from(file).lastIndexOf(path.sep);
	await mkdir(Buffer.from(file).subarray(0, slash), { recursive: true });
	if (typeof content === "string" || content instanceof Uint8Array) await writeFile(file, content);
	else if ("symlink" in content) await symlink(Buffer.from(content.symlink), file);
	else if ("content" in content) {
		await writeFile(file, content.content);
		await chmod(file, content.executable ? 0o755 : 0o644);
	}
}
