import process from "node:process";

/**
 * `local`: reads a mirror of ours, so no setting of the user may change what git prints. `remote`: talks to a repository, so the
 * user's credential helpers, proxies, certificates and ssh settings count. `discover`: looks at a repository on this machine.
 */
export type GitScope = "local" | "remote" | "discover";

/** What a caller may pass on to git. Everything else named GIT_*, such as GIT_DIR inside a hook, would point git elsewhere. */
const PASSED_ON = new Set([
	"GIT_ASKPASS",
	"GIT_SSH",
	"GIT_SSH_COMMAND",
	"GIT_SSH_VARIANT",
	"GIT_SSL_CAINFO",
	"GIT_SSL_CAPATH",
	"GIT_SSL_CERT",
	"GIT_SSL_KEY",
	"GIT_SSL_CERT_PASSWORD_PROTECTED",
	"GIT_SSL_NO_VERIFY",
	"GIT_PROXY_SSL_CAINFO",
	"GIT_PROXY_SSL_CERT",
	"GIT_PROXY_SSL_KEY",
	"GIT_HTTP_PROXY_AUTHMETHOD",
	"GIT_CONFIG_GLOBAL",
	"GIT_CONFIG_SYSTEM",
	"GIT_CONFIG_NOSYSTEM",
	"GIT_CEILING_DIRECTORIES",
	"GIT_DISCOVERY_ACROSS_FILESYSTEM",
]);

/** No setting of a repository or a user may run a program, collect garbage behind our back, or follow submodules. */
const HARDENED: readonly (readonly [string, string])[] = [
	["core.hooksPath", "/dev/null"],
	["core.fsmonitor", "false"],
	["core.longpaths", "true"],
	// Larger blobs are streamed by git, not loaded: bounds its memory.
	["core.bigFileThreshold", "32m"],
	["gc.auto", "0"],
	["maintenance.auto", "false"],
	["protocol.ext.allow", "never"],
	["submodule.recurse", "false"],
	["fetch.recurseSubmodules", "false"],
	["credential.interactive", "false"],
	["log.showRoot", "true"],
];

export interface GitEnvironmentOptions {
	/** Protocols that this call may use, e.g. `file` or `https:ssh`. */
	readonly protocols?: string;
	/** An https address that `LODE_GIT_TOKEN` is meant for. */
	readonly httpsAddress?: string;
	/** Git does not look for a repository in this folder's parents. */
	readonly ceiling?: string;
	/** Of this call alone, after all others. */
	readonly settings?: readonly (readonly [string, string])[];
	readonly caller?: NodeJS.ProcessEnv;
}

/** The environment of one git process. The token is in here and nowhere else: never in an argument, which others can list. */
export function gitEnvironment(scope: GitScope, options: GitEnvironmentOptions = {}): NodeJS.ProcessEnv {
	const caller = options.caller ?? process.env;
	const env: NodeJS.ProcessEnv = {};
	for (const [name, value] of Object.entries(caller)) {
		const upper = name.toUpperCase();
		if (upper.startsWith("LODE_") || (upper.startsWith("GIT_") && !PASSED_ON.has(upper))) continue;
		env[name] = value;
	}
	env.LC_ALL = "C";
	env.GIT_TERMINAL_PROMPT = "0";
	env.GCM_INTERACTIVE = "never";
	env.GIT_OPTIONAL_LOCKS = "0";
	env.GIT_NO_REPLACE_OBJECTS = "1";
	env.GIT_NO_LAZY_FETCH = "1";
	// Whatever a future git prefers: the ref files of the mirror are looked at directly.
	env.GIT_DEFAULT_REF_FORMAT = "files";
	env.GIT_ALLOW_PROTOCOL = options.protocols ?? "";
	if (options.ceiling !== undefined) env.GIT_CEILING_DIRECTORIES = options.ceiling;
	if (scope === "local") {
		env.GIT_CONFIG_NOSYSTEM = "1";
		env.GIT_CONFIG_GLOBAL = "/dev/null";
		delete env.GIT_CONFIG_SYSTEM;
	}
	const settings = [...(scope === "local" ? [] : callerSettings(caller)), ...HARDENED];
	if (scope === "discover") settings.push(["safe.bareRepository", "all"]);
	if (scope === "remote") settings.push(["http.lowSpeedLimit", "1"], ["http.lowSpeedTime", "60"]);
	const { LODE_GIT_TOKEN: token, LODE_GIT_TOKEN_HOSTS: hosts } = caller;
	settings.push(...tokenSettings(token, hosts, options.httpsAddress), ...(options.settings ?? []));
	env.GIT_CONFIG_COUNT = String(settings.length);
	settings.forEach(([key, value], index) => {
		env[`GIT_CONFIG_KEY_${index}`] = key;
		env[`GIT_CONFIG_VALUE_${index}`] = value;
	});
	return env;
}

/** Settings that the user gave by environment (`safe.directory`, a proxy); ours come after them and win. */
function callerSettings(caller: NodeJS.ProcessEnv): (readonly [string, string])[] {
	const count = Number(caller.GIT_CONFIG_COUNT ?? 0);
	if (!Number.isInteger(count) || count < 0 || count > 1_000) return [];
	const settings: (readonly [string, string])[] = [];
	for (let index = 0; index < count; index++) {
		const key = caller[`GIT_CONFIG_KEY_${index}`];
		const value = caller[`GIT_CONFIG_VALUE_${index}`];
		if (key && value !== undefined) settings.push([key, value]);
	}
	return settings;
}

/**
 * Bound to the address's own host, and redirects are off while it is in use, so that a server cannot pass it on to another one.
 * The user name is the one that GitHub asks for; GitLab, Gitea and Azure DevOps accept any.
 */
function tokenSettings(
	token: string | undefined,
	hosts: string | undefined,
	address: string | undefined,
): (readonly [string, string])[] {
	if (!token || address === undefined) return [];
	const url = new URL(address);
	if (url.protocol !== "https:") return [];
	// Whoever may name repositories may name one of their own server: it must not get the token.
	const meant = (hosts ?? "").split(",").map((host) => host.trim().toLowerCase());
	if (hosts?.trim() && !meant.includes(url.hostname) && !meant.includes(url.host)) return [];
	const basic = Buffer.from(`x-access-token:${token.trim()}`, "utf8").toString("base64");
	return [
		[`http.${url.origin}/.extraHeader`, `Authorization: Basic ${basic}`],
		["http.followRedirects", "false"],
	];
}
