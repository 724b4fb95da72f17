import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { testGitEnvironment } from "../support/git-repository.js";
import { generateRepository } from "./generated-repository.js";

const run = promisify(execFile);
const BUNDLES = fileURLToPath(new URL("../../../shared/corpora/", import.meta.url));

/** Real repositories by name, and the size of the generated one that stands in for them on machines without the bundles. */
const STAND_INS = { httpx: 120, "samples-typescript": 1_300 } as const;
export type CorpusName = keyof typeof STAND_INS;
export const CORPORA = Object.keys(STAND_INS) as readonly CorpusName[];

export interface Corpus {
	/** The corpus' name; `generated-<files>` for a stand-in. */
	readonly name: string;
	readonly path: string;
	readonly real: boolean;
	remove(): Promise<void>;
}

/** A clone with the full history of the corpus. */
export async function openCorpus(name: CorpusName): Promise<Corpus> {
	const bundle = join(BUNDLES, `${name}.bundle`);
	if (!existsSync(bundle)) {
		const files = STAND_INS[name];
		const { repository, path } = await generateRepository(files);
		return { name: `generated-${files}`, path, real: false, remove: () => repository.remove() };
	}
	const folder = await mkdtemp(join(tmpdir(), "lode-corpus-"));
	const path = join(folder, name);
	await run("git", ["clone", "--quiet", bundle, path], { env: testGitEnvironment(), windowsHide: true });
	return { name, path, real: true, remove: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }) };
}

/** Seconds that git alone takes to read every file of HEAD: no ingestion can be faster. */
export async function gitReadSeconds(path: string): Promise<number> {
	const started = performance.now();
	const child = spawn("git", ["-C", path, "archive", "--format=tar", "HEAD"], {
		env: testGitEnvironment(),
		stdio: ["ignore", "pipe", "ignore"],
		windowsHide: true,
	});
	child.stdout.resume();
	const [code] = (await once(child, "close")) as [number | null];
	if (code !== 0) throw new Error(`git archive of ${path} ended with ${code}`);
	return (performance.now() - started) / 1_000;
}
