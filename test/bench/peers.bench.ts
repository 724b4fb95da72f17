import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { IngestReport } from "../../src/services/reports.js";
import { lodeJson } from "../support/lode-process.js";
import type { Bench, Figure } from "./bench.js";
import { figure, quantile, rounded, timed } from "./measuring.js";
import { PEER_CORPORA, type PeerCorpus } from "./peers/peer-corpora.js";
import { EmbeddingEndpoint, PEERS, type Peer, type PeerRun, PeerTools, type Phase } from "./peers/peer-tools.js";
import { processorSeconds, processorSecondsByThread } from "./processor-time.js";
import { withRunningLode } from "./running-lode.js";

/** `LODE_BENCH_RUNS`: how often each of them runs, in turns; medians count. */
const RUNS = Number(process.env.LODE_BENCH_RUNS ?? 3);
/** `LODE_BENCH_CORPORA`: some of them, separated by commas. */
const CHOSEN = process.env.LODE_BENCH_CORPORA?.split(",");
const REPEATS = 5;
const CHANGES = 5;
const PHASES: readonly Phase[] = ["cold", "noop", "change", "query"];

/** What the peers use: see their README. They leave out files of more than 1 MiB, which would otherwise be a third of all chunks (one lock file). */
const settings = (url: string): Record<string, string> => ({
	LODE_EMBEDDING_PROVIDER: "openai",
	LODE_EMBEDDING_BASE_URL: url,
	LODE_EMBEDDING_MODEL: "hash-384",
	LODE_CHUNK_SIZE: "1000",
	LODE_CHUNK_OVERLAP: "200",
	LODE_MAX_FILE_BYTES: String(1 << 20),
});

/** Lode and its peers in turns, on the same files with the same endpoint: a first ingestion, nothing new, one file changed, fifty questions. */
export const peers: Bench = {
	summary:
		"beside a raw script, CocoIndex and LlamaIndex, which `--peers` installs: cold ingest, nothing new, one file, search; memory",
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
					const runs: PeerRuns = new Map();
					for (let run = 0; run < RUNS; run += 1) {
						for (const peer of PEERS) {
							for (const [phase, ran] of await peerRun(tools, peer, corpus, endpoint.url)) {
								const key = `${peer} ${phase}` as const;
								runs.set(key, [...(runs.get(key) ?? []), ran]);
							}
						}
						lode.push(await lodeRun(corpus, endpoint, await tools.questions()));
						note(`${corpus.name}: Lode ${JSON.stringify({ ...lode.at(-1), threads: undefined })}`);
						const last = [...runs].map(([key, all]) => `${key} ${rounded(all.at(-1)?.seconds ?? 0, 2)} s`);
						note(`  ${last.join(", ")}`);
					}
					figures.push(...figuresOf(corpus.name, lode, runs));
					details[corpus.name] = { lode, peers: Object.fromEntries(runs) };
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

type PeerRuns = Map<`${Peer} ${Phase}`, PeerRun[]>;

function figuresOf(corpus: string, lode: readonly LodeRun[], runs: PeerRuns): Figure[] {
	const median = (series: readonly number[]) => quantile(series, 0.5);
	const peer = (key: `${Peer} ${Phase}`, of: (run: PeerRun) => number) => median((runs.get(key) ?? []).map(of));
	const cold = median(lode.map((run) => run.cold));
	const nothing = median(lode.flatMap((run) => run.nothingNew));
	const change = median(lode.flatMap((run) => run.oneFile));
	const search = median(lode.flatMap((run) => run.searches));
	const peak = Math.max(...lode.map((run) => run.peakMb));
	const figures = [figure(`chunks a second, ${corpus}`, median(lode.map((run) => run.chunks / run.cold)), "chunks/s")];
	for (const name of PEERS) {
		const beside = (what: string, value: number, unit: "s" | "ms" | "MB", phase: Phase, of: (run: PeerRun) => number) =>
			figures.push(
				figure(`${what}, ${corpus}`, value, unit, {
					name: `${name} (${phase}), ${unit}`,
					value: peer(`${name} ${phase}`, of),
				}),
			);
		beside("cold ingest", cold, "s", "cold", ({ seconds }) => seconds);
		beside("worker's peak memory", peak, "MB", "cold", ({ peakMb }) => peakMb);
		beside("search p50", search, "ms", "query", ({ report }) => report.p50_ms ?? 0);
		// The script keeps nothing: all of its phases are the first one.
		if (name === "raw") continue;
		beside("nothing new", nothing, "ms", "noop", ({ seconds }) => seconds * 1_000);
		beside("one file to searchable", change, "ms", "change", ({ seconds }) => seconds * 1_000);
	}
	return figures;
}

async function peerRun(tools: PeerTools, peer: Peer, corpus: PeerCorpus, url: string): Promise<[Phase, PeerRun][]> {
	const work = await mkdtemp(join(tmpdir(), "lode-peer-"));
	const taken: [Phase, PeerRun][] = [];
	try {
		for (const phase of PHASES) {
			// The script keeps nothing: all of its phases are the first one.
			if (peer === "raw" && (phase === "noop" || phase === "change")) continue;
			const restore = phase === "change" ? await corpus.touch(`peer${taken.length}`) : undefined;
			taken.push([phase, await tools.run(peer, phase, corpus.path, work, url)]);
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
	/** Milliseconds of each question for ten hits, hybrid, in a process that stays. */
	readonly searches: readonly number[];
	/** Seconds of processor during the first ingestion. */
	readonly processor: Readonly<Record<string, number>>;
	readonly threads: readonly { name: string; seconds: number }[];
	readonly peakMb: number;
}

async function lodeRun(corpus: PeerCorpus, endpoint: EmbeddingEndpoint, questions: string[]): Promise<LodeRun> {
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
		const searches: number[] = [];
		for (const text of questions) searches.push(rounded((await timed(() => reader.search({ text, limit: 10 }))).ms));
		const processor = Object.fromEntries(
			Object.entries(after).map(([name, seconds]) => [name, rounded(seconds - before[name as keyof typeof before], 2)]),
		);
		const { chunks, files } = report;
		return {
			cold: rounded(ms / 1_000, 2),
			files: files.added,
			chunks,
			nothingNew,
			oneFile,
			searches,
			processor,
			threads,
		};
	}, environment);
	return { ...value, peakMb: rounded(workerPeak / 1e6) };
}
