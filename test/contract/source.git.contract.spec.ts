import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { GitLauncher } from "../../src/sources/git/git-launcher.js";
import { createGitSource } from "../../src/sources/git/git-source.adapter.js";
import { createRepository } from "../support/git-repository.js";
import { sourceContract } from "./source.contract.js";

// Real: git, its repositories and the mirrors. As in a worker; the other suites of git start it as a command does.
sourceContract("git", async () => {
	const home = await mkdtemp(path.join(tmpdir(), "lode-home-"));
	const repository = await createRepository();
	const launcher = new GitLauncher();
	return {
		adapter: createGitSource({ home, start: launcher.start }),
		target: repository.path,
		capabilities: { log: true, bytePaths: true, modes: true, symlinks: true, keepsPrepared: true, schemed: false },
		write: async (files, deletes) => void (await repository.commit({ files, deletes })),
		vanish: () => repository.vanish(),
		async close() {
			await launcher.close();
			await repository.remove();
			await rm(home, { recursive: true, force: true });
		},
	};
});
