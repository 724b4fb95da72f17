import { createRepository, type TestRepository } from "../support/git-repository.js";
import type { Bench, BenchOptions } from "./bench.js";
import { type GeneratedRepository, generateRepository } from "./generated-repository.js";
import { figure, percentiles, quantile, rounded, timed } from "./measuring.js";
import { processorSeconds } from "./processor-time.js";
import { type RunningLode, withRunningLode } from "./running-lode.js";

/** Sources that are ingested one after the other, for comparison. */
const ONE_BY_ONE = 20;

/**
 * Many sources with a commit each at once, and one with a large one among them: none should wait for it. Beside it as many, one after the other: small ones
 * before, and a large one of the same size after all others.
 */
export const many: Bench = {
	summary: "many sources with a commit each at once, beside one large ingestion: their spread, and throughput",
	async run(options) {
		const sources = options.full ? 500 : 60;
		const repositories: TestRepository[] = [];
		const size = options.full ? 5_000 : 1_000;
		const large = [await generateRepository(size), await generateRepository(size)] as const;
		try {
			for (let at = 0; at < sources + ONE_BY_ONE; at += 1) repositories.push(await smallRepository(at));
			const { value } = await withRunningLode((lode) => measure(lode, repositories, large, options));
			const { together, single, elapsed, largeMs, aloneMs, events, used } = value;
			const inTurn = (quantile(single, 0.5) * sources + aloneMs) / sources;
			const [firsts, lasts] = [quantile(together, 0.05), quantile(together, 0.95)];
			return {
				figures: [
					...percentiles(`published after, ${sources} sources at once`, together),
					figure("the latest twentieth beside the earliest", lasts, "ms", { name: "p5, ms", value: firsts }),
					figure("a source and its part of the large one, all at once", Math.max(elapsed, largeMs) / sources, "ms", {
						name: "the same one after the other, ms",
						value: inTurn,
					}),
					...(Number.isNaN(used.together)
						? []
						: [
								figure("the same in processor time of worker and server", used.together, "ms", {
									name: "one after the other, ms",
									value: used.inTurn,
								}),
							]),
					figure("the large ingestion beside them", largeMs / 1_000, "s", { name: "alone, s", value: aloneMs / 1_000 }),
					figure("the longest history, of 51,200 events", events / 51_200, "fraction"),
				],
				details: value,
			};
		} finally {
			for (const { repository } of large) await repository.remove();
			for (const repository of repositories) await repository.remove();
		}
	},
};

async function measure(
	{ commander, temporal, pids }: RunningLode,
	repositories: readonly TestRepository[],
	[large, other]: readonly [GeneratedRepository, GeneratedRepository],
	{ note }: BenchOptions,
) {
	const single: number[] = [];
	/** Of worker and server together, without processes that they started. Milliseconds; NaN where the system does not say. */
	const processor = async () => {
		const { worker, temporal: server } = await pids();
		const own = await Promise.all([worker, server].map((pid) => processorSeconds(pid, { children: false })));
		return own.reduce<number>((sum, seconds) => sum + (seconds ?? Number.NaN) * 1_000, 0);
	};
	const began = await processor();
	for (const { path } of repositories.slice(0, ONE_BY_ONE)) {
		single.push((await timed(() => commander.ingest(path, {}))).ms);
	}
	const afterSingle = await processor();
	const started = performance.now();
	const big = timed(() => commander.ingest(large.path, {}));
	const together: number[] = [];
	const reports = await Promise.all(
		repositories.slice(ONE_BY_ONE).map(async ({ path }) => {
			const report = await commander.ingest(path, {});
			together.push(rounded(performance.now() - started));
			return report;
		}),
	);
	const elapsed = performance.now() - started;
	const { ms: largeMs, value: largeReport } = await big;
	const afterTogether = await processor();
	const { ms: aloneMs } = await timed(() => commander.ingest(other.path, {}));
	const afterAlone = await processor();
	const sources = together.length;
	const used = {
		together: (afterTogether - afterSingle) / sources,
		inTurn: (afterSingle - began) / ONE_BY_ONE + (afterAlone - afterTogether) / sources,
	};
	let events = 0;
	for (const { workflowId, runId } of [largeReport, ...reports.slice(0, 5)]) {
		const { historyLength } = await temporal.workflow.getHandle(workflowId ?? "", runId ?? undefined).describe();
		events = Math.max(events, historyLength);
	}
	note(`${together.length} sources in ${rounded(elapsed / 1_000)} s, the large one in ${rounded(largeMs / 1_000)} s`);
	return { together, single, elapsed, largeMs, aloneMs, events, used };
}

async function smallRepository(number: number): Promise<TestRepository> {
	const repository = await createRepository();
	await repository.commit({
		message: `Add service ${number}`,
		files: {
			"README.md": `# Service ${number}\n\nWhat service ${number} does.\n`,
			"src/main.ts": `import { run } from "./run.js";\n\nrun(${number});\n`,
			"src/run.ts": `/** Runs it. */\nexport function run(n: number): number {\n\treturn n + ${number};\n}\n`,
		},
	});
	return repository;
}
