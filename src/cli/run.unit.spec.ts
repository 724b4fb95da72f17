import { EventEmitter } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Config } from "../config/config.js";
import { LodeError } from "../domain/errors.js";
import type { LodeEvents } from "../services/events/create-events.js";
import type { IngestOptions, LodeCommander, LodeReader } from "../services/lode.js";
import type {
	IngestReport,
	SearchQuery,
	SearchReport,
	SourceLag,
	SourceReport,
	VerifyReport,
} from "../services/reports.js";
import type { LodeKeys } from "../services/security/handle-keys.js";
import type { CliDependencies } from "./cli.js";
import { run } from "./run.js";

/** Real: parsing, configuration, output. Stand-ins: the services behind them. */

class Sink extends Writable {
	text = "";
	override _write(chunk: Buffer, _encoding: string, done: () => void): void {
		this.text += chunk.toString("utf8");
		done();
	}
}

const REPORT: IngestReport = {
	ingestion: "01J",
	source: "shop-1f2e3d4c5b6a",
	commit: "4f0c2d1e8b7a69584f0c2d1e8b7a69584f0c2d1e",
	snapshot: 3,
	outcome: "published",
	files: { added: 2, changed: 1, removed: 0, failed: 0 },
	entities: 10,
	chunks: 5,
	embedded: 4,
	reused: 1,
	durationMs: 1234,
	workflowId: "ingest/shop/4f0c",
	runId: "r",
};
const SEARCH: SearchReport = {
	snapshot: 3,
	model: "lexical-v1-384",
	tookMs: 4,
	hits: [
		{
			source: "shop-1f2e3d4c5b6a",
			commit: REPORT.commit,
			path: "src/a.ts",
			startLine: 7,
			endLine: 9,
			kind: "function",
			symbol: "parse",
			score: 0.5,
			text: "\tfunction parse() {\n\t\treturn '\u001b[31mred\u009b0m';\n\t}",
			id: "shop-1f2e3d4c5b6a:default:0:src/a.ts",
			group: "default",
			ordinal: 0,
			language: "typescript",
			model: "lexical-v1-384",
			certainty: 0.75,
			highlights: [{ start: 10, end: 15 }],
		},
	],
};
const TALLY = { count: 1, digest: "0".repeat(64) };
const VERIFY: VerifyReport = {
	ok: false,
	snapshot: 3,
	stores: { catalog: TALLY, graph: TALLY, vectors: TALLY, artifacts: TALLY },
	problems: [{ store: "graph", record: "file:src/a.ts", problem: "digest differs" }],
};

