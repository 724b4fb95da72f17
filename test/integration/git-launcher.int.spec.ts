import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { GitCommand } from "../../src/sources/git/git-command.js";
import { GitLauncher } from "../../src/sources/git/git-launcher.js";
import { createRepository } from "../support/git-repository.js";

const DIST = path.resolve(import.meta.dirname, "../../dist/src/sources/git/git-launcher.js");
const CALL = { cwd: "/", env: { PATH: process.env.PATH } };

const runs = (pid: number): boolean => {
	try {
		return process.kill(pid, 0);
	} catch {
		return false;
	}
};
const gone = (...pids: number[]) => vi.waitUntil(() => !pids.some(runs), { timeout: 10_000, interval: 20 });

describe.skipIf(process.platform !== "linux")("the process that starts git", () => {
	let launcher: GitLauncher;
	let shell: GitCommand;

	beforeEach(() => {
		launcher = new GitLauncher();
		shell = new GitCommand("/bin/sh", launcher.start);
	});
	afterEach(() => launcher.close());

	const said = async (script: string, input?: string): Promise<string> =>
		(await shell.run(["-c", script], { ...CALL, input })).stdout.toString();

	/** Resolves when processes are started by it; its process id. */
	async function ready(): Promise<number> {
		for (;;) {
			const parent = Number(await said("echo $PPID"));
			if (parent !== process.pid) return parent;
			await sleep(30);
		}
	}

	it("gives each process its own streams, environment, folder and exit code, as if it were started here", async () => {
		await ready();
		const results = await Promise.all(
			Array.from({ length: 20 }, async (_, n) =>
				shell.run(["-c", 'cat; echo "$N in $PWD"; echo "no $N" >&2; exit $N'], {
					cwd: "/usr",
					env: { ...CALL.env, N: String(n) },
					input: `${n}\n`,
				}),
			),
		);
		expect(results).toEqual(
			results.map((_, n) => ({ code: n, stdout: Buffer.from(`${n}\n${n} in /usr\n`), stderr: `no ${n}\n` })),
		);
		expect(await said("cat; echo empty")).toBe("empty\n");
		const absent = new GitCommand("/no/such/git", launcher.start).run([], CALL);
		await expect(absent).rejects.toMatchObject({
			code: "SOURCE_UNAVAILABLE",
			message: expect.stringContaining("/no/such/git"),
		});
	});

	it("holds a process back whose output is not read, and loses nothing of it", async () => {
		const repository = await createRepository();
		try {
			const bytes = Buffer.alloc(24 * 1024 * 1024, "lode ");
			await repository.commit({ files: { big: bytes } });
			await ready();
			const git = new GitCommand("git", launcher.start);
			const running = await git.start(["-C", repository.path, "cat-file", "blob", "HEAD:big"], CALL, false);
			await sleep(200);
			// What lies in pipes and in a stream's buffer.
			expect(running.stdout.readableLength).toBeLessThan(1024 * 1024);
			const hash = createHash("sha256");
			for await (const chunk of running.stdout) hash.update(chunk);
			expect(hash.digest("hex")).toBe(createHash("sha256").update(bytes).digest("hex"));
			expect(await running.ended).toEqual({ code: 0, stderr: "" });
		} finally {
			await repository.remove();
		}
	});

	it("hands on what ends a process: to all of its session, where it has one", async () => {
		await ready();
		const script = "sleep 600 >/dev/null 2>&1 & echo $$ $!; wait";
		for (const detached of [true, false]) {
			const controller = new AbortController();
			const running = await shell.start(["-c", script], { ...CALL, detached, signal: controller.signal });
			const [own = 0, inner = 0] = String((await running.stdout[Symbol.asyncIterator]().next()).value)
				.split(" ")
				.map(Number);
			controller.abort();
			await expect(running.ended).rejects.toMatchObject({ code: "CANCELLED" });
			await gone(own);
			if (detached) await gone(inner);
			else process.kill(inner);
		}
	});

	it("is replaced when it was killed; what it had started is ended, and fails as a passing fault", async () => {
		const first = await ready();
		const running = await shell.start(["-c", "echo $$; exec sleep 600"], CALL);
		const own = Number((await running.stdout[Symbol.asyncIterator]().next()).value);
		process.kill(first, "SIGKILL");
		await expect(running.ended).rejects.toMatchObject({ code: "SOURCE_UNAVAILABLE" });
		await gone(first, own);
		// At once here, after a while by another one.
		expect(Number(await said("echo $PPID"))).toBe(process.pid);
		vi.spyOn(Date, "now").mockReturnValue(Date.now() + 60_000);
		expect(await ready()).not.toBe(first);
		vi.restoreAllMocks();
	});

	it("ends with whoever needed it, killed or not, and so does what it started", async () => {
		const temporary = await mkdtemp(path.join(tmpdir(), "lode-test-"));
		for (const how of ["SIGKILL", "close"] as const) {
			const { owner, pids } = await ownerOfThree(temporary);
			expect(pids.every(runs)).toBe(true);
			if (how === "close") owner.send("close");
			else owner.kill(how);
			await gone(...pids, owner.pid as number);
			expect(await readdir(temporary)).toEqual([]);
		}
		await rm(temporary, { recursive: true });
	});

	it("has no secret in its arguments and in its environment, and gives git its own", async () => {
		vi.stubEnv("LODE_GIT_TOKEN", "hunter2");
		const pid = await ready();
		const env = { ...CALL.env, GIT_CONFIG_VALUE_0: "hunter2" };
		const { stdout } = await shell.run(["-c", "cat /proc/$$/cmdline; echo; echo $GIT_CONFIG_VALUE_0"], {
			...CALL,
			env,
		});
		expect(stdout.toString().split("\n").slice(-2)).toEqual(["hunter2", ""]);
		expect(stdout.toString().split("\n")[0]).not.toContain("hunter2");
		for (const file of ["cmdline", "environ"])
			expect(await readFile(`/proc/${pid}/${file}`, "utf8")).not.toMatch(/hunter2|LODE_/);
		vi.unstubAllEnvs();
	});
});

/** A process with a launcher (and a folder for what is temporary) of which a waiting and a busy process were started. `pids`: of these and of the launcher. */
async function ownerOfThree(temporary: string): Promise<{ owner: ChildProcess; pids: number[] }> {
	const program = `
		import { GitLauncher } from ${JSON.stringify(DIST)};
		const launcher = new GitLauncher();
		const start = (script) => launcher.start({
			command: "/bin/sh", args: ["-c", script], cwd: "/", env: { PATH: process.env.PATH }, ownSession: true, stdin: true,
		});
		const word = async (script) => {
			const { stdout } = await start(script);
			for await (const chunk of stdout) return String(chunk).trim().split(" ");
		};
		let parent = process.pid;
		while (parent === process.pid) parent = Number((await word("echo $PPID"))[0]);
		const [waiting] = await word("echo $$; cat");
		const busy = await word("sleep 600 & echo $$ $!; wait");
		process.on("message", async () => { await launcher.close(); process.exit(); });
		process.send([parent, waiting, ...busy].map(Number));
	`;
	const owner = spawn(process.execPath, ["--input-type=module", "--eval", program], {
		stdio: ["ignore", "inherit", "inherit", "ipc"],
		env: { ...process.env, TMPDIR: temporary },
	});
	const pids = await new Promise<number[]>((resolve, reject) => {
		owner.once("message", (message) => resolve(message as number[]));
		owner.once("exit", () => reject(new Error("the owner has ended")));
	});
	return { owner, pids };
}
