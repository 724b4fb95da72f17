import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { IngestReport } from "../../src/services/reports.js";
import { lodeJson } from "../support/lode-process.js";
import type { Bench, Figure } from "./bench.js";
import { figure, quantile, rounded, timed } from "./measuring.js";
import { type PeerCorpus, peerCorpora } from "./peers/peer-corpora.js";
import { EmbeddingEndpoint, PEERS, type PeerRun, PeerTools } from "./peers/peer-tools.js";
import { processorSeconds, processorSecondsByThread } from "./processor-time.js";
import { withRunningLode } from "./running-lode.js";

/** What the peers use: see their README. */
const settings = (url: string): Record<string, string> => ({
	LODE_EMBEDDING_PROVIDER: "openai",
	LODE_EMBEDDING_BASE_URL: url,
	LODE_EMBEDDING_MODEL: "hash-384",
	LODE_CHUNK_SIZE: "1000",
	LODE_CHUNK_OVERLAP: "200",
});

/** Lode and its peers in turns on the same files with the same endpoint. */
export const cold: Bench = {
	summary: "cold ingest beside the peers (`--peers` installs them): the same files, endpoint and chunk size",
	async run({ note }) {
		const tools = await PeerTools.install(note);
		const endpoint = await EmbeddingEndpoint.start(tools);
		const figures: Figure[] = [];
		const details: Record<string, unknown> = {};
		const runs = Number(process.env.LODE_BENCH_RUNS ?? 3);
		const peers = process.env.LODE_BENCH_PEERS?.split(",") ?? PEERS;
		try {
			for await (const corpus of peerCorpora(process.env.LODE_BENCH_CORPORA?.split(","))) {
				const lode: LodeCold[] = [];
				const others = new Map(PEERS.map((peer) => [peer, [] as PeerRun[]]));
				try {
					for (let run = 0; run < runs; run += 1) {
						for (const peer of PEERS) {
							if (!peers.includes(peer)) continue;
							const work = await mkdtemp(join(tmpdir(), "lode-peer-"));
							others.get(peer)?.push(await tools.run(peer, "cold", corpus.path, work, endpoint.url));
							await rm(work, { recursive: true, force: true });
						}
						lode.push(await coldIngest(corpus, endpoint));
						note(`${corpus.name}: ${JSON.stringify(lode.at(-1))}`);
						for (const [peer, done] of others) note(`  ${peer} ${rounded(done.at(-1)?.seconds ?? Number.NaN, 2)} s`);
					}
				} finally {
					await corpus.remove();
				}
				const seconds = quantile(
					lode.map((each) => each.seconds),
					0.5,
				);
				for (const [peer, done] of others) {
					if (done.length === 0) continue;
					const value = quantile(
						done.map((each) => each.seconds),
						0.5,
					);
					figures.push(figure(`cold ingest of ${corpus.name}`, seconds, "s", { name: peer, value }));
				}
				details[corpus.name] = { lode, peers: Object.fromEntries(others) };
			}
		} finally {
			await endpoint.stop();
		}
		return { figures, details };
	},
};

interface LodeCold {
	readonly seconds: number;
	readonly files: number;
	readonly chunks: number;
	/** Seconds of processor by process. */
	readonly processor: Readonly<Record<string, number>>;
	readonly threads: readonly { name: string; seconds: number }[];
	readonly peakMb: number;
}

async function coldIngest(corpus: PeerCorpus, endpoint: EmbeddingEndpoint): Promise<LodeCold> {
	const environment = settings(endpoint.url);
	const { value, workerPeak = 0 } = await withRunningLode(async ({ home, pids }) => {
		const { worker, temporal } = await pids();
		const used = async () => ({
			worker: (await processorSeconds(worker)) ?? 0,
			temporal: (await processorSeconds(temporal)) ?? 0,
			endpoint: (await processorSeconds(endpoint.pid)) ?? 0,
		});
		const before = await used();
		const { ms, value: report } = await timed(() => lodeJson<IngestReport>(home, ["ingest", corpus.path], environment));
		const after = await used();
		return {
			seconds: rounded(ms / 1_000, 2),
			files: report.files.added,
			chunks: report.chunks,
			processor: Object.fromEntries(
				Object.entries(after).map(([name, seconds]) => [
					name,
					rounded(seconds - before[name as keyof typeof before], 2),
				]),
			),
			threads: (await processorSecondsByThread(worker)).slice(0, 8),
		};
	}, environment);
	return { ...value, peakMb: rounded(workerPeak / 1e6) };
}
