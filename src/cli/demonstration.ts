import { existsSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { loadConfig } from "../config/config.js";
import type { LodeReader } from "../services/lode.js";
import { flush, realDependencies } from "./entry.js";
import { graphText, ingestText, searchText } from "./format.js";
import { Interrupts } from "./interrupts.js";
import { printable, writeError } from "./io.js";
import { Progress } from "./progress.js";

/**
 * `npm run demo`: ingests this project's own checkout with the embedded profile, asks three searches and one graph question, then the API
 * one question over GraphQL and one over REST, and stops everything that it started. Exit code 0 means that each of them had an answer.
 */

const SEARCHES = [
	"when is a record visible in a snapshot",
	"restart a child process that died",
	"split identifiers at camelCase and underscores",
];
const ENTITY = "isVisible";
const SHOWN = 3;

/** The folder of package.json: this file is dist/src/cli/demo.js there. */
function checkout(): string {
	return dirname(fileURLToPath(new URL("../../../package.json", import.meta.url)));
}

const dependencies = realDependencies();
const { io } = dependencies;
const print = (text: string) => io.stdout.write(printable(`${text}\n`));

async function ask(reader: LodeReader): Promise<void> {
	const width = io.stdout.columns ?? 100;
	for (const text of SEARCHES) {
		print(`\n$ lode search ${JSON.stringify(text)} --limit ${SHOWN}\n`);
		const report = await reader.search({ text, limit: SHOWN });
		print(searchText(report, width));
		if (report.hits.length === 0) throw new Error(`the search for ${text} found nothing`);
	}
	print(`\n$ lode graph show ${ENTITY}\n`);
	print(graphText(await reader.graph(ENTITY, { depth: 1, limit: 12 })));
}

/** It listens at once, and opens the stores meanwhile. */
async function ready(url: string): Promise<void> {
	for (let tries = 0; (await fetch(`${url}/health/ready`)).status !== 200; tries++) {
		if (tries > 300) throw new Error("the API does not become ready");
		await sleep(100);
	}
}

/** One query over each of the API's two ways in. */
async function askApi(url: string): Promise<void> {
	const graphql = `{ entity(entity: "${ENTITY}") { entity { kind neighbours(direction: OUT, kinds: [CALLS], first: 5) { nodes { entity { name } } } } } }`;
	print(`\nGraphQL: ${url}/graphql\n\n${graphql}\n`);
	const answer = await fetch(`${url}/graphql`, {
		method: "POST",
		headers: { "content-type": "application/json" },
		body: JSON.stringify({ query: graphql }),
	});
	const { data, errors } = (await answer.json()) as { data?: object; errors?: readonly { message: string }[] };
	if (errors) throw new Error(`GraphQL: ${errors[0]?.message}`);
	print(JSON.stringify(data));
	const place = `${url}/api/v1/search?limit=1&q=${encodeURIComponent(SEARCHES[0] as string)}`;
	print(`\nREST: GET ${place}\n`);
	const found = (await (await fetch(place)).json()) as {
		snapshot: number;
		hits: { path: string; startLine: number }[];
	};
	const [hit] = found.hits;
	if (!hit) throw new Error("the search over REST found nothing");
	print(JSON.stringify({ snapshot: found.snapshot, hits: [{ path: hit.path, startLine: hit.startLine }] }));
}

async function demo(): Promise<void> {
	const home = io.env.LODE_HOME || (await mkdtemp(join(tmpdir(), "lode-demo-")));
	const { config } = loadConfig({ flags: { LODE_HOME: home }, env: io.env, cwd: home });
	const target = checkout();
	print(`Everything is kept in ${config.home}`);
	const interrupts = new Interrupts(io.signals);
	const { signal, force } = interrupts;
	const progress = new Progress(io);
	await dependencies.withRuntime(
		config,
		(line) => progress.line(line),
		async (runtime) => {
			if (runtime.uiAddress !== null) print(`Temporal Web UI, while this runs: ${runtime.uiAddress}`);
			print(`\n$ lode ingest ${target}\n`);
			const commander = await dependencies.openCommander(config, { address: runtime.address });
			try {
				const report = await commander.ingest(target, { onProgress: progress.update, signal });
				progress.stop();
				print(ingestText(report));
			} finally {
				progress.stop();
				await commander.close();
			}
			const reader = await dependencies.openReader(config);
			try {
				await ask(reader);
			} finally {
				await reader.close();
			}
			const anyPort = { ...config, api: { ...config.api, host: "127.0.0.1", port: 0 } };
			const { address } = runtime;
			const api = await dependencies.startApi(anyPort, { address, explorer: false, signal }, (line) =>
				progress.line(line),
			);
			try {
				await ready(api.url);
				await askApi(api.url);
			} finally {
				await api.stop();
			}
			print("\nDone; stopping the API, Temporal and the worker.");
		},
		{ signal, force },
	);
	interrupts.dispose();
	const command = existsSync(join(target, "package.json")) ? "npm run -s lode --" : "lode";
	print(`Go on with it:  ${command} search "…" --home ${config.home}\nOr delete it: it is only that folder.`);
}

let code = 0;
try {
	await demo();
} catch (error) {
	code = writeError(io, error, false);
}
await Promise.all([flush(process.stdout), flush(process.stderr)]);
process.exit(code);
