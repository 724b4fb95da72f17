import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { SourceReport } from "../../src/services/reports.js";
import { ApiProcess } from "../support/api-process.js";
import { createRepository, type TestRepository } from "../support/git-repository.js";
import { DevProcess, lodeJson } from "../support/lode-process.js";
import { type Delivery, deliveries } from "../support/webhook-sender.js";
import type { Bench, BenchOptions, Figure } from "./bench.js";
import { generateRepository } from "./generated-repository.js";
import { sendAll } from "./http-load.js";
import { figure, percentiles, quantile, rounded, timed } from "./measuring.js";
import { LEXICAL, type RunningLode, withRunningLode } from "./running-lode.js";

const SECRET = "bench-secret";
const GATEWAY = { LODE_WEBHOOK_SECRET_GITHUB: SECRET, LODE_WEBHOOK_RATE: "10000000", LODE_LOG_LEVEL: "error" };
const COMMITS = 20;
/** Not measured: code is compiled and caches are filled. */
const WARM_UP = 3;
const RECEIPTS = 10_000;
const SOURCES = 20;
const POLL_MS = 5;

/** From a webhook to what it leads to: one commit published, and a ledger that empties after an outage. */
export const webhookFlow: Bench = {
	summary:
		"webhook to published snapshot of a one-file commit, beside `ingest`; 10,000 waiting receipts of 20 sources drained",
	async run(options) {
		const published = await measurePublishing(options);
		const drained = await measureDraining(options);
		return {
			figures: [...published.figures, ...drained.figures],
			details: { published: published.details, drained: drained.details },
		};
	},
};

interface Measured {
	readonly figures: readonly Figure[];
	readonly details: Readonly<Record<string, unknown>>;
}

function pushed(path: string, commit: string, delivery: string): Delivery {
	return deliveries.github(SECRET, { ref: "refs/heads/main", after: commit, cloneUrl: path, delivery });
}

async function measurePublishing({ note }: BenchOptions): Promise<Measured> {
	const generated = await generateRepository(100);
	try {
		const { value } = await withRunningLode(async (lode) => {
			await lode.commander.ingest(generated.path, {});
			const gateway = await ApiProcess.start(lode.home, { ...LEXICAL, ...GATEWAY }, "gateway");
			try {
				const webhook: number[] = [];
				const ingest: number[] = [];
				// In turns: the machine is the same for both.
				for (let at = 0; at < WARM_UP + COMMITS; at += 1) {
					const told = await generated.edit(2 * at, `webhook${at}`);
					const { ms: viaWebhook } = await timed(async () => {
						await sendAll(gateway, [pushed(generated.path, told, `flow-${at}`)], 1);
						await untilPublished(lode, told);
					});
					await generated.edit(2 * at + 1, `ingest${at}`);
					const { ms: viaIngest } = await timed(() => lode.commander.ingest(generated.path, {}));
					if (at < WARM_UP) continue;
					webhook.push(rounded(viaWebhook));
					ingest.push(rounded(viaIngest));
				}
				return { webhook, ingest };
			} finally {
				await gateway.stop();
			}
		});
		const beside = { name: "the same by ingest, p50, ms", value: quantile(value.ingest, 0.5) };
		const figures = [
			...percentiles("webhook to published, one-file commit, 100 files", value.webhook, beside),
			...percentiles("ingest to published, one-file commit, 100 files", value.ingest),
		];
		note(figures.map(({ name, value: ms }) => `${name} ${ms} ms`).join("; "));
		return { figures, details: value };
	} finally {
		await generated.repository.remove();
	}
}

async function untilPublished({ reader }: RunningLode, commit: string): Promise<void> {
	while ((await reader.sources())[0]?.commit !== commit) await sleep(POLL_MS);
}

/** Temporal is away while they come; it is back when `lode dev` runs. */
async function measureDraining({ note }: BenchOptions): Promise<Measured> {
	const home = await mkdtemp(join(tmpdir(), "lode-drain-bench-"));
	const repositories: TestRepository[] = [];
	const closing: (() => Promise<unknown>)[] = [];
	try {
		const before = await DevProcess.start(home, LEXICAL);
		closing.push(() => before.stop());
		for (let at = 0; at < SOURCES; at += 1) {
			const repository = await createRepository();
			repositories.push(repository);
			await repository.commit({ files: { "a.md": `# Source ${at}\n` } });
			await lodeJson(home, ["ingest", repository.path], LEXICAL);
		}
		await before.stop();
		const heads = await Promise.all(
			repositories.map((repository, at) => repository.commit({ files: { "a.md": `# Source ${at}, changed\n` } })),
		);
		const gateway = await ApiProcess.start(home, { ...LEXICAL, ...GATEWAY }, "gateway");
		closing.push(() => gateway.stop());
		const made = Array.from({ length: RECEIPTS }, (_, n) => {
			const at = n % SOURCES;
			return pushed(repositories[at]?.path as string, heads[at] as string, `drain-${n}`);
		});
		const sent = await sendAll(gateway, made, 64);
		const waiting = async () => (await gateway.get("/health/webhook")).body.ledger.waiting as number;
		const held = await waiting();
		if (held !== RECEIPTS) throw new Error(`${held} of ${RECEIPTS} receipts wait`);
		const dev = await DevProcess.start(home, LEXICAL);
		closing.push(() => dev.stop());
		const started = performance.now();
		while ((await waiting()) > 0) await sleep(POLL_MS);
		const drained = performance.now() - started;
		for (;;) {
			const { sources } = await lodeJson<{ sources: SourceReport[] }>(home, ["sources", "--no-lag"], LEXICAL);
			if (sources.every(({ commit }) => heads.includes(commit ?? ""))) break;
		}
		const published = performance.now() - started;
		const figures = [
			figure(
				"waiting receipts drained, 10,000 of 20 sources, from Temporal's return",
				(RECEIPTS / drained) * 1_000,
				"objects/s",
			),
			figure("the last of 10,000 waiting receipts drained after Temporal's return", drained, "ms"),
			figure("20 commits of 10,000 waiting receipts published after Temporal's return", published, "ms"),
			figure("receipts accepted while Temporal is away, 64 connections", sent.rate, "objects/s"),
		];
		note(figures.map(({ name, value, unit }) => `${name} ${value} ${unit}`).join("; "));
		return { figures, details: { drained, published } };
	} finally {
		for (const close of closing.reverse()) await close();
		for (const repository of repositories) await repository.remove();
		await rm(home, { recursive: true, force: true, maxRetries: 5 });
	}
}
