import type { Bench, Figure } from "./bench.js";
import { generateRepository } from "./generated-repository.js";
import { figure, rounded, timed } from "./measuring.js";
import { withRunningLode } from "./running-lode.js";

/** Whether the worker's memory follows the batch or the repository: its peak while ever larger ones are first ingested. */
export const memory: Bench = {
	summary: "the worker's peak memory by repository size, up to 200,000 files with --full",
	async run({ full, note }) {
		const figures: Figure[] = [];
		const details: Record<string, unknown> = {};
		for (const files of full ? [1_000, 5_000, 20_000, 200_000] : [1_000, 5_000]) {
			const generated = await generateRepository(files);
			try {
				const { value, workerPeak = 0 } = await withRunningLode(({ commander }) =>
					timed(() => commander.ingest(generated.path, {})),
				);
				figures.push(figure(`worker's peak memory, first ingestion of ${files} files`, workerPeak / 1e6, "MB"));
				details[files] = { seconds: rounded(value.ms / 1_000), chunks: value.value.chunks };
				note(`${files} files: ${rounded(workerPeak / 1e6)} MB, ${rounded(value.ms / 1_000)} s`);
			} finally {
				await generated.repository.remove();
			}
		}
		return { figures, details };
	},
};
