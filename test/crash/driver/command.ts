import { parseArgs } from "node:util";
import prepareServers from "../../support/server-fleet.js";
import { ALL_FAULTS, type CrashOptions, commandOf, DEFAULTS, FAULT_KINDS, type FaultKind } from "./options.js";
import { describe } from "./report.js";
import { runCrash } from "./run-crash.js";

const HELP = `npm run test:crash -- [OPTION…]

Runs the gateway, lode dev (worker, Temporal) and, with --profile servers, the stores as processes; makes commits, sends webhooks of them, and
injects faults meanwhile. Then every webhook that was answered with 200 must have its effect once, in order, with the digests of an undisturbed run,
and nothing of a discarded ingestion may be left in any store. What is planned follows from the seed and the sizes. Exit code 1: something was wrong.

  --seed N          default: of the clock's, printed
  --seeds N         so many runs, from the seed on
  --profile P       embedded (default) or servers (see npm run servers:install)
  --faults LIST     of ${ALL_FAULTS.join(",")}; default all
  --sources N       default ${DEFAULTS.sources}
  --commits N       of all sources together; default ${DEFAULTS.commits}
  --webhooks N      of all commits together, repeats and reorderings; default ${DEFAULTS.webhooks}
  --clients N       senders at a time; default ${DEFAULTS.clients}
  --pace MS         mean pause between two commits; default ${DEFAULTS.paceMs}
  --every MS        mean pause between two faults; default ${DEFAULTS.everyMs}
  --min-faults N    faults go on until there were so many; default 0
  --patience MS     how long nothing may come forward at the end; default ${DEFAULTS.patienceMs}
  --json            the report as JSON on standard output
  --quiet           no line for every fault
  --keep            keeps the home of a good run too; that of a bad one always stays
  --help            this text

Faults:
${Object.entries(FAULT_KINDS)
	.map(([name, text]) => `  ${name.padEnd(10)} ${text}`)
	.join("\n")}

LODE_TEST_NO_BUILD=1 runs dist/ as it is.`;

function parse(args: readonly string[]) {
	const text = { type: "string" } as const;
	const flag = { type: "boolean" } as const;
	return parseArgs({
		args: [...args],
		options: {
			...{ seed: text, seeds: text, profile: text, faults: text, sources: text, commits: text, webhooks: text },
			...{ clients: text, pace: text, every: text, "min-faults": text, patience: text },
			...{ json: flag, quiet: flag, keep: flag, help: flag },
		},
	}).values;
}

type Values = ReturnType<typeof parse>;

function number(values: Values, name: keyof Values, fallback: number): number {
	const given = values[name];
	if (given === undefined) return fallback;
	if (!/^\d+$/.test(String(given))) throw new Error(`--${name}: a number, not ${given}`);
	return Number(given);
}

function optionsOf(values: Values): CrashOptions {
	const { profile = DEFAULTS.profile, faults } = values;
	if (profile !== "embedded" && profile !== "servers")
		throw new Error(`--profile: embedded or servers, not ${profile}`);
	const kinds = faults?.split(",") ?? ALL_FAULTS;
	const unknown = kinds.filter((kind) => !(kind in FAULT_KINDS));
	if (unknown.length > 0) throw new Error(`--faults: ${unknown.join(", ")}: there are ${ALL_FAULTS.join(", ")}`);
	return {
		seed: number(values, "seed", Date.now() % 1_000_000_000),
		profile,
		faults: kinds as FaultKind[],
		sources: number(values, "sources", DEFAULTS.sources),
		commits: number(values, "commits", DEFAULTS.commits),
		webhooks: number(values, "webhooks", DEFAULTS.webhooks),
		clients: number(values, "clients", DEFAULTS.clients),
		paceMs: number(values, "pace", DEFAULTS.paceMs),
		everyMs: number(values, "every", DEFAULTS.everyMs),
		minFaults: number(values, "min-faults", DEFAULTS.minFaults),
		patienceMs: number(values, "patience", DEFAULTS.patienceMs),
		keep: values.keep ?? false,
	};
}

/** Returns the exit code: 2 for a wrong command line, 1 when something was lost, doubled, out of order or left over. */
export async function main(args: readonly string[]): Promise<number> {
	let values: Values;
	let options: CrashOptions;
	let seeds: number;
	try {
		values = parse(args);
		options = optionsOf(values);
		seeds = number(values, "seeds", 1);
	} catch (error) {
		console.error(`${(error as Error).message}\n\nnpm run test:crash -- --help`);
		return 2;
	}
	if (values.help) {
		console.log(HELP);
		return 0;
	}
	for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
	const endServers = await prepareServers();
	let failed = 0;
	try {
		for (let seed = options.seed; seed < options.seed + seeds; seed += 1) {
			const own = { ...options, seed };
			console.error(commandOf(own));
			const began = performance.now();
			const say = (line: string) =>
				console.error(`${((performance.now() - began) / 1_000).toFixed(1).padStart(7)} s ${line}`);
			const report = await runCrash(own, (line) => (values.quiet && line.startsWith("  ") ? undefined : say(line)));
			console.error(describe(report, own));
			if (values.json) console.log(JSON.stringify(report));
			if (report.problems.length > 0) failed += 1;
		}
	} finally {
		await endServers();
	}
	return failed === 0 ? 0 : 1;
}
