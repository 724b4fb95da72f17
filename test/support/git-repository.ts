import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";

/** What a path holds: text or bytes of a plain file, or one of the other things that a tree can hold. */
export type TestContent =
	| string
	| Uint8Array
	| { readonly content: string | Uint8Array; readonly executable: boolean }
	| { readonly symlink: string | Uint8Array }
	/** The commit id of the submodule. */
	| { readonly submodule: string };

/** By path; as a list of pairs where a path is bytes. */
export type TestFiles =
	| Readonly<Record<string, TestContent>>
	| readonly (readonly [path: string | Uint8Array, content: TestContent])[];

export interface TestCommit {
	readonly files?: TestFiles;
	readonly deletes?: readonly (string | Uint8Array)[];
	/** Changes the mode only, of files that the first parent has. */
	readonly modes?: Readonly<Record<string, "100644" | "100755">>;
	readonly message?: string | Uint8Array;
	readonly author?: { readonly name: string | Uint8Array; readonly email: string };
	/** ISO 8601. Default: one minute after the commit before. */
	readonly date?: string;
	/** Of message and author, when they are bytes in another one than UTF-8. */
	readonly encoding?: string;
	/** Default: the branch that HEAD names, created where it is missing. */
	readonly branch?: string;
	/** Default: the branch's tip. Empty: a root commit. Several: a merge. */
	readonly parents?: readonly string[];
}

export interface TestRepository {
	/** The top level of the work tree (or the bare repository). Nothing is checked out until `checkout`. */
	readonly path: string;
	/** Returns the commit id, the same for the same commits on every machine. */
	commit(commit?: TestCommit): Promise<string>;
	/** Creates or moves a branch. */
	branch(name: string, at?: string): Promise<void>;
	/** Moves a branch to a commit that does not follow its tip, as a forced push does. */
	forcePush(branch: string, to: string): Promise<void>;
	deleteBranch(name: string): Promise<void>;
	tag(name: string, at?: string, options?: { readonly annotated?: boolean }): Promise<void>;
	/** HEAD names a branch, or, with a commit id, nothing but the commit. */
	head(branchOrCommit: string): Promise<void>;
	/** Makes the work tree what HEAD says. */
	checkout(): Promise<void>;
	/** Writes a bundle beside the repository and returns its path. Default: all branches and HEAD. */
	bundle(name: string, revisions?: readonly string[]): Promise<string>;
	/** Clones it into a new folder and returns that. */
	clone(options?: { readonly depth?: number; readonly bare?: boolean; readonly at?: string }): Promise<string>;
	/** Any other git command on it; returns its standard output without the last line feed. */
	git(...args: string[]): Promise<string>;
	/** Deletes the repository, and what was cloned and bundled from it stays. */
	vanish(): Promise<void>;
	/** Deletes everything of it. */
	remove(): Promise<void>;
}

const FIRST_DATE = Date.UTC(2024, 0, 1);
const AUTHOR = { name: "Ada Lovelace", email: "ada@example.org" };

/** A throw-away repository under the system's temporary folder, made by git itself (fast-import), so anything git can hold fits in. */
export async function createRepository(
	options: { readonly bare?: boolean; readonly branch?: string; readonly objectFormat?: "sha1" | "sha256" } = {},
): Promise<TestRepository> {
	const root = await mkdtemp(path.join(tmpdir(), "lode-repository-"));
	const folder = path.join(root, "repository");
	const bare = options.bare === true ? ["--bare"] : [];
	const format = options.objectFormat === "sha256" ? ["--object-format=sha256"] : [];
	const initial = `--initial-branch=${options.branch ?? "main"}`;
	await runGit(["init", "--quiet", "--template=", initial, ...bare, ...format, folder], root);
	let commits = 0;
	let clones = 0;
	const git = async (...args: string[]): Promise<string> => {
		const output = await runGit(["-C", folder, ...args], root);
		return output.toString("utf8").replace(/\n$/, "");
	};
	const revParse = (name: string): Promise<string | undefined> =>
		git("rev-parse", "--verify", "--quiet", name).catch(() => undefined);
	const headBranch = (): Promise<string | undefined> =>
		git("symbolic-ref", "--quiet", "--short", "HEAD").catch(() => undefined);

	return {
		path: folder,
		async commit(commit = {}) {
			const branch = commit.branch ?? (await headBranch());
			const ref = branch === undefined ? "refs/heads/detached-work" : `refs/heads/${branch}`;
			const tip = await revParse(branch === undefined ? "HEAD" : ref);
			const parents = commit.parents ?? (tip === undefined ? [] : [tip]);
			commits += 1;
			const seconds = Math.floor((commit.date ? Date.parse(commit.date) : FIRST_DATE + commits * 60_000) / 1_000);
			const { name, email } = commit.author ?? AUTHOR;
			const person = Buffer.concat([bytes(name), bytes(` <${email}> ${seconds} +0000\n`)]);
			const stream: Uint8Array[] = [];
			const say = (...parts: (string | Uint8Array)[]): void => void stream.push(...parts.map(bytes));
			// Onto a ref of its own first: fast-import takes a branch's tip for the parent of a commit that names none.
			say("commit refs/lode-test/new\nmark :1\nauthor ", person, "committer ", person);
			if (commit.encoding !== undefined) say(`encoding ${commit.encoding}\n`);
			say(data(commit.message ?? `Commit ${commits}`));
			for (const [index, parent] of parents.entries()) say(`${index === 0 ? "from" : "merge"} ${parent}\n`);
			for (const deleted of commit.deletes ?? []) say("D ", quoted(deleted), "\n");
			for (const [file, content] of pairs(commit.files ?? {})) say(fileCommand(file, content));
			for (const [file, mode] of Object.entries(commit.modes ?? {})) {
				say(`M ${mode} ${await git("rev-parse", `${parents[0]}:${file}`)} `, quoted(file), "\n");
			}
			say("\nget-mark :1\n");
			const id = (await runGit(["-C", folder, "fast-import", "--quiet", "--force"], root, Buffer.concat(stream)))
				.toString("latin1")
				.trim();
			await git("update-ref", "-d", "refs/lode-test/new");
			if (branch === undefined) await git("update-ref", "--no-deref", "HEAD", id);
			else await git("update-ref", ref, id);
			return id;
		},
		branch: async (name, at = "HEAD") => void (await git("update-ref", `refs/heads/${name}`, at)),
		forcePush: async (branch, to) => void (await git("update-ref", `refs/heads/${branch}`, to)),
		deleteBranch: async (name) => void (await git("update-ref", "-d", `refs/heads/${name}`)),
		async tag(name, at = "HEAD", { annotated = false } = {}) {
			await git("tag", ...(annotated ? ["--annotate", "--message", `Tag ${name}`] : []), name, at);
		},
		async head(branchOrCommit) {
			if (/^[0-9a-f]{40,64}$/.test(branchOrCommit)) await git("update-ref", "--no-deref", "HEAD", branchOrCommit);
			else await git("symbolic-ref", "HEAD", `refs/heads/${branchOrCommit}`);
			if (/^[0-9a-f]{40,64}$/.test(branchOrCommit)) await git("checkout", "--quiet", "--detach", branchOrCommit);
		},
		checkout: async () => void (await git("reset", "--quiet", "--hard")),
		async bundle(name, revisions = ["--all", "HEAD"]) {
			const file = path.join(root, name);
			await git("bundle", "create", "--quiet", file, ...revisions);
			return file;
		},
		async clone({ depth, bare: asBare = false, at } = {}) {
			clones += 1;
			const place = at ?? path.join(root, `clone-${clones}`);
			const shallow = depth === undefined ? [] : [`--depth=${depth}`];
			const kind = asBare ? ["--bare"] : [];
			// The file:// form: from a plain path git copies everything and ignores the depth.
			await runGit(["clone", "--quiet", ...shallow, ...kind, `file://${folder}`, place], root);
			return place;
		},
		git,
		vanish: () => rm(folder, { recursive: true, force: true }),
		remove: () => rm(root, { recursive: true, force: true, maxRetries: 5 }),
	};
}

