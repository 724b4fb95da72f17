import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import envPaths from "env-paths";

const run = promisify(execFile);
const RUNNER = fileURLToPath(new URL("lance-search.py", import.meta.url));
const PACKAGES = ["lancedb==0.40.0", "numpy==2.4.6", "orjson==3.13.0"];

/** Milliseconds of LanceDB's exact search over the vectors in `<folder>/vectors.f32`, with and without a filter. */
export async function lanceSearch(
	folder: string,
	count: number,
	queries: readonly Float32Array[],
	note: (line: string) => void,
): Promise<{ plain: number[]; filtered: number[] }> {
	await writeFile(
		join(folder, "queries.f32"),
		Buffer.concat(queries.map((each) => Buffer.from(each.buffer, each.byteOffset, each.byteLength))),
	);
	const args = [RUNNER, folder, String(count), String(queries[0]?.length ?? 0)];
	const { stdout } = await run(await python(note), args, { maxBuffer: 2 ** 24 });
	return JSON.parse(stdout.trim().split("\n").at(-1) as string) as { plain: number[]; filtered: number[] };
}

/** In an environment of its own in Lode's cache; needs python3 and a package registry the first time. */
async function python(note: (line: string) => void): Promise<string> {
	const cache = process.env.LODE_CACHE_DIR ?? envPaths("lode", { suffix: "" }).cache;
	const environment = join(cache, "bench-peers", "venv-raw");
	if (!existsSync(join(environment, "installed"))) {
		note(`installing ${PACKAGES.join(" ")}`);
		await mkdir(join(cache, "bench-peers"), { recursive: true });
		await run("python3", ["-m", "venv", environment]);
		await run(join(environment, "bin", "pip"), ["install", "--quiet", ...PACKAGES]);
		await mkdir(join(environment, "installed"));
	}
	return join(environment, "bin", "python");
}
