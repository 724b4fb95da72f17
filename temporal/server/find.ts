import { execFile } from "node:child_process";
import { access, constants, stat } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";
import { promisify } from "node:util";
import envPaths from "env-paths";
import { LodeError } from "../../src/domain/errors.js";
import { buildTemporal } from "./build.js";
import { downloadTemporal } from "./download.js";
import { installInto } from "./install.js";

/** Built and tried with this one; `go install` works with no later one. */
export const TEMPORAL_VERSION = "1.5.1";

export type Report = (line: string) => void;

export type TemporalFound =
	/** A server that somebody else runs. */
	| { readonly kind: "server"; readonly address: string }
	| {
			readonly kind: "binary";
			readonly path: string;
			readonly from: "path" | "cache" | "download" | "go";
			readonly version: string;
	  };

export interface TemporalSettings {
	readonly temporal: { readonly address?: string };
	/** Where Lode keeps programs that it fetched; the platform's cache folder where unset. */
	readonly cacheDir?: string;
}

export interface FindOptions {
	readonly env?: Readonly<Record<string, string | undefined>>;
	readonly platform?: NodeJS.Platform;
	readonly arch?: string;
	/** Where the official archives are. */
	readonly downloadBase?: string;
	readonly signal?: AbortSignal;
}

const DOWNLOAD_BASE = "https://temporal.download";
const run = promisify(execFile);

export const binaryName = (platform: NodeJS.Platform): string => (platform === "win32" ? "temporal.exe" : "temporal");

/** The folder of Lode's own copy of the server, of this version. */
export function cacheFolder(settings: Pick<TemporalSettings, "cacheDir">): string {
	const base = settings.cacheDir ?? envPaths("lode", { suffix: "" }).cache;
	return join(base, "bin", `temporal-${TEMPORAL_VERSION}`);
}

/** The version that a binary says of itself; undefined when it is not a Temporal CLI that runs here. */
export async function temporalVersion(binary: string): Promise<string | undefined> {
	try {
		const { stdout } = await run(binary, ["--version"], { timeout: 20_000, windowsHide: true, maxBuffer: 65_536 });
		return /^temporal version (\d+\.\d+\.\d+\S*)/m.exec(stdout)?.[1];
	} catch {
		return undefined;
	}
}

/** 0.x lacks options that Lode uses; 0.0.0-DEV is what `go install` makes of any version. */
const tooOld = (version: string): boolean => version.startsWith("0.") && !version.startsWith("0.0.0-DEV");

async function isProgram(file: string): Promise<boolean> {
	try {
		await access(file, constants.X_OK);
		return (await stat(file)).isFile();
	} catch {
		return false;
	}
}

async function onPath(
	env: Readonly<Record<string, string | undefined>>,
	platform: NodeJS.Platform,
	report: Report,
): Promise<TemporalFound | undefined> {
	const variable = Object.keys(env).find((name) => name.toUpperCase() === "PATH");
	for (const folder of (variable === undefined ? "" : (env[variable] ?? "")).split(delimiter)) {
		// A relative entry would run whatever a repository brought along.
		if (!isAbsolute(folder)) continue;
		const path = join(folder, binaryName(platform));
		if (!(await isProgram(path))) continue;
		const version = await temporalVersion(path);
		if (version !== undefined && !tooOld(version)) return { kind: "binary", path, from: "path", version };
		report(`${path} is not used: ${version === undefined ? "it does not run" : `version ${version} is too old`}`);
	}
	return undefined;
}

/** What is there without fetching anything: the server of TEMPORAL_ADDRESS, the binary on PATH, Lode's own copy. */
export async function locateTemporal(
	settings: TemporalSettings,
	report: Report,
	options: FindOptions = {},
): Promise<TemporalFound | undefined> {
	const { env = process.env, platform = process.platform } = options;
	if (settings.temporal.address !== undefined) return { kind: "server", address: settings.temporal.address };
	const found = await onPath(env, platform, report);
	if (found !== undefined) return found;
	const path = join(cacheFolder(settings), binaryName(platform));
	if (!(await isProgram(path))) return undefined;
	const version = await temporalVersion(path);
	return version === undefined ? undefined : { kind: "binary", path, from: "cache", version };
}

/**
 * Finds a Temporal server, or a binary to start one: TEMPORAL_ADDRESS, PATH, Lode's cache, the official download, `go install`.
 * `report` gets a line for each step that takes time.
 * @throws TEMPORAL_NOT_INSTALLED saying what was tried and what to install; CANCELLED
 */
export async function findTemporal(
	settings: TemporalSettings,
	report: Report,
	options: FindOptions = {},
): Promise<TemporalFound> {
	const located = await locateTemporal(settings, report, options);
	if (located !== undefined) return located;

	const { env = process.env, platform = process.platform, arch = process.arch, signal } = options;
	const folder = cacheFolder(settings);
	const name = binaryName(platform);
	const base = options.downloadBase ?? DOWNLOAD_BASE;
	const failures: string[] = [];
	const found = await installInto(folder, name, { report, signal, verify: temporalVersion }, [
		{
			from: "download",
			make: (into) => downloadTemporal({ base, version: TEMPORAL_VERSION, platform, arch, into, name, report, signal }),
			failed: (reason) => failures.push(`download: ${reason}`),
		},
		{
			from: "go",
			make: (into) => buildTemporal({ version: TEMPORAL_VERSION, env, platform, into, report, signal }),
			failed: (reason) => failures.push(`go install: ${reason}`),
		},
	]);
	if (found !== undefined) return { kind: "binary", ...found };
	throw new LodeError("TEMPORAL_NOT_INSTALLED", `no Temporal server was found (${failures.join("; ")})`, {
		next:
			"Install the Temporal CLI (https://docs.temporal.io/cli#install, e.g. `brew install temporal`) so that `temporal` is on PATH, " +
			"or Go (https://go.dev/dl), or set TEMPORAL_ADDRESS to a running server.",
	});
}
