import { availableParallelism } from "node:os";
import { API_SETTINGS, apiShape } from "./api-settings.js";
import { logShape, OBSERVABILITY_SETTINGS, observabilityShape } from "./observability-settings.js";
import { ENGINE_SETTINGS, enginesShape, PROFILES, SERVER_SETTINGS, serversShape } from "./server-settings.js";
import type { Setting } from "./setting.js";
import { httpUrl, integer, list, object, oneOf, secret, text } from "./setting-values.js";
import { TEMPORAL_SETTINGS, temporalShape } from "./temporal-settings.js";
import { WEBHOOK_SETTINGS, webhookShape } from "./webhook-settings.js";

export type { Setting };

export const SETTINGS: readonly Setting[] = [
	{ name: "LODE_HOME", key: "home", describe: "folder of all data" },
	{ name: "LODE_PROFILE", key: "profile", describe: "embedded or servers: what the engines below default to" },
	...ENGINE_SETTINGS,
	{ name: "LODE_EMBEDDING_PROVIDER", key: "embedding.provider", describe: "lexical, openai or local" },
	{ name: "LODE_EMBEDDING_BASE_URL", key: "embedding.baseUrl", describe: "OpenAI-compatible endpoint" },
	{ name: "LODE_EMBEDDING_MODEL", key: "embedding.model", describe: "model name, or a folder for local" },
	{ name: "LODE_EMBEDDING_API_KEY", key: "embedding.apiKey", describe: "key of the endpoint", secret: true },
	...TEMPORAL_SETTINGS,
	...SERVER_SETTINGS,
	...API_SETTINGS,
	...WEBHOOK_SETTINGS,
	{
		name: "LODE_SEARCH_USER_DATA",
		key: "search.userData",
		describe: "what events say of the words of a search: full, hashed or off",
	},
	{
		name: "LODE_SEARCH_MEMORY_BYTES",
		key: "search.memoryBytes",
		describe: "what a process may take to search SQLite's chunks from memory; 0: search the file",
	},
	{
		name: "LODE_RECONCILE_EVERY",
		key: "reconcile.everySeconds",
		describe: "seconds after which each source is compared with its repository again; 0: never",
	},
	{
		name: "LODE_ARCHIVE_EVERY",
		key: "archive.everySeconds",
		describe:
			"seconds after which what happened is copied into the archive again, for lode rebuild; 0: only before garbage is collected",
	},
	{ name: "LODE_CHUNK_SIZE", key: "chunks.size", describe: "characters of a chunk, 200 to 20000" },
	{ name: "LODE_CHUNK_OVERLAP", key: "chunks.overlap", describe: "characters that cut chunks share, 0 to 2000" },
	{ name: "LODE_MAX_FILE_BYTES", key: "limits.maxFileBytes", describe: "larger files are archived, not mined" },
	{
		name: "LODE_SMALL_COMMIT_FILES",
		key: "limits.smallCommitFiles",
		describe:
			"a commit that changes at most so many files is staged in one go, by local activities; 0: by activities, as others",
	},
	{ name: "LODE_MIN_FREE_BYTES", key: "limits.minFreeBytes", describe: "ingestions stop while the disk has less room" },
	{
		name: "LODE_WRITE_DEADLINE",
		key: "limits.writeDeadlineSeconds",
		describe: "seconds after which no write to an engine that cannot refuse one is sent any more",
	},
	{ name: "LODE_WORKER_THREADS", key: "worker.threads", describe: "threads that mine files" },
	{ name: "LODE_WORKER_WORKFLOWS", key: "worker.workflows", describe: "workflows that a worker keeps in memory" },
	{
		name: "LODE_WORKER_WORKFLOW_TASKS",
		key: "worker.workflowTasks",
		describe: "workflow tasks that a worker takes at once",
	},
	{
		name: "LODE_PLUGINS",
		key: "plugins",
		describe: "files, folders or packages of plugins, in order, separated by commas",
		environmentOnly: true,
	},
	{ name: "LODE_LOG_LEVEL", key: "log.level", describe: "debug, info, warn or error" },
	...OBSERVABILITY_SETTINGS,
	{ name: "LODE_RETENTION_MAX_VERSIONS", key: "retention.maxVersions", describe: "published commits kept a group" },
	{ name: "LODE_RETENTION_TTL", key: "retention.ttl", describe: "seconds a superseded version is kept" },
	{ name: "LODE_GC_GRACE", key: "gc.graceSeconds", describe: "seconds before what is unused may be deleted" },
	{ name: "LODE_CACHE_DIR", key: "cacheDir", describe: "folder of downloaded programs", environmentOnly: true },
];