/** An environment in which git neither sees the tester's settings nor, inside a hook, the repository that is being committed to. */
export function testGitEnvironment(): NodeJS.ProcessEnv {
	const env = Object.fromEntries(
		Object.entries(process.env).filter(([name]) => !name.toUpperCase().startsWith("GIT_")),
	);
	return {
		...env,
		LC_ALL: "C",
		GIT_CONFIG_NOSYSTEM: "1",
		GIT_CONFIG_GLOBAL: "/dev/null",
		GIT_AUTHOR_NAME: AUTHOR.name,
		GIT_AUTHOR_EMAIL: AUTHOR.email,
		GIT_AUTHOR_DATE: "2024-01-01T00:00:00Z",
		GIT_COMMITTER_NAME: AUTHOR.name,
		GIT_COMMITTER_EMAIL: AUTHOR.email,
		GIT_COMMITTER_DATE: "2024-01-01T00:00:00Z",
	};
}

function runGit(args: readonly string[], cwd: string, input: Uint8Array = Buffer.alloc(0)): Promise<Buffer> {
	return new Promise((resolve, reject) => {
		const child = spawn("git", args, { cwd, env: testGitEnvironment(), windowsHide: true });
		const output: Buffer[] = [];
		let errors = "";
		child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
		child.stderr.on("data", (chunk: Buffer) => {
			errors += chunk.toString("utf8");
		});
		child.once("error", reject);
		child.once("close", (code) => {
			if (code === 0) resolve(Buffer.concat(output));
			else reject(new Error(`git ${args.join(" ")} ended with ${code}: ${errors}`));
		});
		// Most commands end without reading it.
		child.stdin.on("error", () => {});
		child.stdin.end(input);
	});
}

function fileCommand(file: string | Uint8Array, content: TestContent): Uint8Array {
	if (typeof content === "string" || content instanceof Uint8Array) return inline("100644", file, content);
	if ("symlink" in content) return inline("120000", file, content.symlink);
	if ("submodule" in content)
		return Buffer.concat([bytes(`M 160000 ${content.submodule} `), quoted(file), bytes("\n")]);
	return inline(content.executable ? "100755" : "100644", file, content.content);
}

function inline(mode: string, file: string | Uint8Array, content: string | Uint8Array): Uint8Array {
	return Buffer.concat([bytes(`M ${mode} inline `), quoted(file), bytes("\n"), data(content)]);
}

function data(content: string | Uint8Array): Uint8Array {
	const raw = bytes(content);
	return Buffer.concat([bytes(`data ${raw.length}\n`), raw, bytes("\n")]);
}

/** As fast-import reads paths: in quotes, with every unusual byte in octal. */
function quoted(file: string | Uint8Array): Uint8Array {
	const text = [...bytes(file)]
		.map((byte) =>
			byte > 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c
				? String.fromCharCode(byte)
				: `\\${byte.toString(8).padStart(3, "0")}`,
		)
		.join("");
	return bytes(`"${text}"`);
}

function pairs(files: TestFiles): readonly (readonly [string | Uint8Array, TestContent])[] {
	return Array.isArray(files) ? files : Object.entries(files);
}

function bytes(value: string | Uint8Array): Buffer {
	return typeof value === "string" ? Buffer.from(value, "utf8") : Buffer.from(value);
}
