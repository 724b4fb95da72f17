import { execFileSync } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { loadavg } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { apiSearch } from "./api-search.bench.js";
import type { Bench } from "./bench.js";
import { chartsOf } from "./chart.js";
import { commit } from "./commit.bench.js";
import { dgraph } from "./dgraph.bench.js";
import { durability } from "./durability.bench.js";
import { graph } from "./graph.bench.js";
import { ingest } from "./ingest.bench.js";
import { describeMachine, measureLimits } from "./machine.js";
import { many } from "./many.bench.js";
import { rounded } from "./measuring.js";
import { memory } from "./memory.bench.js";
import { peers } from "./peers.bench.js";
import { repeat } from "./repeat.bench.js";
import { type BenchReport, markdown } from "./report.js";
import { retrieval } from "./retrieval.bench.js";
import { s3 } from "./s3.bench.js";
import { search } from "./vector-search.bench.js";
import { weaviate } from "./weaviate.bench.js";
import { webhookFlow } from "./webhook-flow.bench.js";
import { webhooks } from "./webhooks.bench.js";

const BENCHES: Readonly<Record<string, Bench>> = {
	commit,
	repeat,
	ingest,
	memory,
	durability,
	many,
	peers,
	search,
	"api-search": apiSearch,
	retrieval,
	graph,
	dgraph,
	weaviate,
	s3,
	webhooks,
	"webhook-flow": webhookFlow,
};
const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const RESULTS = join(ROOT, "bench-results");

const HELP = `npm run bench -- [NAME…] [--full] [--out FILE]
npm run bench -- --peers [--full] [--out FILE]
npm run bench -- --markdown FILE

Measures this checkout on this machine and writes the figures as JSON, and a chart of each bench and unit beside it. Without names all but \`peers\` of:
${Object.entries(BENCHES)
	.map(([name, { summary }]) => `  ${name.padEnd(12)} ${summary}`)
	.join("\n")}

  --peers          the bench peers: installs them (python3 and a package registry are needed) and runs Lode and them in turns
  --full           the large inputs too (20,000 files, a million chunks; an hour and more)
  --out FILE       where the JSON goes; default bench-results/latest.json, and a copy by time beside it
  --markdown FILE  measures nothing: prints the figures of a JSON file as a Markdown table
  --help           this text

Run it on a quiet machine: the load average stands beside each figure. LODE_BENCH_NO_BUILD=1 measures dist/ as it is.`;

/** Returns the exit code: 2 for a wrong command line, 1 when a bench failed. The others still run, and their figures are written. */
export async function main(args: readonly string[]): Promise<number> {
	let parsed: ReturnType<typeof parse>;
	try {
		parsed = parse(args);
	} catch (error) {
		return usage((error as Error).message);
	}
	const { values, positionals } = parsed;
	if (values.help) {
		console.log(HELP);
		return 0;
	}
	if (values.markdown !== undefined) {
		console.log(markdown(JSON.parse(await readFile(values.markdown, "utf8")) as BenchReport));
		return 0;
	}
	const all = Object.keys(BENCHES).filter((name) => name !== "peers");
	const names = positionals.length > 0 ? [...positionals] : values.peers ? [] : all;
	if (values.peers && !names.includes("peers")) names.push("peers");
	const unknown = names.find((name) => !Object.hasOwn(BENCHES, name));
	if (unknown !== undefined)
		return usage(`there is no bench ${unknown}; there are: ${Object.keys(BENCHES).join(", ")}`);

	const report = await measure(names, values.full ?? false);
	const out = resolve(values.out ?? join(RESULTS, "latest.json"));
	await write(out, report);
	if (values.out === undefined) await write(join(RESULTS, `${report.startedAt.replaceAll(":", "-")}.json`), report);
	console.log(markdown(report));
	console.error(`written to ${out}`);
	return Object.values(report.benches).some(({ error }) => error !== undefined) ? 1 : 0;
}

function parse(args: readonly string[]) {
	return parseArgs({
		args: [...args],
		allowPositionals: true,
		options: {
			full: { type: "boolean" },
			peers: { type: "boolean" },
			out: { type: "string" },
			markdown: { type: "string" },
			help: { type: "boolean", short: "h" },
		},
	});
}

async function measure(names: readonly string[], full: boolean): Promise<BenchReport> {
	const startedAt = new Date().toISOString();
	const benches: BenchReport["benches"] = {};
	for (const name of names) {
		const { run } = BENCHES[name] as Bench;
		console.error(`${name} …`);
		const limits = measureLimits();
		const started = performance.now();
		const took = () => rounded((performance.now() - started) / 1_000);
		try {
			const result = await run({ full, note: (line) => console.error(`  ${line}`) });
			benches[name] = { limits, ...result, seconds: took() };
		} catch (error) {
			console.error(error);
			benches[name] = { limits, figures: [], seconds: took(), error: (error as Error).message };
		}
	}
	const load = rounded(loadavg()[0] ?? 0, 2);
	return { schema: 1, startedAt, commit: checkedOut(), full, machine: describeMachine(), load, benches };
}

/** The commit that was measured, with `+` where the work tree differs from it; null without git. */
function checkedOut(): string | null {
	const git = (...args: string[]) =>
		execFileSync("git", args, { cwd: ROOT, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
	try {
		return `${git("rev-parse", "--short=12", "HEAD")}${git("status", "--porcelain", "-uno") === "" ? "" : "+"}`;
	} catch {
		return null;
	}
}

async function write(file: string, report: BenchReport): Promise<void> {
	await mkdir(dirname(file), { recursive: true });
	await writeFile(file, `${JSON.stringify(report, null, "\t")}\n`);
	const charts = join(dirname(file), "charts");
	await mkdir(charts, { recursive: true });
	for (const [bench, { figures }] of Object.entries(report.benches)) {
		for (const [name, svg] of chartsOf(bench, figures)) await writeFile(join(charts, name), svg);
	}
}

function usage(message: string): number {
	console.error(`${message}\nSee: npm run bench -- --help`);
	return 2;
}
