import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { z } from "zod";
import { LodeError } from "../domain/errors.js";
import { enginesOf, missingRequirements, SECRETS_OF_PLACES } from "./requirements.js";
import { redact, type Secret } from "./secret.js";
import { configSchema, findSetting, SETTINGS, type Setting } from "./settings.js";

export const CONFIG_FILE = "lode.config.json";

type Frozen<T> = T extends Secret ? T : T extends object ? { readonly [K in keyof T]: Frozen<T[K]> } : T;

/** All settings, validated, with defaults, deeply frozen. `home` and `cacheDir` are absolute. */
export type Config = Frozen<z.output<typeof configSchema>>;

export type Origin = "flag" | "environment" | "file" | "default";

interface ConfigPlace {
	/** The lode.config.json that was read, or the one that `config set` would create. */
	readonly file: string;
	readonly fileExists: boolean;
	/** The file lies in the home, so it cannot say where the home is. */
	readonly fileInHome: boolean;
}

export interface LoadedConfig extends ConfigPlace {
	readonly config: Config;
	/** Where each setting came from, by its environment name. */
	readonly origins: Readonly<Record<string, Origin>>;
}

export interface ConfigSources {
	/** By environment name, e.g. `LODE_HOME`. */
	readonly flags?: Readonly<Record<string, string | undefined>>;
	readonly env?: Readonly<Record<string, string | undefined>>;
	readonly cwd?: string;
}

type Raw = Record<string, unknown>;