/** The setting that a user names by environment variable or by key. */
export function findSetting(nameOrKey: string): Setting | undefined {
	return SETTINGS.find((setting) => setting.name === nameOrKey || setting.key === nameOrKey);
}

/** 64 MiB: what one worker thread can hold several times over without trouble. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;

/** 100 MiB: enough to discard an ingestion and for Temporal to go on. */
const MIN_FREE_BYTES = 100 * 1024 * 1024;

/** 256 MiB: a million chunks take some 80 MB, the lists of their words what they can get. */
const SEARCH_MEMORY_BYTES = 256 * 1024 * 1024;

/** The whole configuration, nested as `Config` and as lode.config.json. `.prefault({})` makes the inner defaults apply. */
export const configSchema = object({
	home: text.default(".lode"),
	profile: oneOf(PROFILES).default("embedded"),
	...enginesShape,
	embedding: object({
		provider: oneOf(["lexical", "openai", "local"]).optional(),
		baseUrl: httpUrl("LODE_EMBEDDING_API_KEY").optional(),
		model: text.optional(),
		apiKey: secret.optional(),
	}).prefault({}),
	temporal: object(temporalShape).prefault({}),
	...serversShape,
	...apiShape,
	...webhookShape,
	search: object({
		userData: oneOf(["full", "hashed", "off"]).default("full"),
		memoryBytes: integer(0, 2 ** 32).default(SEARCH_MEMORY_BYTES),
	}).prefault({}),
	reconcile: object({ everySeconds: integer(0, 86_400).default(300) }).prefault({}),
	archive: object({ everySeconds: integer(0, 86_400).default(60) }).prefault({}),
	chunks: object({
		size: integer(200, 20_000).default(1_200),
		overlap: integer(0, 2_000).default(150),
	})
		.refine(({ size, overlap }) => overlap < size, { error: "must be smaller than LODE_CHUNK_SIZE", path: ["overlap"] })
		.prefault({}),
	limits: object({
		maxFileBytes: integer(1, 2 ** 31 - 1).default(MAX_FILE_BYTES),
		smallCommitFiles: integer(0, 1_000).default(16),
		minFreeBytes: integer(0, 2 ** 50).default(MIN_FREE_BYTES),
		// Well above what a batch takes, well below the ten minutes that an activity may.
		writeDeadlineSeconds: integer(1, 500).default(60),
	}).prefault({}),
	worker: object({
		threads: integer(1, 64).default(() => Math.min(4, Math.max(1, availableParallelism() - 1))),
		workflows: integer(1, 100_000).default(500),
		// Far fewer than are kept: the more of them wait for a place among those, the likelier one is lost. See src/runtime/lost-task.ts.
		workflowTasks: integer(2, 1_000).default(6),
	}).prefault({}),
	plugins: list.optional(),
	log: object(logShape).prefault({}),
	...observabilityShape,
	retention: object({
		maxVersions: integer(1, 1_000_000_000).optional(),
		ttl: integer(0, 1_000_000_000_000).optional(),
	}).prefault({}),
	gc: object({ graceSeconds: integer(0, 1_000_000_000).default(3_600) }).prefault({}),
	cacheDir: text.optional(),
});
