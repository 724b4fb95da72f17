import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import "../support/run-from-source.mjs";

/**
 * `npm run fuzz`: Schemathesis over the OpenAPI document of a real `lode dev`, with an admin key, after each operation has once reached a 2xx. It fails
 * where an answer is a 5xx or is not in the document. SCHEMATHESIS names the program (`pip install schemathesis`); further arguments are its own.
 * Runs `dist/`: build first. Erasable types only.
 */
const SCHEMATHESIS = process.env.SCHEMATHESIS ?? "schemathesis";
const MAIN = fileURLToPath(new URL("../../dist/src/cli/main.js", import.meta.url));
const CHECKS = [
	"not_a_server_error",
	"status_code_conformance",
	"content_type_conformance",
	"response_headers_conformance",
	"response_schema_conformance",
	"ignored_auth",
	"use_after_free",
];

const { createRepository } = await import("../support/git-repository.js");
const { startGitServer } = await import("../support/git-server.js");
const { seedApi } = await import("./seed-api.js");

const folder = await mkdtemp(join(tmpdir(), "lode-fuzz-"));
const home = join(folder, "home");
const env = {
	...process.env,
	LODE_HOME: home,
	LODE_API_PORT: "0",
	LODE_API_RATE: "10000000",
	LODE_REMOTE_ALLOW: "127.0.0.1",
	LODE_RECONCILE_EVERY: "0",
};
const lode = (...args: string[]) => {
	const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args, "--json"], { env, encoding: "utf8" });
	if (status !== 0) throw new Error(`lode ${args[0]} exited with ${status}: ${stderr}`);
	return JSON.parse(stdout);
};

const repository = await createRepository({ bare: true });
const server = await startGitServer(join(repository.path, ".."));
const { secret } = lode("key", "create", "fuzz", "--role", "admin") as { secret: string };
const dev = spawn(process.execPath, [MAIN, "dev", "--json"], { env, stdio: ["ignore", "pipe", "inherit"] });
let failed = false;
try {
	const [ready] = await Promise.race([once(dev.stdout, "data"), once(dev, "close")]);
	const { apiUrl } = JSON.parse(String(ready)) as { apiUrl: string };
	const seeded = await seedApi({ url: apiUrl, secret, repository, target: server.url });
	const hars: string[] = [];
	// What deletes comes last, and alone: else the fuzzer revokes its own key, and all the rest is 401.
	for (const selection of [
		["--exclude-method", "DELETE"],
		["--include-method", "DELETE"],
	]) {
		const har = join(folder, `answers-${hars.length}.har`);
		const args = [
			"run",
			`${apiUrl}/api/v1/openapi.json`,
			...["--url", apiUrl, "--header", `Authorization: Bearer ${secret}`],
			...["--checks", CHECKS.join(","), "--continue-on-failure", "--request-timeout", "60"],
			...["--suppress-health-check", "all", "--warnings", "off", "--report", "har", "--report-har-path", har],
			...selection,
			...process.argv.slice(2),
		];
		const fuzzed = spawn(SCHEMATHESIS, args, { stdio: "inherit", cwd: folder });
		const [code] = (await once(fuzzed, "close")) as [number];
		failed ||= code !== 0;
		hars.push(har);
	}
	await printReached(seeded, hars, apiUrl);
} finally {
	dev.kill("SIGTERM");
	await once(dev, "close");
	await server.close();
	await repository.remove();
	await rm(folder, { recursive: true, force: true });
}
process.exitCode = failed ? 1 : 0;

interface Har {
	readonly log: {
		readonly entries: readonly {
			readonly request: { readonly method: string; readonly url: string };
			readonly response: { readonly status: number };
		}[];
	};
}

/** A row an operation: what seeding reached, and how often the fuzzer got which class of answer. */
async function printReached(
	seeded: ReadonlyMap<string, number>,
	hars: readonly string[],
	apiUrl: string,
): Promise<void> {
	const read = hars.map(async (har) => (JSON.parse(await readFile(har, "utf8")) as Har).log.entries);
	const entries = (await Promise.all(read)).flat();
	const document = (await (await fetch(`${apiUrl}/api/v1/openapi.json`)).json()) as {
		paths: Record<string, Record<string, unknown>>;
	};
	const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
		Object.keys(methods).map((method) => ({
			name: `${method.toUpperCase()} ${path}`,
			method: method.toUpperCase(),
			shape: new RegExp(`^${path.replace(/[.]/g, "\\.").replace(/\{\w+\}/g, "[^/]*")}$`),
		})),
	);
	const counts = new Map(operations.map(({ name }) => [name, new Map<string, number>()]));
	for (const { request, response } of entries) {
		const { pathname } = new URL(request.url);
		// The one with the fewest placeholders: `…/wait` is no id.
		const found = operations.filter(({ method, shape }) => method === request.method && shape.test(pathname));
		const [best] = found.sort((a, b) => a.name.split("{").length - b.name.split("{").length);
		const classes = best && counts.get(best.name);
		const kind = `${Math.floor(response.status / 100)}xx`;
		if (classes) classes.set(kind, (classes.get(kind) ?? 0) + 1);
	}
	for (const { name } of operations) {
		const classes = [...(counts.get(name) ?? [])].sort().map(([kind, count]) => `${count} ${kind}`);
		const seed = seeded.get(name);
		if (seed === undefined && !counts.get(name)?.has("2xx")) failed = true;
		process.stdout.write(`${name.padEnd(56)} seeded ${seed ?? "not"}; fuzzed ${classes.join(", ") || "nothing"}\n`);
	}
}
