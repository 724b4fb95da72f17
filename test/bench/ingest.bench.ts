import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { IngestReport } from "../../src/services/reports.js";
import { lodeJson } from "../support/lode-process.js";
import type { Bench, Figure } from "./bench.js";
import { CORPORA, gitReadSeconds, openCorpus } from "./corpora.js";
import { generateRepository } from "./generated-repository.js";
import { figure, rounded, timed } from "./measuring.js";
import { LEXICAL, withRunningLode } from "./running-lode.js";

/** Everything that a first ingestion does, with everything on: full history, symbols, graph, archive, vectors, verification. */
export const ingest: Bench = {
	summary: "cold ingest: files/s, chunks/s and the worker's peak memory, in a running `lode dev` and standalone",
	async run({ full, note }) {
		const figures: Figure[] = [];
		const details: Record<string, unknown> = {};
		for (const wanted of CORPORA) {
			const corpus = await openCorpus(wanted);
			try {
				const git = await gitReadSeconds(corpus.path);
				const { value, workerPeak } = await withRunningLode(({ home }) =>
					timed(() => lodeJson<IngestReport>(home, ["ingest", corpus.path], LEXICAL)),
				);
				figures.push(
					...rates(`cold ingest of ${corpus.name}, lode dev running`, value, git),
					...peak(corpus.name, workerPeak),
				);
				const standalone = await ingestStandalone(corpus.path);
				figures.push(...rates(`cold ingest of ${corpus.name}, standalone`, standalone, git));
				details[corpus.name] = {
					...sizes(value.value),
					running: rounded(value.ms),
					standalone: rounded(standalone.ms),
				};
				note(`${corpus.name}: ${rounded(value.ms / 1_000)} s, standalone ${rounded(standalone.ms / 1_000)} s`);
			} finally {
				await corpus.remove();
			}
		}
		for (const files of full ? [5_000, 20_000] : [5_000]) {
			const generated = await generateRepository(files);
			const name = `generated-${files}`;
			try {
				const git = await gitReadSeconds(generated.path);
				const { value, workerPeak } = await withRunningLode(({ commander }) =>
					timed(() => commander.ingest(generated.path, {})),
				);
				figures.push(...rates(`cold ingest of ${name}, lode dev running`, value, git), ...peak(name, workerPeak));
				details[name] = { ...sizes(value.value), running: rounded(value.ms) };
				note(`${name}: ${rounded(value.ms / 1_000)} s`);
			} finally {
				await generated.repository.remove();
			}
		}
		return { figures, details };
	},
};

/** Temporal and a worker are started for it and stopped again: the process' whole life is timed. */
async function ingestStandalone(path: string): Promise<{ ms: number; value: IngestReport }> {
	const home = await mkdtemp(join(tmpdir(), "lode-bench-"));
	try {
		return await timed(() => lodeJson<IngestReport>(home, ["ingest", path], LEXICAL));
	} finally {
		await rm(home, { recursive: true, force: true, maxRetries: 5 });
	}
}

function rates(name: string, { ms, value }: { ms: number; value: IngestReport }, gitSeconds: number): Figure[] {
	const seconds = ms / 1_000;
	return [
		figure(`${name}, wall`, seconds, "s", { name: "git archive of the same files, s", value: gitSeconds }),
		figure(`${name}, files`, filesOf(value) / seconds, "files/s"),
		figure(`${name}, chunks`, value.chunks / seconds, "chunks/s"),
	];
}

function peak(name: string, bytes: number | undefined): Figure[] {
	return bytes === undefined ? [] : [figure(`worker's peak memory, ingest of ${name}`, bytes / 1e6, "MB")];
}

function filesOf({ files }: IngestReport): number {
	return files.added + files.changed;
}

function sizes(report: IngestReport) {
	const { chunks, entities, embedded, reused, files } = report;
	return { files: filesOf(report), failed: files.failed, chunks, entities, embedded, reused };
}
