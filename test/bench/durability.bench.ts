import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { WORKER_ENVIRONMENT, WORKER_FLAGS } from "../../src/runtime/children.js";
import { environment } from "../support/lode-process.js";
import type { Bench } from "./bench.js";
import type { DirectIngest } from "./direct-ingest.js";
import { generateRepository } from "./generated-repository.js";
import { figure, quantile, rounded, timed } from "./measuring.js";
import { LEXICAL, withRunningLode } from "./running-lode.js";

const run = promisify(execFile);
const DIRECT = fileURLToPath(new URL("./direct-process.mjs", import.meta.url));
const RUNS = 3;

/** What it costs to be durable: the same activities with the same stores, through Temporal and in a loop. */
export const durability: Bench = {
	summary: "cold ingest through Temporal beside the same activities called in a loop, in turns",
	async run({ full, note }) {
		const files = full ? 5_000 : 1_000;
		const generated = await generateRepository(files);
		const [durable, direct]: [number[], number[]] = [[], []];
		try {
			for (let at = 0; at < RUNS; at += 1) {
				// Both in a process that just started. The loop has the Temporal server beside it too, which has nothing to do then.
				await withRunningLode(async ({ address }) => {
					const home = await mkdtemp(join(tmpdir(), "lode-bench-"));
					try {
						const args = [...WORKER_FLAGS, DIRECT, generated.path, address];
						const { stdout } = await run(process.execPath, args, {
							env: { ...environment(home, LEXICAL), ...WORKER_ENVIRONMENT },
							maxBuffer: 1e8,
						});
						direct.push((JSON.parse(stdout) as DirectIngest).seconds);
					} finally {
						await rm(home, { recursive: true, force: true, maxRetries: 5 });
					}
				});
				const { value } = await withRunningLode(({ commander }) => timed(() => commander.ingest(generated.path, {})));
				durable.push(value.ms / 1_000);
				note(`${files} files: ${rounded(durable.at(-1) ?? 0, 2)} s, in a loop ${rounded(direct.at(-1) ?? 0, 2)} s`);
			}
		} finally {
			await generated.repository.remove();
		}
		const beside = { name: "the same activities in a loop, s", value: quantile(direct, 0.5) };
		return {
			figures: [figure(`cold ingest through Temporal, ${files} files`, quantile(durable, 0.5), "s", beside)],
			details: { durable, direct },
		};
	},
};
