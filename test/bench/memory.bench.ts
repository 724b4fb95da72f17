import type { Bench, Figure } from "./bench.js";
import { type GeneratedRepository, generateRepository } from "./generated-repository.js";
import { figure, percentiles, rounded, timed } from "./measuring.js";
import { peakOfRunning, residentOfRunning } from "./peak-memory.js";
import { type RunningLode, withRunningLode } from "./running-lode.js";

const WATCH_EVERY_MS = 2_000;
/** Growth of the peak that is worth a line. */
const WORTH_A_LINE = 20e6;
const REPEATS = 20;
const COMMITS = 10;

/** Whether the worker's memory follows the batch or the repository: its peak while ever larger ones are first ingested. */
export const memory: Bench = {
	summary:
		"the worker's peak memory by repository size, up to 200,000 files with --full; then what a repeat and a commit cost there",
	async run({ full, note }) {
		const figures: Figure[] = [];
		const details: Record<string, unknown> = {};
		for (const files of sizes(full)) {
			const generated = await generateRepository(files);
			note(`${files} files: the repository is there`);
			try {
				const { value, workerPeak = 0 } = await withRunningLode((lode) => measure(lode, generated, note));
				const { seconds, chunks, entities, verified, repeats, commits, search, histories } = value;
				const size = `${files.toLocaleString("en")} files`;
				figures.push(figure(`worker's peak memory, first ingestion of ${files} files`, workerPeak / 1e6, "MB"));
				figures.push(figure(`first ingestion of ${size}`, seconds, "s"));
				figures.push(...percentiles(`repeat with nothing new, ${size}`, repeats));
				figures.push(...percentiles(`one-file commit published, ${size}`, commits));
				figures.push(figure(`lode verify, ${size}`, verified.seconds, "s"));
				details[files] = { seconds, chunks, entities, verified, repeats, commits, search, histories };
				note(`${files} files: ${rounded(workerPeak / 1e6)} MB, ${rounded(seconds)} s`);
			} finally {
				await generated.repository.remove();
			}
		}
		return { figures, details };
	},
};

/** `LODE_BENCH_FILES=20000,50000` chooses others. */
function sizes(full: boolean): number[] {
	const chosen = (process.env.LODE_BENCH_FILES ?? "").split(",").map(Number).filter(Boolean);
	if (chosen.length > 0) return chosen;
	return full ? [1_000, 5_000, 20_000, 200_000] : [1_000, 5_000];
}

async function measure(lode: RunningLode, generated: GeneratedRepository, note: (line: string) => void) {
	const { commander, reader, temporal } = lode;
	const watch = await watchWorker(lode, note);
	try {
		const ingest = () => commander.ingest(generated.path, { onProgress: watch.at });
		const first = await timed(ingest);
		const { chunks, entities, workflowId = "", runId } = first.value;
		note(`published after ${rounded(first.ms / 1_000)} s: ${chunks} chunks, ${entities} entities`);
		const description = await temporal.workflow.getHandle(workflowId, runId ?? undefined).describe();
		const repeats: number[] = [];
		for (let at = 0; at < REPEATS; at += 1) repeats.push((await timed(ingest)).ms);
		note(`repeats: ${repeats.map(Math.round).join(" ")} ms`);
		const commits: number[] = [];
		for (let at = 0; at < COMMITS; at += 1) {
			await generated.edit(at, `quokka${String.fromCharCode(97 + at)}`);
			commits.push((await timed(ingest)).ms);
		}
		note(`one-file commits: ${commits.map(Math.round).join(" ")} ms`);
		const search = await timed(() => reader.search({ text: "quokkaa session handle", limit: 10 }));
		if (!search.value.hits.some(({ text }) => text.includes("quokkaa"))) throw new Error("a commit is not found");
		note(`a search: ${rounded(search.ms)} ms`);
		const verification = await timed(() => reader.verify({}));
		if (!verification.value.ok) throw new Error(`lode verify: ${JSON.stringify(verification.value).slice(0, 2_000)}`);
		return {
			seconds: first.ms / 1_000,
			chunks,
			entities,
			repeats: repeats.map((ms) => rounded(ms)),
			commits: commits.map((ms) => rounded(ms)),
			search: rounded(search.ms),
			verified: { seconds: rounded(verification.ms / 1_000), ok: verification.value.ok },
			histories: { events: description.historyLength, bytes: description.historySize },
		};
	} finally {
		watch.end();
	}
}

/** A line whenever the worker's peak has grown, with what it was doing. */
async function watchWorker({ pids }: RunningLode, note: (line: string) => void) {
	const { worker } = await pids();
	let [doing, told, last] = ["", 0, 0];
	const look = async () => {
		const [peak = 0, resident = 0] = await Promise.all([peakOfRunning(worker), residentOfRunning(worker)]);
		if (peak - told < WORTH_A_LINE && performance.now() - last < 60_000) return;
		[told, last] = [peak, performance.now()];
		note(`worker ${rounded(resident / 1e6)} MB, at most ${rounded(peak / 1e6)} MB: ${doing}`);
	};
	const timer = setInterval(() => void look(), WATCH_EVERY_MS);
	return {
		at: ({
			stage,
			filesDone,
			filesTotal,
			chunks,
		}: {
			stage: string;
			filesDone: number;
			filesTotal: number;
			chunks: number;
		}) => {
			doing = `${stage}, ${filesDone} of ${filesTotal} files, ${chunks} chunks`;
		},
		end: () => clearInterval(timer),
	};
}
