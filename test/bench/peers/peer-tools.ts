import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import envPaths from "env-paths";

const run = promisify(execFile);
/** The peers' runners lie beside the checkout, as the corpora do. */
const RUNNERS = fileURLToPath(new URL("../../../../shared/bench/", import.meta.url));

export const PEERS = ["raw", "coco", "llama"] as const;
export type Peer = (typeof PEERS)[number];
export type Phase = "cold" | "noop" | "change" | "query";

const PACKAGES: Readonly<Record<Peer, readonly string[]>> = {
	raw: ["lancedb==0.40.0", "numpy==2.4.6", "orjson==3.13.0"],
	coco: ["cocoindex[lancedb]==1.0.26", "lancedb==0.40.0", "numpy==2.4.6"],
	llama: [
		...["llama-index-core==0.14.25", "llama-index-vector-stores-lancedb==0.6.0"],
		...["lancedb==0.40.0", "numpy==2.4.6", "pandas"],
	],
};

/** Runs a program and says on its last line of errors how much memory it had at most, in KiB (Linux). */
const WITH_PEAK = `import resource, subprocess, sys
done = subprocess.run(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(done.returncode)`;

/** What a peer says of one run, and what the system says of its process. */
export interface PeerRun {
	/** Wall. */
	readonly seconds: number;
	readonly peakMb: number;
	/** What its runner printed: `rows` it has in its store, `search_p50_ms` without the question's embedding … */
	readonly report: Readonly<Record<string, number>>;
}

/** The peers' runners, installed. They write beside themselves, so they are copied into a folder of the cache first. */
export class PeerTools {
	private constructor(readonly folder: string) {}

	/** Creates what is missing; needs python3 and a package registry the first time. */
	static async install(note: (line: string) => void): Promise<PeerTools> {
		const folder = join(process.env.LODE_CACHE_DIR ?? envPaths("lode", { suffix: "" }).cache, "bench-peers");
		await mkdir(folder, { recursive: true });
		for (const file of await readdir(RUNNERS).catch(() => [])) await copyFile(join(RUNNERS, file), join(folder, file));
		if (!(await exists(join(folder, "embed_server.py"))))
			throw new Error(`the peers' runners are not there: they are looked for in ${RUNNERS}`);
		for (const peer of PEERS) {
			const done = join(folder, `venv-${peer}`, "installed");
			if (await exists(done)) continue;
			note(`installing ${PACKAGES[peer].join(" ")}`);
			await run("python3", ["-m", "venv", join(folder, `venv-${peer}`)]);
			await run(join(folder, `venv-${peer}`, "bin", "pip"), ["install", "--quiet", ...PACKAGES[peer]]);
			await mkdir(done);
		}
		return new PeerTools(folder);
	}

	python(peer: Peer): string {
		return join(this.folder, `venv-${peer}`, "bin", "python");
	}

	/** One phase as a process of its own, its start included, as its user would run it. */
	async run(peer: Peer, phase: Phase, root: string, work: string, endpoint: string): Promise<PeerRun> {
		await mkdir(work, { recursive: true });
		const started = performance.now();
		const program = [this.python(peer), `peer_${peer}.py`, phase, root, work];
		const { stdout, stderr } = await run("python3", ["-c", WITH_PEAK, ...program], {
			cwd: this.folder,
			env: { ...process.env, EMBED_URL: endpoint },
			maxBuffer: 64 * 1024 * 1024,
		});
		const seconds = (performance.now() - started) / 1_000;
		const report = JSON.parse(stdout.trim().split("\n").at(-1) as string) as Record<string, number>;
		return { seconds, peakMb: Number(stderr.trim().split("\n").at(-1)) / 1_024, report };
	}

	/** The questions that every peer answers in its `query` phase. */
	async questions(): Promise<string[]> {
		const script = "import json; from common import QUERIES; print(json.dumps(QUERIES))";
		const { stdout } = await run(this.python("raw"), ["-c", script], { cwd: this.folder });
		return JSON.parse(stdout) as string[];
	}
}

/** The endpoint that all of them ask: OpenAI's protocol, one deterministic function, a modelled latency. */
export class EmbeddingEndpoint {
	private constructor(
		readonly url: string,
		readonly pid: number,
		private readonly child: ChildProcess,
	) {}

	static async start(tools: PeerTools): Promise<EmbeddingEndpoint> {
		const args = ["embed_server.py", "--port", "8765", "--base-ms", "20", "--per-input-ms", "0.1"];
		const child = spawn(tools.python("raw"), args, { cwd: tools.folder, stdio: ["ignore", "pipe", "inherit"] });
		for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
			const { url, pid } = JSON.parse(line) as { url: string; pid: number };
			return new EmbeddingEndpoint(url, pid, child);
		}
		throw new Error("the embedding endpoint did not start: is its port 8765 taken?");
	}

	/** Since the last time it was asked. */
	async stats(): Promise<{ requests: number; inputs: number; cpu_s: number; max_inflight: number }> {
		return (await fetch(`${this.url}/stats`)).json() as never;
	}

	async stop(): Promise<void> {
		if (this.child.exitCode !== null) return;
		this.child.kill("SIGTERM");
		await once(this.child, "exit");
	}
}

const exists = (path: string): Promise<boolean> =>
	stat(path).then(
		() => true,
		() => false,
	);
