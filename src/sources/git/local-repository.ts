import { access, realpath } from "node:fs/promises";
import path from "node:path";
import { errorCode, LodeError } from "../../domain/errors.js";
import { isDirectory } from "../local-path.js";
import { isBundle } from "./git-address.js";
import type { GitCall, GitCommand, GitResult } from "./git-command.js";
import { gitEnvironment } from "./git-environment.js";
import { gitFailure } from "./git-errors.js";

/** What lies at a path. `address`: the top level of a work tree, a bare repository's folder, or the bundle file. */
export type LocalRepository =
	| { readonly found: "repository"; readonly address: string }
	| { readonly found: "bundle"; readonly address: string }
	/** A folder or file that is no part of a repository. */
	| { readonly found: "none" };

/** Looks for a repository at a path and above it, as git does. @throws PERMISSION_DENIED, REPOSITORY_UNREADABLE */
export async function findLocalRepository(git: GitCommand, absolute: string): Promise<LocalRepository> {
	if (!(await isDirectory(absolute))) {
		return (await isBundle(absolute)) ? { found: "bundle", address: absolute } : { found: "none" };
	}
	const inside = await revParse(git, absolute, ["--is-bare-repository", "--is-inside-work-tree", "--show-toplevel"]);
	if (inside.code === 0) {
		const topLevel = inside.stdout.toString("utf8").split("\n").slice(2).join("\n").replace(/\n$/, "");
		return { found: "repository", address: await canonical(topLevel) };
	}
	if (/not a git repository/i.test(inside.stderr)) {
		if (!(await exists(path.join(absolute, ".git")))) return { found: "none" };
		throw new LodeError("REPOSITORY_UNREADABLE", `${absolute} has a .git that git does not take for a repository.`, {
			next: "Mend it, or remove the .git to have the folder ingested as it lies.",
		});
	}
	// No work tree: a bare repository, or somewhere inside a .git folder.
	const folder = await revParse(git, absolute, ["--absolute-git-dir"]);
	if (folder.code !== 0)
		throw gitFailure(`Reading the repository at ${absolute}`, folder.stderr, "REPOSITORY_UNREADABLE");
	const gitFolder = await canonical(folder.stdout.toString("utf8").replace(/\r?\n$/, ""));
	const address = path.basename(gitFolder) === ".git" ? path.dirname(gitFolder) : gitFolder;
	return { found: "repository", address };
}

/**
 * The address of a repository with a work tree and a commit, by one question: what nearly all are. Undefined where that does not say enough, for whatever
 * reason.
 */
export async function findCommitted(git: GitCommand, absolute: string): Promise<string | undefined> {
	const { code, stdout } = await revParse(git, absolute, ["--show-toplevel", "--verify", "--quiet", "HEAD^{commit}"]);
	// The commit stands last; the folder's name may have lines of its own.
	const topLevel = code === 0 ? /^(.+)\n[0-9a-f]{40,64}\n$/s.exec(stdout.toString("utf8"))?.[1] : undefined;
	return topLevel === undefined ? undefined : canonical(topLevel);
}

/**
 * Whether git is responsible for a path: a bundle, or a repository with a commit. One that cannot be read counts too, so that
 * its own error is reported and it is not taken for a plain folder.
 */
export async function hasGitHistory(git: GitCommand, absolute: string): Promise<boolean> {
	try {
		if ((await revParse(git, absolute, ["--verify", "--quiet", "HEAD^{commit}"])).code === 0) return true;
		const local = await findLocalRepository(git, absolute);
		if (local.found === "none") return false;
		if (local.found === "bundle") return true;
		const refs = await git.run(["-C", local.address, "for-each-ref", "--count=1"], call(absolute));
		return refs.code !== 0 || refs.stdout.length > 0 || (await isBare(git, local.address));
	} catch (error) {
		if (errorCode(error) === "SOURCE_UNAVAILABLE") return hasDotGit(absolute);
		return true;
	}
}

/** How to run git on a repository on this machine, only to read it. */
export function localCall(address: string): { readonly args: readonly string[]; readonly call: GitCall } {
	return { args: ["-C", address], call: call(address) };
}

async function isBare(git: GitCommand, address: string): Promise<boolean> {
	const answer = await revParse(git, address, ["--is-bare-repository"]);
	return answer.stdout.toString("latin1").trim() === "true";
}

/** The best answer without a git command. */
async function hasDotGit(absolute: string): Promise<boolean> {
	for (let folder = absolute; ; folder = path.dirname(folder)) {
		if (await exists(path.join(folder, ".git"))) return true;
		if (path.dirname(folder) === folder) return false;
	}
}

function revParse(git: GitCommand, folder: string, args: readonly string[]): Promise<GitResult> {
	return git.run(["-C", folder, "rev-parse", ...args], call(folder));
}

function call(folder: string) {
	return { env: gitEnvironment("discover"), cwd: path.parse(folder).root };
}

async function canonical(folder: string): Promise<string> {
	try {
		return await realpath(path.resolve(folder));
	} catch (error) {
		throw new LodeError("SOURCE_NOT_FOUND", `The repository's folder ${folder} cannot be found.`, { cause: error });
	}
}

async function exists(file: string): Promise<boolean> {
	return access(file).then(
		() => true,
		() => false,
	);
}
