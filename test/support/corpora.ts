import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const FOLDER = fileURLToPath(new URL("../../../shared/corpora/", import.meta.url));
const run = promisify(execFile);

export type CorpusName = "jaffle-shop-classic" | "httpx" | "samples-typescript";

export interface Corpus {
	readonly path: string;
	/** All commits that HEAD reaches, parents before children. */
	readonly commits: readonly string[];
	remove(): Promise<void>;
}

/** The real repositories stand beside the checkout on some machines only. */
export const hasCorpora = existsSync(join(FOLDER, "httpx.bundle"));
if (!hasCorpora) console.warn(`skipping tests on real repositories: there is no ${FOLDER}`);

/** A clone of one of them, as a user would have it. */
export async function cloneCorpus(name: CorpusName): Promise<Corpus> {
	const root = await mkdtemp(join(tmpdir(), "lode-corpus-"));
	const path = join(root, name);
	const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith("GIT_")));
	const options = { env, maxBuffer: 64 * 1024 * 1024 };
	await run(
		"git",
		["clone", "--quiet", "-c", "advice.detachedHead=false", join(FOLDER, `${name}.bundle`), path],
		options,
	);
	const { stdout } = await run("git", ["-C", path, "rev-list", "--topo-order", "--reverse", "HEAD"], options);
	return {
		path,
		commits: stdout.trim().split("\n"),
		remove: () => rm(root, { recursive: true, force: true, maxRetries: 3 }),
	};
}