function isRecord(value: unknown): value is Raw {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Undefined where there is no such file. @throws CONFIG_INVALID */
export function readConfigFile(file: string): Raw | undefined {
	let content: string;
	try {
		content = readFileSync(file, "utf8");
	} catch (error) {
		const code = (error as NodeJS.ErrnoException).code;
		if (code === "ENOENT" || code === "ENOTDIR") return undefined;
		const denied = code === "EACCES" || code === "EPERM";
		throw new LodeError(
			denied ? "PERMISSION_DENIED" : "CONFIG_INVALID",
			`reading ${file} failed: ${code ?? "unknown error"}`,
			{
				next: denied
					? "Give this user access to the file and its folder, or set LODE_HOME to one that is its own."
					: "Make the file readable, or delete it.",
				cause: error,
			},
		);
	}
	try {
		// A byte order mark is what Windows editors leave.
		const value: unknown = JSON.parse(content.replace(/^\uFEFF/, ""));
		if (isRecord(value)) return value;
	} catch {
		// Below: the parser's message quotes the content, which may hold a secret.
	}
	throw new LodeError("CONFIG_INVALID", `${file} does not hold a JSON object`, {
		next: "Correct the file, or delete it and run `lode init`.",
	});
}

export function getPath(object: Raw, key: string): unknown {
	let value: unknown = object;
	for (const part of key.split(".")) {
		if (!isRecord(value) || !Object.hasOwn(value, part)) return undefined;
		value = value[part];
	}
	return value;
}

/** Keys come from SETTINGS only, never from input. */
export function setPath(object: Raw, key: string, value: unknown): void {
	const parts = key.split(".");
	const last = parts.pop() as string;
	let target = object;
	for (const part of parts) {
		const inner = target[part];
		if (isRecord(inner)) target = inner;
		else {
			const created: Raw = {};
			target[part] = created;
			target = created;
		}
	}
	target[last] = value;
}

function given(value: string | undefined): value is string {
	return value !== undefined && value.trim() !== "";
}

/** Settings that may not stand in this file. */
function misplaced(file: string, content: Raw, insideHome: boolean): string[] {
	const problems: string[] = [];
	for (const setting of SETTINGS) {
		if (getPath(content, setting.key) === undefined) continue;
		if (setting.secret) problems.push(`${setting.name}: a secret must not stand in ${file}: use the environment`);
		if (setting.environmentOnly) problems.push(`${setting.name}: can only be set in the environment`);
		if (setting.key === "home" && insideHome) {
			problems.push(`${setting.name}: cannot be set in a file that lies in that folder`);
		}
	}
	return problems;
}

/** What zod calls a path, users know by the setting's name. */
function describeIssue(issue: z.core.$ZodIssue): string {
	const path = issue.path.join(".");
	if (issue.code === "unrecognized_keys") {
		return issue.keys.map((key) => `${path === "" ? key : `${path}.${key}`}: is not a setting`).join("; ");
	}
	return `${findSetting(path)?.name ?? path}: ${issue.message}`;
}

/** What is wrong with one setting of a raw configuration, whatever else may be wrong with the others. */
export function problemsOf(raw: Raw, setting: Setting): string[] {
	const parsed = configSchema.safeParse(raw);
	const issues = parsed.success ? [] : parsed.error.issues;
	return issues.filter((issue) => issue.path.join(".") === setting.key).map(describeIssue);
}

export function invalid(problems: readonly string[]): LodeError {
	return new LodeError(
		"CONFIG_INVALID",
		`the configuration has ${problems.length} problem(s): ${problems.join("; ")}`,
		{
			next: "Correct them in the environment or in lode.config.json; `lode config get` lists all settings.",
		},
	);
}

function deepFreeze<T>(value: T): T {
	if (typeof value === "object" && value !== null) {
		for (const inner of Object.values(value)) deepFreeze(inner);
		Object.freeze(value);
	}
	return value;
}

function lacking(raw: Raw, config: z.output<typeof configSchema>): string[] {
	const isSet = (name: string) => getPath(raw, findSetting(name)?.key ?? "") !== undefined;
	return missingRequirements(enginesOf(config), isSet);
}

/** Validates what was collected. @throws CONFIG_INVALID naming every problem by its setting, never by its value */
function validate(raw: Raw, earlier: readonly string[]): Config {
	const parsed = configSchema.safeParse(raw);
	const problems = [
		...earlier,
		...(parsed.success ? lacking(raw, parsed.data) : parsed.error.issues.map(describeIssue)),
	];
	if (!parsed.success || problems.length > 0) throw invalid(problems);
	return deepFreeze(parsed.data) as Config;
}

/** Which lode.config.json counts: the first one of the current folder and the home. @throws CONFIG_INVALID when it is no JSON */
export function locateConfig(sources: ConfigSources = {}): ConfigPlace & { content: Raw; explicitHome?: string } {
	const { flags = {}, env = process.env, cwd = process.cwd() } = sources;
	const explicitHome = [flags.LODE_HOME, env.LODE_HOME].find(given)?.trim();
	const local = join(cwd, CONFIG_FILE);
	const inHome = join(resolve(cwd, explicitHome ?? ".lode"), CONFIG_FILE);
	const localContent = readConfigFile(local);
	if (localContent !== undefined) {
		return { file: local, fileExists: true, fileInHome: false, content: localContent, explicitHome };
	}
	const content = readConfigFile(inHome);
	if (content !== undefined) return { file: inHome, fileExists: true, fileInHome: true, content, explicitHome };
	// A new file goes where the user keeps this installation: into a home that was named, else beside the project.
	const named = explicitHome !== undefined;
	return { file: named ? inHome : local, fileExists: false, fileInHome: named, content: {}, explicitHome };
}

/**
 * Reads all settings: flags, then environment, then the first lode.config.json found in the current folder and in the home, then defaults.
 * @throws CONFIG_INVALID naming every problem by its setting, never by its value
 */
export function loadConfig(sources: ConfigSources = {}): LoadedConfig {
	const { flags = {}, env = process.env, cwd = process.cwd() } = sources;
	const { content, explicitHome, ...place } = locateConfig(sources);
	const raw: Raw = structuredClone(content);
	const problems = misplaced(place.file, content, place.fileInHome);
	const origins: Record<string, Origin> = {};
	for (const setting of SETTINGS) {
		const flag = flags[setting.name];
		const variable = env[setting.name];
		if (given(flag) && setting.secret) problems.push(`${setting.name}: can only be set in the environment`);
		if (given(flag)) setPath(raw, setting.key, flag);
		else if (given(variable)) setPath(raw, setting.key, variable);
		const inFile = getPath(content, setting.key) !== undefined;
		origins[setting.name] = given(flag) ? "flag" : given(variable) ? "environment" : inFile ? "file" : "default";
	}
	const trusted = explicitHome !== undefined && place.fileInHome;
	for (const [where, secret] of SECRETS_OF_PLACES) {
		if (origins[where] !== "file" || origins[secret] === "default" || trusted) continue;
		problems.push(
			`${where}: must come from the environment too when ${secret} does, because the folder's file may be someone else's`,
		);
	}

	const config = validate(raw, problems);
	const absolute = {
		...config,
		home: resolve(cwd, config.home),
		...(config.plugins === undefined ? {} : { plugins: config.plugins.map((entry) => pluginPath(cwd, entry)) }),
		...(config.cacheDir === undefined ? {} : { cacheDir: resolve(cwd, config.cacheDir) }),
	};
	return { config: Object.freeze(absolute), origins, ...place };
}

/** Every process of an installation has to find the same plugin, whatever folder it runs in. Names of packages stay. */
function pluginPath(cwd: string, entry: string): string {
	return /^\.{1,2}([/\\]|$)/.test(entry) ? resolve(cwd, entry) : entry;
}

/** The value of a setting in a configuration; a `Secret` for secrets. */
export function settingValue(config: Config, setting: Setting): unknown {
	return getPath(config as unknown as Raw, setting.key);
}

/** All that is no secret, by environment name: what may be shown and written down. */
export function publicSettings(config: Config): Record<string, string> {
	const shown: Record<string, string> = {};
	for (const setting of SETTINGS) {
		const value = settingValue(config, setting);
		if (value !== undefined && !setting.secret) shown[setting.name] = redact(String(value));
	}
	return shown;
}

/**
 * The environment that gives a child process the same configuration wherever it runs, secrets included: for its `env` alone.
 */
export function configEnvironment(config: Config): Record<string, string> {
	const env: Record<string, string> = {};
	for (const setting of SETTINGS) {
		const value = settingValue(config, setting);
		if (value === undefined) continue;
		env[setting.name] = setting.secret ? (value as Secret).reveal() : String(value);
	}
	return env;
}
