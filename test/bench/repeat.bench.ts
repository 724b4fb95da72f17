import { lodeJson } from "../support/lode-process.js";
import type { Bench } from "./bench.js";
import { generateRepository } from "./generated-repository.js";
import { percentiles, timed } from "./measuring.js";
import { LEXICAL, withRunningLode } from "./running-lode.js";

const FILES = 1_000;
const REPEATS = 20;

/** Nothing was committed since: the answer comes from the catalog and starts no workflow. */
export const repeat: Bench = {
	summary: "ingest again with nothing new, `lode dev` running: through the service, and as a CLI process",
	async run({ note }) {
		const generated = await generateRepository(FILES);
		try {
			const { value } = await withRunningLode(async ({ home, commander }) => {
				await commander.ingest(generated.path, {});
				const service: number[] = [];
				const process: number[] = [];
				const start: number[] = [];
				for (let at = 0; at < REPEATS; at += 1) {
					const again = await timed(() => commander.ingest(generated.path, {}));
					if (again.value.outcome !== "unchanged") throw new Error(`a repeat was ${again.value.outcome}`);
					service.push(again.ms);
					process.push((await timed(() => lodeJson(home, ["ingest", generated.path], LEXICAL))).ms);
					start.push((await timed(() => lodeJson(home, ["config", "get"], LEXICAL))).ms);
				}
				return { service, process, start };
			});
			const started = percentiles("lode config get, CLI process", value.start);
			const figures = [
				...percentiles("repeat with nothing new, in process", value.service),
				...percentiles("repeat with nothing new, CLI process", value.process, {
					name: "lode config get, CLI process, p50, ms",
					value: started[0]?.value ?? 0,
				}),
				...started,
			];
			note(figures.map(({ name, value: ms }) => `${name} ${ms} ms`).join("; "));
			return { figures, details: { files: FILES, ...value } };
		} finally {
			await generated.repository.remove();
		}
	},
};
