import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { IngestReport } from "../../src/services/reports.js";
import { lodeJson } from "../support/lode-process.js";
import type { Bench, Figure } from "./bench.js";
import { figure, quantile, rounded, timed } from "./measuring.js";
import { PEER_CORPORA, type PeerCorpus } from "./peers/peer-corpora.js";
import { EmbeddingEndpoint, PEERS, type Peer, PeerTools, type Phase } from "./peers/peer-tools.js";
import { processorSeconds, processorSecondsByThread } from "./processor-time.js";
import { withRunningLode } from "./running-lode.js";

/** `LODE_BENCH_RUNS`: how often each of them runs, in turns; medians count. */
const RUNS = Number(process.env.LODE_BENCH_RUNS ?? 3);
/** `LODE_BENCH_CORPORA`: some of them, separated by commas. */
const CHOSEN = process.env.LODE_BENCH_CORPORA?.split(",");
const REPEATS = 5;
const CHANGES = 5;
/** The peers' runners measure each of these; `query` is left to the search bench. */
const PHASES: readonly Phase[] = ["cold", "noop", "change"];

/** What the peers use: see their README. They leave out files of more than 1 MiB, which would otherwise be a third of all chunks (one lock file). */
const settings = (url: string): Record<string, string> => ({
	LODE_EMBEDDING_PROVIDER: "openai",
	LODE_EMBEDDING_BASE_URL: url,
	LODE_EMBEDDING_MODEL: "hash-384",
	LODE_CHUNK_SIZE: "1000",
	LODE_CHUNK_OVERLAP: "200",
	LODE_MAX_FILE_BYTES: String(1 << 20),
});

/** Lode and its peers in turns, on the same files with the same endpoint: a first ingestion, nothing new, one file changed. */
export const peers: Bench = {
	summary: "beside a raw script and CocoIndex, which `--peers` installs: cold ingest, nothing new, one file; memory",
	async run({ full, note }) {
		const tools = await PeerTools.install(note);
		const endpoint = await EmbeddingEndpoint.start(tools);
		const figures: Figure[] = [];
		const details: Record<string, unknown> = {};
		try {
			for (const open of PEER_CORPORA.filter(({ name, large }) => CHOSEN?.includes(name) ?? (full || !large))) {
				const corpus = await open.open();
				if (corpus === undefined) {
					note(`${open.name} is not on this machine`);
					continue;
				}
				try {
					const lode: LodeRun[] = [];
					const seconds = new Map<string, number[]>();
					for (let run = 0; run < RUNS; run += 1) {
						for (const peer of PEERS) {
							for (const [phase, took] of await peerRun(tools, peer, corpus, endpoint.url)) {
								const key = `${peer} ${phase}`;
								seconds.set(key, [...(seconds.get(key) ?? []), took]);
							}
						}
						lode.push(await lodeRun(corpus, endpoint));
						note(`${corpus.name}: Lode ${JSON.stringify({ ...lode.at(-1), threads: undefined })}`);
						note(`  ${[...seconds].map(([key, all]) => `${key} ${rounded(all.at(-1) ?? 0, 2)} s`).join(", ")}`);
					}
					figures.push(...figuresOf(corpus.name, lode, seconds));
					details[corpus.name] = { lode, peers: Object.fromEntries(seconds) };
				} finally {
					await corpus.remove();
				}
			}
		} finally {
			await endpoint.stop();
		}
		return { figures, details };
	},
};

