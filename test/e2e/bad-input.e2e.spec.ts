import { createHash, randomBytes } from "node:crypto";
import { appendFile, chmod, chown, mkdir, mkdtemp, readFile, rename, rm, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadConfig } from "../../src/config/config.js";
import type { LodeReader } from "../../src/services/lode.js";
import type {
	GraphReport,
	IngestReport,
	RetryReport,
	SearchReport,
	StatusReport,
	VerifyReport,
} from "../../src/services/reports.js";
import { openReader } from "../../src/wiring.js";
import { createRepository, type TestContent, type TestRepository } from "../support/git-repository.js";
import { DevProcess, lode, lodeJson } from "../support/lode-process.js";
import { smallDisk } from "../support/small-disk.js";

const MIB = 2 ** 20;
const NOBODY = 65_534;
/** What a worker may take at its peak, with files of 70 MB in the repository. */
const MAX_WORKER_BYTES = 1_500 * MIB;
const isRoot = process.getuid?.() === 0;
const posix = process.platform !== "win32";

const cleanUps: (() => Promise<unknown>)[] = [];

async function newFolder(name: string): Promise<string> {
	const folder = await mkdtemp(join(tmpdir(), `lode-${name}-`));
	cleanUps.push(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
	return folder;
}

async function newRepository(): Promise<TestRepository> {
	const repository = await createRepository();
	cleanUps.push(() => repository.remove());
	return repository;
}

/** A command that must fail: nothing on standard output, and the error as the last line of standard error, in both forms. */
async function failing(
	home: string,
	args: readonly string[],
	extra?: Record<string, string>,
	user?: number,
): Promise<{ exit: number; code: string; message: string; next?: string }> {
	const { code: exit, stdout, stderr } = await lode(home, [...args, "--json"], extra, { user });
	expect(stdout, stderr).toBe("");
	const last = stderr.trimEnd().split("\n").at(-1) ?? "";
	const { error } = JSON.parse(last) as { error: { code: string; message: string; next?: string } };
	// A person gets a sentence and what to do, never a stack.
	expect(error.next, error.message).toMatch(/\w/);
	expect(stderr).not.toMatch(/^\s+at /m);
	return { exit, ...error };
}

async function bytesOf(pid: number | undefined, field: "VmHWM" | "VmRSS"): Promise<number | undefined> {
	const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
	const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1];
	return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

/** Real: `lode dev`, Temporal, worker, CLI, every store, git. */
describe("bad input", () => {
	let home: string;
	let dev: DevProcess;
	beforeAll(async () => {
		home = await newFolder("bad-input");
		dev = await DevProcess.start(home);
	});
	afterAll(async () => {
		await dev?.stop();
		for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
	});

	const verified = async (where = home) => {
		const report = await lodeJson<VerifyReport>(where, ["verify"]);
		expect(report).toMatchObject({ ok: true, problems: [] });
		return report;
	};
	const skips = (shown: GraphReport) => shown.entity.props.skips ?? [];
	const ingest = (path: string, ...more: string[]) => lodeJson<IngestReport>(home, ["ingest", path, ...more]);

	describe("where the user must act", () => {
		test.each<[string, string[], number, string]>([
			["a path that is not there", ["ingest", join(tmpdir(), "lode-nothing-here")], 3, "SOURCE_NOT_FOUND"],
			["a host that does not answer", ["ingest", "https://127.0.0.1:1/x.git"], 4, "SOURCE_UNAVAILABLE"],
			["a password in the address", ["ingest", "https://me:hidden-word@127.0.0.1/x.git"], 2, "CREDENTIALS_IN_URL"],
		])("%s", async (_, args, exit, code) => {
			const error = await failing(home, args);
			expect(error).toMatchObject({ exit, code });
			expect(JSON.stringify(error)).not.toContain("hidden-word");
		});

		test("a repository on a server that has none of that name, and a ref that does not exist", async () => {
			const repository = await newRepository();
			await repository.commit({ files: { "a.md": "# A\n\nText.\n" } });
			expect(await failing(home, ["ingest", `file://${repository.path}-other`])).toMatchObject({
				exit: 3,
				code: "SOURCE_NOT_FOUND",
			});
			const error = await failing(home, ["ingest", repository.path, "--ref", "no-such-branch"]);
			expect(error).toMatchObject({ exit: 3, code: "REF_NOT_FOUND", next: expect.stringContaining("main") });
			for (const ref of ["--upload-pack=touch /tmp/x", "f".repeat(40)])
				expect(await failing(home, ["ingest", repository.path, `--ref=${ref}`]), ref).toMatchObject({ exit: 3 });
		});

		test.runIf(posix)("no permission to read the repository or to write the home", async () => {
			const folder = await newFolder("denied");
			const repository = join(folder, "repository");
			await mkdir(repository);
			await writeFile(join(repository, "a.txt"), "not for everyone\n");
			await chmod(repository, isRoot ? 0o700 : 0o000);
			let own = home;
			let extra: Record<string, string> = {};
			if (isRoot) {
				// Root reads everything: another user has a home of its own, and a worker on our server.
				own = join(folder, "home");
				await chmod(folder, 0o755);
				await mkdir(own);
				await chown(own, NOBODY, NOBODY);
				extra = { TEMPORAL_ADDRESS: (await dev.runtimeAddress()) as string, TEMPORAL_TASK_QUEUE: "nobody" };
			}
			const user = isRoot ? NOBODY : undefined;
			expect(await failing(own, ["ingest", repository], extra, user)).toMatchObject({
				exit: 4,
				code: "PERMISSION_DENIED",
				message: expect.stringContaining(repository),
			});
			const locked = join(folder, "locked");
			await mkdir(locked);
			await chmod(locked, isRoot ? 0o700 : 0o500);
			expect(await failing(join(locked, "home"), ["ingest", repository], extra, user)).toMatchObject({
				exit: 4,
				code: "PERMISSION_DENIED",
				message: expect.stringContaining(locked),
			});
			await chmod(repository, 0o755);
		});

		test.runIf(posix)("a repository that disappears while its ingestion waits", async () => {
			const repository = await newRepository();
			await repository.commit({ files: { "kept.md": "# Kept\n\nvanishing words\n" } });
			const worker = (await dev.pidOf("worker")) as number;
			// Nothing can begin while the worker stands still, so the repository is gone before anybody looks at it.
			process.kill(worker, "SIGSTOP");
			const answer = lode(home, ["ingest", repository.path, "--json"]);
			try {
				await sleep(3_000);
				await rename(repository.path, `${repository.path}-away`);
			} finally {
				process.kill(worker, "SIGCONT");
			}
			const { code, stdout, stderr } = await answer;
			expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
			expect(stderr).toMatch(/"code":"SOURCE_NOT_FOUND"/);
			const { parked, ingestions } = await lodeJson<StatusReport>(home, ["status"]);
			expect(parked).toBe(1);
			const [ingestion] = ingestions.filter(({ status }) => status === "parked");
			expect(ingestion?.failure).toMatchObject({ code: "SOURCE_NOT_FOUND", next: expect.stringMatching(/\w/) });

			await rename(`${repository.path}-away`, repository.path);
			const { retried } = await lodeJson<RetryReport>(home, ["retry", ingestion?.id as string]);
			expect(retried).toMatchObject([{ outcome: "published" }]);
			expect((await lodeJson<StatusReport>(home, ["status"])).parked).toBe(0);
		});

		test.runIf(posix)("Ctrl-C while it waits: 130, and the ingestion goes on", async () => {
			const repository = await newRepository();
			const many = Array.from({ length: 600 }, (_, at) => [`src/f${at}.md`, `# File ${at}\n\nwords of file ${at}\n`]);
			await repository.commit({ files: Object.fromEntries(many) });
			const { code, stdout, stderr } = await lode(
				home,
				["ingest", repository.path, "--json"],
				{},
				{
					onStart: (child) => {
						child.stderr?.on("data", (text) => {
							if (/mining|fetching|comparing/.test(String(text))) child.kill("SIGINT");
						});
					},
				},
			);
			expect({ code, stdout }).toEqual({ code: 130, stdout: "" });
			const last = JSON.parse(stderr.trimEnd().split("\n").at(-1) ?? "");
			expect(last.error).toMatchObject({ code: "CANCELLED", next: expect.stringContaining("lode status") });
			for (let waited = 0; waited < 60_000; waited += 250) {
				const [ingestion] = (await lodeJson<StatusReport>(home, ["status"])).ingestions;
				if (ingestion?.status === "published") break;
				await sleep(250);
			}
			const { hits } = await lodeJson<SearchReport>(home, ["search", "words of file 599", "--limit", "3"]);
			expect(hits.map(({ path }) => path)).toContain("src/f599.md");
		});
	});

	describe("what is recorded on the file", () => {
		const big = {
			"fifty.txt": Buffer.from(
				Array.from({ length: 1_250_000 }, (_, at) => `line ${at} of a large file of text\n`).join(""),
			),
			"seventy.bin": randomBytes(70 * MIB),
			"one-character.txt": Buffer.alloc(64 * MIB, "a"),
			"short-lines.txt": Buffer.alloc(10_000_000, "a\n"),
			"one-line-of-7-mb.txt": Buffer.alloc(7 * MIB, "0"),
			"repeated.ts": "function same() { return 1; }\n".repeat(80_000),
			"deep.json": `${"[".repeat(100_000)}${"]".repeat(100_000)}`,
			"deep-objects.json": `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`,
			"deep.ts": `const x = ${"(".repeat(100_000)}1${")".repeat(100_000)};\n`,
			"deep.md": `${"> ".repeat(50_000)}x\n`,
			"deep.yml": Array.from({ length: 3_000 }, (_, at) => `${" ".repeat(at)}a:`).join("\n"),
			"package.json": `{"name": "x", "dependencies": ${'{"a":'.repeat(50_000)}1${"}".repeat(50_000)}}`,
			"not-utf8.txt": Buffer.from([0x61, 0x62, 0xff, 0xfe, 0xfd, 0x0a]),
			"nul.txt": Buffer.from("text\0more text\n"),
			"broken.csv": 'a,b\n"x,1\ny"z,2\n"unclosed\n',
			"wide.csv": `${Array.from({ length: 10_000 }, (_, at) => `c${at}`).join(",")}\n${Array(10_000).fill(1).join(",")}\n`,
			"broken.parquet": Buffer.from("PAR1 this is no parquet file PAR1"),
			"broken.jsonl": '{"a":1}\n{"a":\n[]]\n',
			"broken.sql": "select (((( from where group by ,,, 'unclosed",
			"broken.py": "def f(:\n\treturn ((((\n",
			"empty.txt": "",
			"empty.csv": "",
			"empty.ts": "",
			"empty.parquet": "",
			"good.md": "# Good\n\nThis one is well among the bad ones.\n",
		} satisfies Record<string, TestContent>;
		const odd = "line\nend \"quotes\" 'and' \\.txt";
		const latin1 = Buffer.from("latin-\xe9.txt", "latin1");
		let report: IngestReport;
		let reader: LodeReader;

		beforeAll(async () => {
			reader = await openReader(loadConfig({ env: { LODE_HOME: home }, cwd: home }).config);
			const repository = await newRepository();
			await repository.commit({
				files: [...Object.entries(big), [odd, "an unwieldy title\n"], [latin1, "a name in Latin 1\n"]],
			});
			report = await ingest(repository.path);
		}, 180_000);
		afterAll(() => reader?.close());

		test("hostile files never fail a commit, and nothing of them is lost", async () => {
			expect(report).toMatchObject({ outcome: "published", files: { added: Object.keys(big).length + 2 } });
			const { stores } = await verified();
			expect(stores.artifacts.count).toBeGreaterThanOrEqual(report.files.added);
			for (const path of ["seventy.bin", "fifty.txt", "one-character.txt", "not-utf8.txt"] as const) {
				const address = createHash("sha256").update(big[path]).digest("hex");
				const archived = await readFile(join(home, "artifacts", "objects", address.slice(0, 2), address.slice(2)));
				expect(archived.equals(big[path]), path).toBe(true);
			}
			const { hits } = await lodeJson<SearchReport>(home, ["search", "well among the bad ones"]);
			expect(hits[0]).toMatchObject({ path: "good.md", source: report.source });
		});

		test.each<[keyof typeof big, readonly string[]]>([
			["fifty.txt", ["too_large"]],
			["seventy.bin", ["too_large"]],
			["one-character.txt", ["too_large"]],
			["short-lines.txt", ["too_large"]],
			["one-line-of-7-mb.txt", ["too_large"]],
			["repeated.ts", ["too_large"]],
			["deep.ts", ["nesting"]],
			["deep.md", ["nesting"]],
			["package.json", ["nesting"]],
			["not-utf8.txt", ["encoding"]],
			["nul.txt", ["binary"]],
			["broken.csv", ["parse"]],
			["wide.csv", ["too_large"]],
			["broken.parquet", ["parse"]],
			["broken.jsonl", ["parse"]],
			// Nothing was left out of these.
			["good.md", []],
			["empty.txt", []],
			["empty.ts", []],
		])("%s has its reason on it", async (path, reasons) => {
			expect(skips(await reader.graph(`file:${report.source}:${path}`, { depth: 0 }))).toEqual(reasons);
		});

		test("the reason is what `lode graph show` shows", async () => {
			const shown = await lodeJson<GraphReport>(home, ["graph", "show", `file:${report.source}:not-utf8.txt`]);
			expect(skips(shown)).toEqual(["encoding"]);
		});

		test.each([
			["unwieldy title", odd.replace("\\", "\\x5c")],
			["a name in Latin 1", "latin-\\xe9.txt"],
		])("%s is found as it is shown", async (text, path) => {
			const { hits } = await lodeJson<SearchReport>(home, ["search", text]);
			expect(hits[0]?.path).toBe(path);
			expect(skips(await lodeJson<GraphReport>(home, ["graph", "show", `file:${report.source}:${path}`]))).toEqual([]);
		});

		test("an empty repository, an empty folder and a folder of empty files are ingested", async () => {
			const empty = await newRepository();
			expect(await ingest(empty.path)).toMatchObject({ outcome: "published", files: { added: 0, failed: 0 } });
			const folder = await newFolder("empty");
			expect(await ingest(folder)).toMatchObject({ outcome: "published", files: { added: 0, failed: 0 } });
			for (const name of ["a.ts", "b.csv", "c"]) await writeFile(join(folder, name), "");
			expect(await ingest(folder)).toMatchObject({ outcome: "published", files: { added: 3, failed: 0 } });
		});

		test.runIf(process.platform === "linux")("the memory of the worker stays bounded", async () => {
			const peak = (await bytesOf(await dev.pidOf("worker"), "VmHWM")) as number;
			console.info(`peak memory of the worker: ${Math.round(peak / MIB)} MiB`);
			expect(peak).toBeLessThan(MAX_WORKER_BYTES);
		});
	});

	test("a full disk: the command says so, nothing is lost, and it goes on when there is room", async (context) => {
		const disk = await smallDisk(96 * MIB);
		if (disk === undefined) {
			console.info("a full disk is not tried: no small file system can be mounted here");
			return context.skip();
		}
		// Whatever happens: a file system that is left behind takes memory.
		cleanUps.push(() => disk.remove());
		const small = join(disk.path, "home");
		const started = await DevProcess.start(small, { LODE_MIN_FREE_BYTES: String(24 * MIB) });
		const filler = join(disk.path, "filler");
		const fill = async (leave: number) => {
			const { bavail, bsize } = await statfs(disk.path);
			for (let left = bavail * bsize - leave; left > 0; left -= MIB)
				await appendFile(filler, Buffer.alloc(Math.min(left, MIB))).catch((error: NodeJS.ErrnoException) => {
					if (error.code !== "ENOSPC") throw error;
				});
		};
		try {
			const repository = await newRepository();
			const first = await repository.commit({ files: { "first.md": "# First\n\nPublished before.\n" } });
			await lodeJson<IngestReport>(small, ["ingest", repository.path]);
			const before = (await verified(small)).stores;
			await repository.commit({
				files: Object.fromEntries(
					Array.from({ length: 200 }, (_, at) => [`data/${at}.bin`, randomBytes(64 * 1024)] as const),
				),
			});
			await fill(30 * MIB);
			expect(await failing(small, ["ingest", repository.path])).toMatchObject({
				exit: 4,
				code: "DISK_FULL",
				message: expect.stringContaining(small),
			});
			expect(await lodeJson<StatusReport>(small, ["status"])).toMatchObject({ parked: 1 });
			expect((await verified(small)).stores).toEqual(before);

			// Not even the failure can be written down any more.
			await fill(0);
			expect(await failing(small, ["ingest", repository.path])).toMatchObject({ exit: 4, code: "DISK_FULL" });
			const { hits } = await lodeJson<SearchReport>(small, ["search", "Published before"]);
			expect(hits[0]).toMatchObject({ path: "first.md", commit: first });

			await rm(filler);
			expect(await failingOr(small, ["retry"])).toMatchObject({ failed: [] });
			expect((await lodeJson<StatusReport>(small, ["status"])).parked).toBe(0);
			await lodeJson<IngestReport>(small, ["ingest", repository.path]);
			expect((await verified(small)).stores.artifacts.count).toBe(201);
		} finally {
			await started.stop();
		}
	}, 120_000);

	/** The command's answer; the server may need a moment after it had no room. */
	async function failingOr(where: string, args: readonly string[]): Promise<RetryReport> {
		for (let attempt = 1; ; attempt++) {
			try {
				return await lodeJson<RetryReport>(where, args);
			} catch (error) {
				if (attempt === 5) throw error;
				await sleep(1_000);
			}
		}
	}
});
