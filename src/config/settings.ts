import { availableParallelism } from "node:os";
import { z } from "zod";
import { Secret } from "./secret.js";

/** One thing that can be set: by flag, by environment variable (`name`), or in lode.config.json (`key`). */
export interface Setting {
	readonly name: string;
	/** Dotted path in `Config` and in lode.config.json. */
	readonly key: string;
	readonly describe: string;
	/** Only from the environment: never from the file, never shown. */
	readonly secret?: true;
	/** Not from the file: it decides which programs run, and a file may come with a repository. */
	readonly environmentOnly?: true;
}

export const SETTINGS: readonly Setting[] = [
	{ name: "LODE_HOME", key: "home", describe: "folder of all data" },
	{ name: "LODE_PROFILE", key: "profile", describe: "embedded" },
	{ name: "LODE_EMBEDDING_PROVIDER", key: "embedding.provider", describe: "lexical, openai or local" },
	{ name: "LODE_EMBEDDING_BASE_URL", key: "embedding.baseUrl", describe: "OpenAI-compatible endpoint" },
	{ name: "LODE_EMBEDDING_MODEL", key: "embedding.model", describe: "model name, or a folder for local" },
	{ name: "LODE_EMBEDDING_API_KEY", key: "embedding.apiKey", describe: "key of the endpoint", secret: true },
	{ name: "TEMPORAL_ADDRESS", key: "temporal.address", describe: "host:port of a Temporal server to use" },
	{ name: "TEMPORAL_NAMESPACE", key: "temporal.namespace", describe: "Temporal namespace" },
	{ name: "TEMPORAL_TASK_QUEUE", key: "temporal.taskQueue", describe: "task queue of this installation's workers" },
	{ name: "LODE_CHUNK_SIZE", key: "chunks.size", describe: "characters of a chunk, 200 to 20000" },
	{ name: "LODE_CHUNK_OVERLAP", key: "chunks.overlap", describe: "characters that cut chunks share, 0 to 2000" },
	{ name: "LODE_MAX_FILE_BYTES", key: "limits.maxFileBytes", describe: "larger files are archived, not mined" },
	{ name: "LODE_MIN_FREE_BYTES", key: "limits.minFreeBytes", describe: "ingestions stop while the disk has less room" },
	{ name: "LODE_WORKER_THREADS", key: "worker.threads", describe: "threads that mine files" },
	{ name: "LODE_LOG_LEVEL", key: "log.level", describe: "debug, info, warn or error" },
	{ name: "LODE_RETENTION_MAX_VERSIONS", key: "retention.maxVersions", describe: "published commits kept a group" },
	{ name: "LODE_RETENTION_TTL", key: "retention.ttl", describe: "seconds a superseded version is kept" },
	{ name: "LODE_GC_GRACE", key: "gc.graceSeconds", describe: "seconds before what is unused may be deleted" },
	{ name: "LODE_CACHE_DIR", key: "cacheDir", describe: "folder of downloaded programs", environmentOnly: true },
];

/** The setting that a user names by environment variable or by key. */
export function findSetting(nameOrKey: string): Setting | undefined {
	return SETTINGS.find((setting) => setting.name === nameOrKey || setting.key === nameOrKey);
}

/** Files hold numbers, the environment holds text: both mean the same. Messages never repeat the value. */
function integer(min: number, max: number) {
	const message = `must be a whole number from ${min} to ${max}`;
	return z
		.union([z.number(), z.string().regex(/^\s*\d{1,16}\s*$/)], { error: message })
		.transform(Number)
		.refine((value) => Number.isSafeInteger(value) && value >= min && value <= max, message);
}

function oneOf<const T extends readonly [string, ...string[]]>(values: T) {
	return z.enum(values, { error: `must be one of ${values.join(", ")}` });
}

const text = z.string({ error: "must be text" }).trim().min(1, "must not be empty").max(4_096, "is too long");

const baseUrl = text.transform((value, context) => {
	const url = URL.canParse(value) ? new URL(value) : undefined;
	if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:")) {
		context.addIssue({ code: "custom", message: "must be an http or https URL" });
		return z.NEVER;
	}
	if (url.username !== "" || url.password !== "") {
		context.addIssue({ code: "custom", message: "must not hold credentials: use LODE_EMBEDDING_API_KEY" });
		return z.NEVER;
	}
	return value.replace(/\/+$/, "");
});

const profile = text.superRefine((value, context) => {
	if (value === "embedded") return;
	const message = value === "servers" ? "servers is not in this version: use embedded" : "must be embedded";
	context.addIssue({ code: "custom", message });
});

/** 64 MiB: what one worker thread can hold several times over without trouble. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;

/** 100 MiB: enough to discard an ingestion and for Temporal to go on. */
const MIN_FREE_BYTES = 100 * 1024 * 1024;

const object = <T extends z.ZodRawShape>(shape: T) => z.strictObject(shape, { error: "must be an object" });

/** The whole configuration, nested as `Config` and as lode.config.json. `.prefault({})` makes the inner defaults apply. */
export const configSchema = object({
	home: text.default(".lode"),
	profile: profile.transform(() => "embedded" as const).prefault("embedded"),
	embedding: object({
		provider: oneOf(["lexical", "openai", "local"]).optional(),
		baseUrl: baseUrl.optional(),
		model: text.optional(),
		apiKey: text.transform((value) => new Secret(value)).optional(),
	}).prefault({}),
	temporal: object({
		address: text.regex(/^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9_.-]+):\d{1,5}$/, "must be host:port").optional(),
		namespace: text
			.regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, "must be letters, digits, dots and dashes")
			.default("default"),
		taskQueue: text
			.regex(/^[A-Za-z0-9][A-Za-z0-9_./-]*$/, "must be letters, digits, dots, slashes and dashes")
			.default("lode"),
	}).prefault({}),
	chunks: object({
		size: integer(200, 20_000).default(1_200),
		overlap: integer(0, 2_000).default(150),
	})
		.refine(({ size, overlap }) => overlap < size, { error: "must be smaller than LODE_CHUNK_SIZE", path: ["overlap"] })
		.prefault({}),
	limits: object({
		maxFileBytes: integer(1, 2 ** 31 - 1).default(MAX_FILE_BYTES),
		minFreeBytes: integer(0, 2 ** 50).default(MIN_FREE_BYTES),
	}).prefault({}),
	worker: object({
		threads: integer(1, 64).default(() => Math.min(4, Math.max(1, availableParallelism() - 1))),
	}).prefault({}),
	log: object({ level: oneOf(["debug", "info", "warn", "error"]).default("info") }).prefault({}),
	retention: object({
		maxVersions: integer(1, 1_000_000_000).optional(),
		ttl: integer(0, 1_000_000_000_000).optional(),
	}).prefault({}),
	gc: object({ graceSeconds: integer(0, 1_000_000_000).default(3_600) }).prefault({}),
	cacheDir: text.optional(),
});