let cwd: string;
let signals: EventEmitter;
beforeEach(() => {
	cwd = mkdtempSync(join(tmpdir(), "lode-cli-"));
	signals = new EventEmitter();
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

interface Stubs {
	reader?: Partial<LodeReader>;
	commander?: Partial<LodeCommander>;
	events?: Partial<LodeEvents>;
	keys?: Partial<LodeKeys>;
	env?: Record<string, string>;
	owned?: boolean;
}

async function lode(argv: string[], stubs: Stubs = {}) {
	const stdout = new Sink();
	const stderr = new Sink();
	const configs: Config[] = [];
	const closed: string[] = [];
	const dependencies: CliDependencies = {
		io: { stdout, stderr, env: stubs.env ?? {}, cwd, signals },
		openReader: async (config) => {
			configs.push(config);
			return { close: async () => void closed.push("reader"), ...stubs.reader } as LodeReader;
		},
		openCommander: async (config) => {
			configs.push(config);
			return { close: async () => void closed.push("commander"), ...stubs.commander } as LodeCommander;
		},
		openServices: () => Promise.reject(new Error("not used")),
		openKeys: async () => ({ ...stubs.keys, close: async () => {} }) as LodeKeys,
		openEvents: async () => ({ ...stubs.events }) as LodeEvents,
		withRuntime: async (_config, _report, fn) => {
			const runtime = { address: "127.0.0.1:1", uiAddress: "http://127.0.0.1:2", owned: stubs.owned ?? true, pid: 1 };
			try {
				return await fn(runtime);
			} finally {
				closed.push("runtime");
			}
		},
		checkServers: async () => [],
		migrateServers: async () => [],
		rebuild: async () => {
			throw new Error("no archive here");
		},
		keepSchedules: async () => {},
		startApi: async () => ({ url: "http://127.0.0.1:8480", stop: async () => {} }),
		runningRuntime: async () => undefined,
		mcp: () => Promise.reject(new Error("not used")),
		probeEmbeddings: async () => ({ provider: "lexical", model: "lexical-v1-384" }),
	};
	const code = await run(argv, dependencies, "1.2.3");
	return { code, stdout: stdout.text, stderr: stderr.text, configs, closed };
}

describe("answers", () => {
	it("prints one JSON object and nothing else on standard output", async () => {
		const progress = { filesDone: 1, filesTotal: 3, chunks: 2, embedded: 0, reused: 0, detail: "" };
		const ingest = async (_target: string, options: IngestOptions) => {
			options.onProgress?.({ ...progress, stage: "files" });
			return REPORT;
		};
		const { code, stdout, stderr, closed } = await lode(["ingest", "https://example.org/shop.git", "--json"], {
			commander: { ingest },
		});
		expect(code).toBe(0);
		expect(JSON.parse(stdout)).toEqual(REPORT);
		expect(stdout.split("\n")).toHaveLength(2);
		expect(stderr).toContain("mining files 1/3 files");
		expect(closed).toEqual(["commander", "runtime"]);
	});

	it("passes paths as absolute ones, URLs as they are, and the options", async () => {
		const calls: unknown[] = [];
		const commander = {
			ingest: async (target: string, { ref, noWait }: IngestOptions) => {
				calls.push([target, ref, noWait]);
				return REPORT;
			},
		};
		await lode(["ingest", "."], { commander });
		await lode(["ingest", "git@example.org:a/b.git", "--ref", "v1", "--no-wait"], { commander });
		expect(calls).toEqual([
			[cwd, undefined, false],
			["git@example.org:a/b.git", "v1", true],
		]);
	});

	it("passes the search's options and closes the reader", async () => {
		const queries: SearchQuery[] = [];
		const search = async (query: SearchQuery) => {
			queries.push(query);
			return SEARCH;
		};
		const argv =
			"search retry after timeout --source s --group g --kind function,class --kind text --path src/** --limit 3 --at 7";
		const { closed } = await lode(argv.split(" "), { reader: { search } });
		expect(queries).toEqual([
			{
				text: "retry after timeout",
				source: "s",
				group: "g",
				kinds: ["function", "class", "text"],
				path: "src/**",
				limit: 3,
				at: "7",
			},
		]);
		expect(closed).toEqual(["reader"]);
	});

	it("names place, model and text of a hit, and lets no content steer the terminal", async () => {
		const { stdout } = await lode(["search", "parse"], { reader: { search: async () => SEARCH } });
		expect(stdout).toContain("src/a.ts:7 to 9  function parse");
		expect(stdout).toContain("lexical-v1-384");
		expect(stdout).toContain("    function parse() {\n      return");
		expect(stdout).not.toMatch(/(?!\n)\p{Cc}/u);
		const json = await lode(["search", "parse", "--json"], { reader: { search: async () => SEARCH } });
		expect(json.stdout).not.toMatch(/(?!\n)\p{Cc}/u);
		expect(JSON.parse(json.stdout)).toEqual(SEARCH);
	});

	it("lists parked webhooks, and passes which of them are to be dispatched again", async () => {
		const event = {
			id: "rcp-7",
			sender: "github",
			event: "push",
			repository: ["https://git.example/a/b"],
			branch: null,
			commit: null,
			receivedAt: "2026-01-31T12:00:00.000Z",
			parkedAt: "2026-01-31T12:01:00.000Z",
			reason: "no source follows\u001b[31m https://git.example/a/b",
		};
		const calls: unknown[] = [];
		const events = {
			parked: async (options: object) => {
				calls.push(options);
				return { parked: [event], waiting: 2, bytes: 900 };
			},
			replay: async (selection: object) => {
				calls.push(selection);
				return { replayed: ["rcp-7", "rcp-9"], gateway: calls.length > 3 };
			},
		};
		const { stdout } = await lode(["events", "parked", "--since", "2026-01-31"], { events });
		expect(stdout).toMatch(/rcp-7 +2026-01-31 12:01 +github +push +https:\/\/git.example\/a\/b +- +no source follows/);
		expect(stdout).toContain("1 parked, 2 waiting; the ledger has 900 bytes");
		expect(stdout).not.toMatch(/(?!\n)\p{Cc}/u);
		const json = await lode(["events", "parked", "--json"], { events });
		expect(JSON.parse(json.stdout)).toEqual({ parked: [event], waiting: 2, bytes: 900 });
		const later = await lode(["events", "replay", "rcp-7", "rcp-9", "--repository", "a/b", "--since", "2026"], {
			events,
		});
		expect(later.stdout).toBe("2 receipts wait again; the gateway dispatches what waits when it starts\n");
		const now = await lode(["events", "replay", "--all"], { events });
		expect(now.stdout).toBe("2 receipts wait again; the gateway dispatches\n");
		expect(calls).toEqual([
			{ since: "2026-01-31" },
			{},
			{ ids: ["rcp-7", "rcp-9"], repository: "a/b", since: "2026" },
			{ ids: [], all: true },
		]);
	});

	it("says how far each source is behind, and which could not be asked", async () => {
		const asked: unknown[] = [];
		const source = (id: string, lag: Pick<SourceLag, "status"> & Partial<SourceLag>): SourceReport => ({
			...{
				id,
				kind: "git",
				address: `/srv/${id}`,
				branch: "main",
				policy: "every",
				createdAt: "",
				commit: "1".repeat(40),
			},
			...{
				snapshot: 1,
				publishedAt: null,
				model: "m",
				files: 1,
				entities: 2,
				chunks: 3,
				webhooks: 4,
				lastWebhookAt: null,
			},
			lag: { head: "2".repeat(40), commits: null, since: null, problem: null, ...lag },
		});
		const since = "2026-01-01T10:20:30.000Z";
		const all = [
			source("new", { status: "current", commits: 0 }),
			source("old", { status: "behind", commits: 12, since }),
			source("far", { status: "behind" }),
			source("back", { status: "ahead", commits: 0 }),
			source("gone", { status: "unknown", head: null, problem: "SOURCE_UNAVAILABLE: no answer" }),
		];
		const reader = {
			async sources(options: { lag: boolean }) {
				asked.push(options);
				return options.lag ? all : all.map(({ lag: _, ...rest }) => rest);
			},
		};
		const { stdout } = await lode(["sources"], { reader });
		const rows = stdout.split("\n").map((line) => line.trim().split(/ {2,}/).slice(3, 7).join("|"));
		expect(rows.slice(0, 6)).toEqual([
			"commit|head|lag|since (UTC)",
			"1111111111|2222222222|up to date|-",
			"1111111111|2222222222|12 behind|2026-01-01 10:20",
			"1111111111|2222222222|behind|-",
			"1111111111|2222222222|ahead|-",
			"1111111111|-|unknown|-",
		]);
		expect(stdout).toContain("\ngone: SOURCE_UNAVAILABLE: no answer\n");
		expect((await lode(["sources", "--no-lag"], { reader })).stdout).not.toMatch(/lag|behind|gone: /);
		expect(asked).toEqual([{ lag: true }, { lag: false }]);
	});

	it("takes settings from flags anywhere on the line", async () => {
		const reader = { sources: async () => [] };
		const { configs, stdout } = await lode(["--json", "sources", "--home", "data", "--set", "LODE_CHUNK_SIZE=700"], {
			reader,
		});
		expect(configs[0]?.home).toBe(join(cwd, "data"));
		expect(configs[0]?.chunks.size).toBe(700);
		expect(JSON.parse(stdout)).toEqual({ sources: [] });
	});
});

describe("exit codes and errors", () => {
	const failing = (error: unknown) => ({ reader: { search: () => Promise.reject(error) } });

	it.each([
		["SOURCE_NOT_FOUND", 3],
		["DISK_FULL", 4],
		["STORE_CORRUPT", 5],
		["MODEL_MISMATCH", 2],
		["CANCELLED", 130],
	] as const)("exits for %s with %i and says what to do next", async (code, exit) => {
		const result = await lode(["search", "x"], failing(new LodeError(code, "it went wrong", { next: "Do this." })));
		expect(result.code).toBe(exit);
		expect(result.stdout).toBe("");
		expect(result.stderr).toBe(`error ${code}: it went wrong\nnext: Do this.\n`);
	});

	it("writes errors as JSON on standard error with --json", async () => {
		const result = await lode(
			["search", "x", "--json"],
			failing(new LodeError("SNAPSHOT_EXPIRED", "gone", { next: "n" })),
		);
		expect(result.stdout).toBe("");
		expect(JSON.parse(result.stderr)).toEqual({ error: { code: "SNAPSHOT_EXPIRED", message: "gone", next: "n" } });
	});

	it("calls what it does not know INTERNAL, what the system says by its name, and hides known secrets", async () => {
		const env = { LODE_EMBEDDING_API_KEY: "sk-0123456789" };
		const unknown = await lode(["search", "x"], { ...failing(new Error("bad key sk-0123456789")), env });
		expect(unknown.code).toBe(1);
		expect(unknown.stderr).toContain("error INTERNAL: bad key [secret]");
		const full = await lode(["search", "x"], failing(Object.assign(new Error("write"), { code: "ENOSPC" })));
		expect(full.code).toBe(4);
		expect(full.stderr).toContain("error DISK_FULL");
	});

	it.each([
		[["search"]],
		[["search", "x", "--limit", "0"]],
		[["search", "x", "--kind", "novel"]],
		[["nothing"]],
		[["graph"]],
		[["ingest", "a", "b"]],
		[["config", "set", "LODE_HOME"]],
	])("answers the wrong command line %j with USAGE and 2", async (argv) => {
		const result = await lode(argv);
		expect(result.code).toBe(2);
		expect(result.stderr).toMatch(/^error USAGE: .+\nnext: See lode .*--help\n$/);
		const json = await lode([...argv, "--json"]);
		expect(JSON.parse(json.stderr).error.code).toBe("USAGE");
	});

	it("exits with 2 for a wrong configuration", async () => {
		const result = await lode(["sources"], { env: { LODE_PROFILE: "servers" } });
		expect(result.code).toBe(2);
		expect(result.stderr).toContain("LODE_POSTGRES_URL: is needed where LODE_CATALOG is postgres");
	});

	it("exits with 5 when verification finds damage, and still answers", async () => {
		const result = await lode(["verify", "--json"], { reader: { verify: async () => VERIFY } });
		expect(result.code).toBe(5);
		expect(JSON.parse(result.stdout)).toEqual(VERIFY);
	});

	it("exits with 1 when a retry failed again", async () => {
		const failure = { code: "DISK_FULL", message: "no space" };
		const retry = async () => ({ retried: [], failed: [{ ingestion: "01J", failure }] });
		const result = await lode(["retry"], { commander: { retry } });
		expect(result.code).toBe(1);
		expect(result.stdout).toContain("DISK_FULL: no space");
	});

	it("tells of what cannot be retried yet, and what to do", async () => {
		const failure = {
			code: "SOURCE_BUSY",
			message: "ingestion ing-1 is still being undone",
			next: "lode status ing-1",
		};
		const retry = async () => ({ retried: [], failed: [{ ingestion: "ing-1", failure }] });
		const result = await lode(["retry"], { commander: { retry } });
		expect(result.code).toBe(1);
		expect(result.stdout).toBe("Not yet: ingestion ing-1 is still being undone\n  lode status ing-1\n");
	});

	it.each([
		[true, "next `lode dev`"],
		[false, "goes on"],
	])("ends waiting at Ctrl-C with 130 and says what becomes of it (owned: %s)", async (owned, told) => {
		let aborted = false;
		const ingest = (_target: string, { signal }: IngestOptions) => {
			queueMicrotask(() => signals.emit("SIGINT"));
			return new Promise<IngestReport>((_, reject) => {
				signal?.addEventListener("abort", () => {
					aborted = true;
					reject(new LodeError("CANCELLED", "the service's word"));
				});
			});
		};
		const result = await lode(["ingest", "x"], { commander: { ingest }, owned });
		expect(result.code).toBe(130);
		expect(aborted).toBe(true);
		expect(result.stderr).toContain("error CANCELLED: stopped waiting for the ingestion of x");
		expect(result.stderr).toContain(told);
		expect(result.closed).toEqual(["runtime"]);
		expect(signals.listenerCount("SIGINT")).toBe(0);
	});
});

describe("doctor", () => {
	const reader = { sources: async () => [] };

	it("exits with 0 when all that is needed is there", async () => {
		const { code, stdout } = await lode(["doctor", "--json"], { reader, env: { LODE_CACHE_DIR: cwd } });
		const { ok, checks } = JSON.parse(stdout);
		expect([code, ok]).toEqual([0, true]);
		expect(checks.map(({ name }: { name: string }) => name)).toEqual([
			"Node",
			"git",
			"configuration",
			"home",
			"Temporal",
			"embeddings",
			"stores",
			"runtime",
		]);
		// No binary on the given PATH: the first start gets one, so it is no failure.
		expect(checks[4].status).toBe("warn");
	});

	it("exits with 1 and says how to mend what failed", async () => {
		await lode(["init"]);
		const broken = new LodeError("STORE_CORRUPT", "graph.db is damaged", { next: "Restore it." });
		const { code, stdout } = await lode(["doctor"], { reader: { sources: () => Promise.reject(broken) } });
		expect(code).toBe(1);
		expect(stdout).toMatch(/stores +fail +STORE_CORRUPT: graph.db is damaged/);
		expect(stdout).toContain("stores: Restore it.");
	});

	it("reports a wrong configuration as a check", async () => {
		const { code, stdout } = await lode(["doctor", "--json"], { env: { LODE_CHUNK_SIZE: "x" } });
		expect(code).toBe(1);
		expect(JSON.parse(stdout).checks.at(-1)).toMatchObject({ name: "configuration", status: "fail" });
	});
});

describe("help and settings", () => {
	it("lists every command with an example, and the exit codes", async () => {
		const { code, stdout } = await lode(["--help"]);
		expect(code).toBe(0);
		for (const name of "ingest retry cancel remove gc verify search graph sources status diff init dev config doctor".split(
			" ",
		)) {
			expect(stdout).toMatch(new RegExp(`^  ${name}\\b`, "m"));
			const help = await lode([name, ...(name === "graph" ? ["show"] : name === "config" ? ["set"] : []), "--help"]);
			expect(help.code, name).toBe(0);
			expect(help.stdout, name).toContain("$ lode ");
		}
		expect((await lode(["help", "exit-codes"])).stdout).toContain("SNAPSHOT_EXPIRED");
		expect((await lode(["--version"])).stdout).toBe("1.2.3\n");
	});

	it("creates home and file once, then sets and gets", async () => {
		const first = await lode(["init", "--json"]);
		expect(JSON.parse(first.stdout).created).toHaveLength(2);
		expect(JSON.parse((await lode(["init", "--json"])).stdout).created).toEqual([]);
		expect((await lode(["config", "set", "gc.graceSeconds", "60"])).code).toBe(0);
		expect((await lode(["config", "get", "LODE_GC_GRACE"])).stdout).toBe("60\n");
		const secret = await lode(["config", "set", "LODE_EMBEDDING_API_KEY", "sk-0123456789"]);
		expect(secret.code).toBe(2);
		expect(secret.stderr).toContain("environment");
		expect(secret.stdout + secret.stderr).not.toContain("0123456789");
	});

	it("never shows a secret", async () => {
		const env = { LODE_EMBEDDING_API_KEY: "sk-0123456789" };
		for (const argv of [
			["config", "get"],
			["config", "get", "--json"],
			["config", "get", "LODE_EMBEDDING_API_KEY"],
		]) {
			const { stdout } = await lode(argv, { env });
			expect(stdout).toContain("[secret]");
			expect(stdout).not.toContain("0123456789");
		}
	});

	it("mends a broken configuration with config set", async () => {
		await lode(["config", "set", "chunks.size", "5000"]);
		await lode(["config", "set", "chunks.overlap", "1900"]);
		await lode(["config", "set", "chunks.size", ""]);
		expect((await lode(["config", "get"])).code).toBe(2);
		expect((await lode(["config", "set", "chunks.overlap", "100"])).code).toBe(0);
		expect((await lode(["config", "get"])).code).toBe(0);
	});
});

describe("group", () => {
	const changed = { id: "s:docs", source: "s", name: "docs", state: "indexed", reindex: null };

	it("gives the service what the options say, and nothing else", async () => {
		const calls: unknown[][] = [];
		const commander = {
			createGroup: async (...args: unknown[]) => {
				calls.push(args.slice(0, 3), [(args[3] as { noWait: boolean }).noWait]);
				return changed as never;
			},
			updateGroup: async (...args: unknown[]) => {
				calls.push(args.slice(0, 3));
				return changed as never;
			},
		};
		const options = ["--path", "docs", "--include", "*.{md,txt}", "--include", "api/**", "--chunk-size", "600"];
		const rules = ["--grouping", "custom", "--rule", "api=api/**", "--rule", "api=more", "--rule", "x=y"];
		const kept = ["--max-versions", "3", "--ttl", "forever", "--no-wait"];
		const created = await lode(["group", "create", "s", "docs", ...options, ...rules, ...kept, "--json"], {
			commander,
		});
		expect(created).toMatchObject({ code: 0, stdout: `${JSON.stringify(changed)}\n` });
		expect((await lode(["group", "update", "s", "docs", "--exclude", ""], { commander })).code).toBe(0);
		expect(calls).toEqual([
			[
				"s",
				"docs",
				{
					path: "docs",
					include: ["*.{md,txt}", "api/**"],
					grouping: "custom",
					rules: [
						{ name: "api", globs: ["api/**", "more"] },
						{ name: "x", globs: ["y"] },
					],
					indexing: { chunkSize: 600 },
					retention: { maxVersions: 3, ttl: null },
				},
			],
			[true],
			["s", "docs", { exclude: [] }],
		]);
	});

	it("asks nobody where nobody is, and deletes nothing unasked", async () => {
		const asked = await lode(["group", "delete", "s", "docs"]);
		expect(asked).toMatchObject({ code: 2, stderr: expect.stringContaining("--yes") });
		expect(asked.closed).toEqual([]);
		expect(await lode(["group", "create"])).toMatchObject({ code: 2 });
		const commander = { deleteGroup: async () => ({ ...changed, state: "deleted" }) as never };
		expect(await lode(["group", "delete", "s", "docs", "--yes"], { commander })).toMatchObject({
			code: 0,
			stdout: "Deleted group docs of s; the index stays as it is\n",
		});
	});

	it("tells what is wrong field by field", async () => {
		const fields = { path: "must stay inside the source" };
		const commander = {
			updateGroup: async () => {
				throw new LodeError("GROUP_INVALID", "path must stay inside the source", { fields });
			},
		};
		const { code, stderr } = await lode(["group", "update", "s", "docs", "--path", "..", "--json"], { commander });
		const told = JSON.parse(stderr.trimEnd().split("\n").at(-1) ?? "") as { error: unknown };
		expect({ code, error: told.error }).toEqual({
			code: 2,
			error: { code: "GROUP_INVALID", message: "path must stay inside the source", fields },
		});
	});
});