function figuresOf(corpus: string, lode: readonly LodeRun[], peerSeconds: ReadonlyMap<string, number[]>): Figure[] {
	const median = (series: readonly number[]) => quantile(series, 0.5);
	const beside = (peer: Peer, phase: Phase) => median(peerSeconds.get(`${peer} ${phase}`) ?? []);
	const of = (name: string, value: number, peer: Peer, phase: Phase, unit: "s" | "ms") =>
		figure(`${name}, ${corpus}`, value, unit, {
			name: `${peer} (${phase}), ${unit}`,
			value: beside(peer, phase) * (unit === "ms" ? 1_000 : 1),
		});
	const cold = median(lode.map((run) => run.cold));
	const nothing = median(lode.flatMap((run) => run.nothingNew));
	const change = median(lode.flatMap((run) => run.oneFile));
	return [
		of("cold ingest", cold, "raw", "cold", "s"),
		of("cold ingest", cold, "coco", "cold", "s"),
		of("nothing new", nothing, "coco", "noop", "ms"),
		of("one file to searchable", change, "coco", "change", "ms"),
		figure(`chunks a second, ${corpus}`, median(lode.map((run) => run.chunks / run.cold)), "chunks/s"),
		figure(`worker's peak memory, ${corpus}`, Math.max(...lode.map((run) => run.peakMb)), "MB"),
	];
}

async function peerRun(tools: PeerTools, peer: Peer, corpus: PeerCorpus, url: string): Promise<[Phase, number][]> {
	const work = await mkdtemp(join(tmpdir(), "lode-peer-"));
	const taken: [Phase, number][] = [];
	try {
		for (const phase of PHASES) {
			const restore = phase === "change" ? await corpus.touch(`peer${taken.length}`) : undefined;
			// The script keeps nothing: all of its phases are the first one.
			if (peer !== "raw" || phase === "cold")
				taken.push([phase, (await tools.run(peer, phase, corpus.path, work, url)).seconds]);
			await restore?.();
		}
		return taken;
	} finally {
		await rm(work, { recursive: true, force: true });
	}
}

interface LodeRun {
	/** Seconds of a `lode ingest` process, its start included, in a running `lode dev`. */
	readonly cold: number;
	readonly files: number;
	readonly chunks: number;
	/** Milliseconds through the service. */
	readonly nothingNew: readonly number[];
	/** Milliseconds from asking for the commit until a search returns its text. */
	readonly oneFile: readonly number[];
	/** Seconds of processor during the first ingestion. */
	readonly processor: Readonly<Record<string, number>>;
	readonly threads: readonly { name: string; seconds: number }[];
	readonly peakMb: number;
}

async function lodeRun(corpus: PeerCorpus, endpoint: EmbeddingEndpoint): Promise<LodeRun> {
	const environment = settings(endpoint.url);
	const { value, workerPeak = 0 } = await withRunningLode(async ({ home, commander, reader, pids }) => {
		const { worker, temporal } = await pids();
		const used = async () => ({
			worker: (await processorSeconds(worker)) ?? 0,
			temporal: (await processorSeconds(temporal)) ?? 0,
			endpoint: (await processorSeconds(endpoint.pid)) ?? 0,
		});
		const before = await used();
		const { ms, value: report } = await timed(() =>
			lodeJson<IngestReport>(home, ["ingest", corpus.path], environment, { timeoutMs: 30 * 60_000 }),
		);
		const after = await used();
		const threads = (await processorSecondsByThread(worker)).slice(0, 12);
		const nothingNew: number[] = [];
		for (let at = 0; at < REPEATS; at += 1) {
			nothingNew.push(rounded((await timed(() => commander.ingest(corpus.path, {}))).ms));
		}
		const oneFile: number[] = [];
		for (let at = 0; at < CHANGES; at += 1) {
			const word = `quokka${String.fromCharCode(97 + at)}`;
			const restore = await corpus.touch(word);
			await corpus.commit();
			const started = performance.now();
			await commander.ingest(corpus.path, {});
			while (!(await reader.search({ text: word, limit: 10 })).hits.some(({ text }) => text.includes(word))) {
				if (performance.now() - started > 60_000) throw new Error(`${word} does not become searchable`);
			}
			oneFile.push(rounded(performance.now() - started));
			await restore();
		}
		await corpus.commit();
		const processor = Object.fromEntries(
			Object.entries(after).map(([name, seconds]) => [name, rounded(seconds - before[name as keyof typeof before], 2)]),
		);
		const { chunks, files } = report;
		return { cold: rounded(ms / 1_000, 2), files: files.added, chunks, nothingNew, oneFile, processor, threads };
	}, environment);
	return { ...value, peakMb: rounded(workerPeak / 1e6) };
}
