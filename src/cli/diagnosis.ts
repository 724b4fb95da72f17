import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, statfs, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { accessTo } from "../../temporal/server/connection.js";
import { locateTemporal } from "../../temporal/server/find.js";
import { probeTemporal, temporalAnswers } from "../../temporal/server/ready.js";
import { type Config, loadConfig } from "../config/config.js";
import { RunFolder } from "../runtime/runtime-file.js";
import type { Check } from "../services/reports.js";
import type { Invocation } from "./cli.js";
import { describeError } from "./io.js";

const run = promisify(execFile);
/** Bytes. Below the first an ingestion is likely to fail; below the second a large one may. */
const SPACE = { fail: 200e6, warn: 2e9 };

/** Everything that Lode needs, in the order in which it needs it. Never throws. */
export async function diagnose(invocation: Invocation): Promise<Check[]> {
	const checks: Check[] = [node(), await git()];
	let config: Config;
	try {
		config = loadConfig(invocation.sources).config;
		checks.push({ name: "configuration", status: "ok", found: "valid" });
	} catch (error) {
		return [...checks, failed("configuration", error)];
	}
	checks.push(
		await home(config),
		await temporal(config, invocation),
		await embeddings(config, invocation),
		...(await invocation.dependencies.checkServers(config)),
		await stores(config, invocation),
		await runtime(config, invocation),
	);
	return checks;
}

function failed(name: string, error: unknown): Check {
	const { code, message, next } = describeError(error);
	return { name, status: "fail", found: `${code}: ${message}`, ...(next === undefined ? {} : { mend: next }) };
}

function node(): Check {
	const { version } = process;
	const ok = Number(process.versions.node.split(".")[0]) >= 24;
	return { name: "Node", status: ok ? "ok" : "fail", found: version, mend: "Install Node 24 or later, or run npm ci." };
}

/** 2.30 has what the mirror needs; older ones are no longer maintained by any system that has Node 24. */
async function git(): Promise<Check> {
	const mend = "Install git 2.30 or later (https://git-scm.com): repositories are read with it.";
	try {
		const { stdout } = await run("git", ["--version"], { timeout: 10_000, windowsHide: true });
		const [, major = 0, minor = 0] = /(\d+)\.(\d+)/.exec(stdout)?.map(Number) ?? [];
		const ok = major > 2 || (major === 2 && minor >= 30);
		return { name: "git", status: ok ? "ok" : "fail", found: stdout.trim(), mend };
	} catch {
		return { name: "git", status: "fail", found: "not found on PATH", mend };
	}
}

async function home(config: Config): Promise<Check> {
	const name = "home";
	let folder = config.home;
	while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
	try {
		const probe = await mkdtemp(join(folder, ".lode-doctor-"));
		await writeFile(join(probe, "probe"), "");
		await rm(probe, { recursive: true, force: true });
	} catch (error) {
		const reason = (error as NodeJS.ErrnoException).code ?? "unknown error";
		return {
			name,
			status: "fail",
			found: `${config.home} cannot be written: ${reason}`,
			mend: "Make the folder writable, or set LODE_HOME to one that is.",
		};
	}
	const { bavail, bsize } = await statfs(folder);
	const free = bavail * bsize;
	const state = folder === config.home ? "" : " (created when it is needed, or by lode init)";
	return {
		name,
		status: free < SPACE.fail ? "fail" : free < SPACE.warn ? "warn" : "ok",
		found: `${config.home}${state}, ${(free / 1e9).toFixed(1)} GB free`,
		mend: "Free some space, or set LODE_HOME to a larger disk.",
	};
}

async function temporal(config: Config, invocation: Invocation): Promise<Check> {
	const name = "Temporal";
	const notes: string[] = [];
	try {
		const found = await locateTemporal(config, (line) => notes.push(line), { env: invocation.io.env });
		if (found === undefined) {
			return {
				name,
				status: "warn",
				found: ["no server binary yet", ...notes].join("; "),
				mend:
					"The first start downloads it, or builds it with Go. Without a network, install the Temporal CLI " +
					"(https://docs.temporal.io/cli#install) so that `temporal` is on PATH.",
			};
		}
		if (found.kind === "binary")
			return { name, status: "ok", found: `${found.path} (${found.from}, ${found.version})` };
		return await temporalServer(name, config, found.address);
	} catch (error) {
		return failed(name, error);
	}
}

async function temporalServer(name: string, config: Config, address: string): Promise<Check> {
	const probe = await probeTemporal(accessTo(config.temporal, address));
	if (probe === undefined) {
		return {
			name,
			status: "fail",
			found: `${address} does not answer`,
			mend: "Start that server, correct TEMPORAL_ADDRESS or TEMPORAL_TLS, or unset them to let Lode start its own.",
		};
	}
	const { serverVersion, namespace, missingAttributes = [] } = probe;
	const lacks = namespace === "missing" ? `no namespace ${config.temporal.namespace}` : missingAttributes.join(", ");
	return {
		name,
		status: lacks === "" ? "ok" : "warn",
		found: `${address}, ${serverVersion}, ${lacks === "" ? `namespace ${config.temporal.namespace}` : `lacks ${lacks}`}`,
		mend: "Nothing to do: they are registered by the next start, or by lode migrate.",
	};
}

async function embeddings(config: Config, invocation: Invocation): Promise<Check> {
	try {
		const { provider, model } = await invocation.dependencies.probeEmbeddings(config);
		return { name: "embeddings", status: "ok", found: `${provider}: ${model}` };
	} catch (error) {
		return failed("embeddings", error);
	}
}

async function stores(config: Config, invocation: Invocation): Promise<Check> {
	if (!existsSync(config.home)) return { name: "stores", status: "ok", found: "none yet" };
	try {
		const reader = await invocation.dependencies.openReader(config);
		try {
			const { length } = await reader.sources();
			return { name: "stores", status: "ok", found: `open, ${length} source(s)` };
		} finally {
			await reader.close();
		}
	} catch (error) {
		return failed("stores", error);
	}
}

async function runtime(config: Config, invocation: Invocation): Promise<Check> {
	const name = "runtime";
	const running = await invocation.dependencies.runningRuntime(config.home);
	if (running !== undefined) {
		const answers = await temporalAnswers(accessTo(config.temporal, running.address));
		return {
			name,
			status: answers ? "ok" : "fail",
			found: `process ${running.pid} (lode ${running.owner}), Temporal at ${running.address} ${answers ? "answers" : "does not answer"}`,
			mend: `Stop process ${running.pid}: it restarts what died, but not for ever.`,
		};
	}
	const stale = await new RunFolder(config.home).runtime();
	if (stale === undefined) return { name, status: "ok", found: "not running: lode dev, or the next ingest, starts it" };
	return {
		name,
		status: "warn",
		found: `left behind by process ${stale.pid}, which is gone`,
		mend: "Nothing to do: the next start clears it away and finishes what was interrupted.",
	};
}
