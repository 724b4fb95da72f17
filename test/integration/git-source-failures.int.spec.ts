import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { errorCode } from "../../src/domain/errors.js";
import { createGitSource } from "../../src/sources/git/git-source.adapter.js";
import { type Pins, pinsTo } from "../../src/sources/git/remote-pins.js";
import type { SourceAdapter } from "../../src/sources/source.port.js";
import type { Source } from "../../src/stores/catalog/catalog.port.js";
import { asSource, collect } from "../contract/source.contract.js";
import { withUnreadable } from "../support/as-other-user.js";
import { createRepository, type TestRepository } from "../support/git-repository.js";
import { type GitServer, startGitServer } from "../support/git-server.js";

// Real: git, its repositories, the mirrors, a git daemon and an HTTP server.
describe("git source, when things go wrong", () => {
	let home: string;
	let repository: TestRepository;
	let adapter: SourceAdapter;
	let server: GitServer | undefined;

	beforeEach(async () => {
		home = await mkdtemp(path.join(tmpdir(), "lode-home-"));
		// Seen by another user too, see withUnreadable.
		await chmod(home, 0o777);
		repository = await createRepository();
		adapter = createGitSource({ home });
	});
	afterEach(async () => {
		await server?.close();
		server = undefined;
		await repository.remove();
		await rm(home, { recursive: true, force: true });
	});

	async function failure(
		promise: Promise<unknown>,
	): Promise<{ code: string | undefined; message: string; next: string }> {
		const error = await promise.then(
			() => new Error("it worked"),
			(caught) => caught,
		);
		return { code: errorCode(error), message: error.message, next: String(error.next) };
	}

	async function resolved(target = repository.path): Promise<{ source: Source; commit: string }> {
		const found = await adapter.resolve(target, undefined);
		return { source: asSource(found), commit: found.commit };
	}

	const quiet = (): void => {};
	const noise = (index: number): Buffer =>
		Buffer.from(Array.from({ length: 20_000 }, (_, at) => (at * at * 31 + index * 977 + (at >> 3) * 131) & 0xff));

	describe("a connection that breaks in the middle of a fetch", () => {
		it("fails for now, leaves nothing behind, and the next try succeeds", async () => {
			await repository.commit({ files: { a: "1" } });
			server = await startGitServer(path.dirname(repository.path));
			const before = await resolved(server.url);
			await adapter.prepare(before.source, before.commit, quiet);
			await repository.commit({ files: Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`f${n}`, noise(n)])) });
			const after = await resolved(server.url);
			for (const bytes of [0, 100, 1_000, 20_000]) {
				server.cutAfter(bytes);
				expect((await failure(adapter.prepare(after.source, after.commit, quiet))).code).toBe("SOURCE_UNAVAILABLE");
				// Some of its objects may be there by now, and still nothing of it is taken for complete.
				const unread = await failure(collect(adapter.changes(after.source, undefined, after.commit)));
				expect(["COMMIT_NOT_FOUND", "REPOSITORY_UNREADABLE"]).toContain(unread.code);
			}
			// What was prepared before is none the worse.
			expect(await collect(adapter.changes(before.source, undefined, before.commit))).toHaveLength(1);
			server.cutAfter(undefined);
			await adapter.prepare(after.source, after.commit, quiet);
			expect(await collect(adapter.changes(after.source, undefined, after.commit))).toHaveLength(31);
		});

		it("is a missing repository where that went", async () => {
			await repository.commit({ files: Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`f${n}`, noise(n)])) });
			server = await startGitServer(path.dirname(repository.path));
			const { source, commit } = await resolved(server.url);
			server.cutAfter(5_000, () => repository.vanish());
			expect((await failure(adapter.prepare(source, commit, quiet))).code).toBe("SOURCE_UNAVAILABLE");
			server.cutAfter(undefined);
			expect((await failure(adapter.prepare(source, commit, quiet))).code).toBe("SOURCE_NOT_FOUND");
			expect((await failure(adapter.head(source))).code).toBe("SOURCE_NOT_FOUND");
		});
	});

	it("tells a server that is not there, one that wants to know who asks, and one that has no such repository", async () => {
		expect((await failure(adapter.resolve("git://127.0.0.1:1/x", undefined))).code).toBe("SOURCE_UNAVAILABLE");
		let status = 401;
		const http = createServer((_, response) => {
			response.writeHead(status, { "www-authenticate": 'Basic realm="x"' });
			response.end();
		});
		await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
		const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/x.git`;
		try {
			for (const [answer, code] of [
				[401, "PERMISSION_DENIED"],
				[403, "PERMISSION_DENIED"],
				[404, "SOURCE_NOT_FOUND"],
				[503, "SOURCE_UNAVAILABLE"],
			] as const) {
				status = answer;
				const refused = await failure(adapter.resolve(url, undefined));
				expect([answer, refused.code]).toEqual([answer, code]);
				expect(refused.next).not.toBe("undefined");
			}
		} finally {
			http.close();
		}
	});

	it("refuses credentials in an address without repeating them", async () => {
		const { code, message, next } = await failure(adapter.resolve("https://me:hunter2@127.0.0.1:1/x.git", undefined));
		expect(code).toBe("CREDENTIALS_IN_URL");
		expect(message + next).not.toContain("hunter2");
		expect(await adapter.recognises("https://me:hunter2@127.0.0.1:1/x.git")).toBe(true);
	});

	it("says that a repository of another user must be trusted first", async (context) => {
		if (process.getuid?.() !== 0) return context.skip("Only root can give a repository away.");
		await repository.commit({ files: { a: "1" } });
		for (const entry of ["", ".git"]) await chown(path.join(repository.path, entry), 65_534, 65_534);
		expect(await adapter.recognises(repository.path)).toBe(true);
		const refused = await failure(adapter.resolve(repository.path, undefined));
		expect(refused.code).toBe("PERMISSION_DENIED");
		expect(refused.next).toContain("safe.directory");
	});

	it("says that a path may not be read", async (context) => {
		await repository.commit({ files: { a: "1" } });
		const { source } = await resolved();
		const ran = await withUnreadable(path.dirname(repository.path), async () => {
			expect((await failure(adapter.resolve(repository.path, undefined))).code).toBe("PERMISSION_DENIED");
			expect((await failure(adapter.head(source))).code).toBe("PERMISSION_DENIED");
			expect(await adapter.recognises(repository.path)).toBe(true);
		});
		if (!ran) context.skip("This system has no file modes.");
	});

	it("says that a repository is damaged", async () => {
		await repository.commit({ files: { a: "1", b: noise(1) } });
		const { source, commit } = await resolved();
		const blob = await repository.git("rev-parse", "main:b");
		const object = path.join(repository.path, ".git", "objects", blob.slice(0, 2), blob.slice(2));
		await chmod(object, 0o644);
		await writeFile(object, "damage");
		expect((await failure(adapter.prepare(source, commit, quiet))).code).toBe("REPOSITORY_UNREADABLE");
	});

	it("says that its own mirror is damaged, and how to mend it", async () => {
		await repository.commit({ files: { a: "1" } });
		const { source, commit } = await resolved();
		await adapter.prepare(source, commit, quiet);
		const [change] = await collect(adapter.changes(source, undefined, commit));
		if (change?.type !== "added") throw new Error("no file");
		const mirror = path.join(home, "sources", source.id, "mirror.git");
		await rm(path.join(mirror, "objects", change.file.blob.slice(0, 2), change.file.blob.slice(2)));
		const reading = async () => {
			for await (const _ of adapter.read(source, commit, [change.file], { maxBytes: 10 }));
		};
		const refused = await failure(reading());
		expect(refused.code).toBe("REPOSITORY_UNREADABLE");
		expect(refused.next).toContain(mirror);
		expect((await failure(collect(adapter.changes(source, undefined, commit)))).code).toBe("REPOSITORY_UNREADABLE");
	});

	it("has no repository any more when it went before it was prepared", async () => {
		await repository.commit({ files: { a: "1" } });
		const { source, commit } = await resolved();
		await repository.vanish();
		expect((await failure(adapter.prepare(source, commit, quiet))).code).toBe("SOURCE_NOT_FOUND");
	});

	it("waits for nobody who is gone: locks of killed processes, Lode's and git's", async () => {
		await repository.commit({ files: { a: "1" } });
		const first = await resolved();
		await adapter.prepare(first.source, first.commit, quiet);
		const folder = path.join(home, "sources", first.source.id);
		const mirror = path.join(folder, "mirror.git");
		await repository.commit({ files: { a: "2" } });
		await repository.tag("v1");
		const old = new Date(Date.now() - 60_000);
		await mkdir(path.join(folder, "mirror.lock"));
		await utimes(path.join(folder, "mirror.lock"), old, old);
		for (const lock of ["refs/heads/main.lock", "refs/tags/v1.lock", "shallow.lock", "packed-refs.lock"]) {
			await mkdir(path.dirname(path.join(mirror, lock)), { recursive: true });
			await writeFile(path.join(mirror, lock), "");
			await utimes(path.join(mirror, lock), old, old);
		}
		const second = await resolved();
		await adapter.prepare(second.source, second.commit, quiet);
		expect(await collect(adapter.changes(second.source, first.commit, second.commit))).toHaveLength(1);
		expect((await readdir(folder)).filter((name) => name.endsWith(".lock"))).toEqual([]);
	});

	it("stops in the middle of a fetch when it is cancelled", async () => {
		await repository.commit({ files: Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`f${n}`, noise(n)])) });
		server = await startGitServer(path.dirname(repository.path));
		const { source, commit } = await resolved(server.url);
		const controller = new AbortController();
		server.cutAfter(5_000, async () => {
			controller.abort(new Error("enough"));
			await new Promise((resolve) => setTimeout(resolve, 50));
		});
		expect((await failure(adapter.prepare(source, commit, quiet, controller.signal))).code).toBe("CANCELLED");
		server.cutAfter(undefined);
		await adapter.prepare(source, commit, quiet);
	});

	it("says what to install where there is no git", async () => {
		await repository.commit({ files: { a: "1" } });
		const without = createGitSource({ home, git: path.join(home, "no-such-git") });
		const refused = await failure(without.resolve(repository.path, undefined));
		expect(refused.code).toBe("SOURCE_UNAVAILABLE");
		expect(refused.next).toContain("Install git");
		expect(await without.recognises(repository.path)).toBe(true);
		expect(await without.recognises(home)).toBe(false);
	});

	describe("as a listener between Lode and git sees it", () => {
		let log: string;

		async function listening(): Promise<SourceAdapter> {
			log = path.join(home, "log");
			const wrapper = path.join(home, "git-wrapper");
			await writeFile(wrapper, `#!/bin/sh\necho "$@" >> '${log}'\nexec git "$@"\n`, { mode: 0o755 });
			return createGitSource({ home, git: wrapper });
		}
		const calls = async (): Promise<string[]> =>
			(await readFile(log, "utf8").catch(() => "")).split("\n").filter((line) => line !== "");

		it.skipIf(process.platform === "win32")(
			"a prepared commit costs no git process, one in the mirror no fetch",
			async () => {
				const first = await repository.commit({ files: { a: "1" } });
				await repository.commit({ files: { a: "2" } });
				const heard = await listening();
				const { source, commit } = await resolved();
				await heard.prepare(source, commit, quiet);
				expect((await calls()).filter((call) => call.includes(" fetch "))).toHaveLength(1);
				await rm(log);
				await heard.prepare(source, commit, quiet);
				expect(await calls()).toEqual([]);
				await heard.prepare(source, first, quiet);
				expect((await calls()).filter((call) => / fetch | ls-remote /.test(call))).toEqual([]);
			},
		);

		it.skipIf(process.platform === "win32")("the token stands in no argument", async () => {
			const heard = await listening();
			process.env.LODE_GIT_TOKEN = "hunter2";
			try {
				const refused = await failure(heard.resolve("https://127.0.0.1:1/x.git", undefined));
				expect(refused.code).toBe("SOURCE_UNAVAILABLE");
				const encoded = Buffer.from("x-access-token:hunter2").toString("base64");
				for (const text of [...(await calls()), refused.message, refused.next]) {
					expect(text).not.toContain("hunter2");
					expect(text).not.toContain(encoded);
				}
				expect(await calls()).not.toEqual([]);
			} finally {
				delete process.env.LODE_GIT_TOKEN;
			}
		});
	});

	it("connects to public and allowed addresses alone where it is told so, to those that were looked up, and follows no redirect", async () => {
		const commit = await repository.commit({ files: { "a.txt": "a" } });
		await repository.git("update-server-info");
		const asked: string[] = [];
		// Git's dumb protocol: the files of a repository.
		const web = createServer(async (request, response) => {
			const url = request.url?.split("?")[0] ?? "";
			asked.push(url);
			if (url.startsWith("/moved/")) {
				const place = `http://127.0.0.1:${(web.address() as AddressInfo).port}${request.url?.slice("/moved".length)}`;
				response.writeHead(302, { location: place }).end();
				return;
			}
			const bytes = await readFile(path.join(repository.path, ".git", url.replace("/shop.git/", ""))).catch(
				() => undefined,
			);
			if (bytes === undefined) response.writeHead(404).end();
			else response.end(bytes);
		});
		await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
		const { port } = web.address() as AddressInfo;
		const at = (host: string, place = "/shop.git") => `http://${host}:${port}${place}`;
		const source = (pins?: Pins) => createGitSource({ home, pins });
		try {
			expect((await failure(source(pinsTo([])).resolve(at("127.0.0.1"), undefined))).code).toBe("FORBIDDEN");
			expect((await failure(source(pinsTo([])).resolve(at("localhost"), undefined))).code).toBe("FORBIDDEN");
			const followed = asSource({ kind: "git", address: at("127.0.0.1"), branch: "main", commit });
			expect((await failure(source(pinsTo([])).head(followed))).code).toBe("FORBIDDEN");
			expect((await failure(source(pinsTo([])).prepare(followed, commit, () => {}))).code).toBe("FORBIDDEN");
			expect(asked).toEqual([]);

			const allowed = source(pinsTo(["127.0.0.0/8"]));
			expect(await allowed.resolve(at("127.0.0.1"), undefined)).toMatchObject({ commit });
			await allowed.prepare(followed, commit, () => {});
			expect(await source().resolve(at("127.0.0.1", "/moved/shop.git"), undefined)).toMatchObject({ commit });
			const moved = await failure(allowed.resolve(at("127.0.0.1", "/moved/shop.git"), undefined));
			expect(moved.code).toMatch(/^(SOURCE_UNAVAILABLE|REPOSITORY_UNREADABLE)$/);

			// The address that was looked up is the one that git connects to, whatever the name says by then: here it says nothing.
			const pinned: Pins = async () => [["http.curloptResolve", `repository.invalid:${port}:127.0.0.1`]];
			expect(await source(pinned).resolve(at("repository.invalid"), undefined)).toMatchObject({ commit });
		} finally {
			await new Promise((resolve) => web.close(resolve));
		}
	});
});
