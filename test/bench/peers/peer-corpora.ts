import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdtemp, rm } from "node:fs/promises";
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
	remove(): Promise<void>;
}

/** Go's copy of Temporal's server, where Lode built it here: 2,800 files, 28,000 chunks, few of them small. */
const TEMPORAL_SERVER = join(homedir(), "go/pkg/mod/go.temporal.io/server@v1.29.1");

const CORPORA: Readonly<Record<string, () => Promise<PeerCorpus | undefined>>> = {
	"samples-typescript": () => openCorpus("samples-typescript"),
	"temporal-server": () => fromFolder("temporal-server", TEMPORAL_SERVER),
	"generated-5000": () => generated(5_000),
};

/** One after the other; each is to be removed before the next is asked for. */
export async function* peerCorpora(names: readonly string[] = Object.keys(CORPORA)): AsyncGenerator<PeerCorpus> {
	for (const name of names) {
		const corpus = await CORPORA[name]?.();
		if (corpus !== undefined) yield corpus;
	}
}

async function generated(files: number): Promise<PeerCorpus> {
	const { repository, path } = await generateRepository(files);
	await repository.checkout();
	return { name: `generated-${files}`, path, remove: () => repository.remove() };
}

async function fromFolder(name: string, from: string): Promise<PeerCorpus | undefined> {
	if (!existsSync(from)) return undefined;
	const folder = await mkdtemp(join(tmpdir(), "lode-corpus-"));
	const path = join(folder, name);
	await cp(from, path, { recursive: true });
	// Go keeps its copies read-only.
	await run("chmod", ["-R", "u+w", path]);
	const git = (...args: string[]) => run("git", ["-C", path, ...args], { env: testGitEnvironment(), maxBuffer: 1e8 });
	await git("init", "--quiet", "--initial-branch=main");
	await git("add", "--all", "--force");
	await git("-c", "user.name=bench", "-c", "user.email=bench@example.org", "commit", "--quiet", "--message", name);
	await git("repack", "-a", "-d", "-q");
	return { name, path, remove: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }) };
}
