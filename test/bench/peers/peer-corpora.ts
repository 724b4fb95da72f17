import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { testGitEnvironment } from "../../support/git-repository.js";
import { openCorpus } from "../corpora.js";
import { generateRepository } from "../generated-repository.js";

const run = promisify(execFile);

/** A checked-out repository: the peers read its work tree, Lode its head. */
export interface PeerCorpus {
	readonly name: string;
	readonly path: string;
	/** Puts a line with the word into the middle of one file of some 8,000 bytes; returns how to undo that. */
	touch(word: string): Promise<() => Promise<void>>;
	/** All of the work tree as it is, as a commit of the branch. */
	commit(): Promise<void>;
	remove(): Promise<void>;
}

interface Corpus {
	readonly name: string;
	readonly large: boolean;
	/** Undefined where this machine does not have it. */
	readonly open: () => Promise<PeerCorpus | undefined>;
}

/** Go's copy of Temporal's server, where Lode built it here: 2,800 files, and most of its text in few of them. */
const TEMPORAL_SERVER = join(homedir(), "go/pkg/mod/go.temporal.io/server@v1.29.1");

export const PEER_CORPORA: readonly Corpus[] = [
	{
		name: "samples-typescript",
		large: false,
		open: async () => {
			const { path, name, remove } = await openCorpus("samples-typescript");
			return checkedOut(name, path, remove);
		},
	},
	{ name: "generated-2000", large: false, open: () => generated(2_000) },
	{ name: "generated-10000", large: true, open: () => generated(10_000) },
	{ name: "temporal-server", large: true, open: () => fromFolder("temporal-server", TEMPORAL_SERVER) },
];

const git = (path: string, ...args: string[]) =>
	run("git", ["-C", path, "-c", "user.name=bench", "-c", "user.email=bench@example.org", ...args], {
		env: testGitEnvironment(),
		maxBuffer: 1e8,
	});

async function checkedOut(name: string, path: string, remove: () => Promise<void>): Promise<PeerCorpus> {
	const { stdout } = await git(path, "ls-tree", "-r", "-l", "HEAD");
	const sizes = stdout.split("\n").flatMap((line) => {
		const [, size, file] = /^100\d{3} blob [0-9a-f]+ +(\d+)\t(.*\.(?:ts|py|go))$/.exec(line) ?? [];
		return file === undefined ? [] : [{ file, far: Math.abs(Number(size) - 8_000) }];
	});
	const [target] = sizes.sort((a, b) => a.far - b.far);
	if (target === undefined) throw new Error(`${name} has no file to change`);
	const file = join(path, target.file);
	return {
		name,
		path,
		async touch(word) {
			const original = await readFile(file, "utf8");
			const lines = original.split("\n");
			lines.splice(Math.floor(lines.length / 2), 0, `${file.endsWith(".py") ? "#" : "//"} ${word}`);
			await writeFile(file, lines.join("\n"));
			return () => writeFile(file, original);
		},
		commit: async () => void (await git(path, "commit", "--quiet", "--all", "--allow-empty", "--message", "change")),
		remove,
	};
}

async function generated(files: number): Promise<PeerCorpus> {
	const { repository, path } = await generateRepository(files);
	await repository.checkout();
	return checkedOut(`generated-${files}`, path, () => repository.remove());
}

async function fromFolder(name: string, from: string): Promise<PeerCorpus | undefined> {
	if (!existsSync(from)) return undefined;
	const folder = await mkdtemp(join(tmpdir(), "lode-corpus-"));
	const path = join(folder, name);
	await cp(from, path, { recursive: true });
	// Go keeps its copies read-only.
	await run("chmod", ["-R", "u+w", path]);
	await git(path, "init", "--quiet", "--initial-branch=main");
	await git(path, "add", "--all", "--force");
	await git(path, "commit", "--quiet", "--message", name);
	return checkedOut(name, path, () => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
}
