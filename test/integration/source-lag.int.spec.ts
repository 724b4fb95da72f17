import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type AdapterOf, type Followed, SourceLags } from "../../src/services/reading/source-lag.js";
import { createGitSource } from "../../src/sources/git/git-source.adapter.js";
import { createSourceRegistry } from "../../src/sources/registry.js";
import type { SourceAdapter } from "../../src/sources/source.port.js";
import { asSource } from "../contract/source.contract.js";
import { createRepository, type TestRepository } from "../support/git-repository.js";
import { type GitServer, startGitServer } from "../support/git-server.js";

// Real: git, its repositories, a git daemon and a server that never says anything.
describe("how far sources are behind", () => {
	let home: string;
	let repository: TestRepository;
	let adapter: SourceAdapter;
	let adapterOf: AdapterOf;
	const closing: (() => Promise<unknown>)[] = [];

	beforeEach(async () => {
		home = await mkdtemp(path.join(tmpdir(), "lode-home-"));
		repository = await createRepository();
		adapter = createGitSource({ home });
		adapterOf = (kind) => createSourceRegistry([adapter]).of(kind);
	});
	afterEach(async () => {
		for (const close of closing.splice(0)) await close();
		await repository.remove();
		await rm(home, { recursive: true, force: true });
	});

	async function daemon(): Promise<GitServer> {
		const server = await startGitServer(path.dirname(repository.path));
		closing.push(() => server.close());
		return server;
	}

	/** Takes connections and leaves them open. Closes when whoever asked has ended. */
	async function silentServer(): Promise<number> {
		const server: Server = createServer((socket) => socket.resume());
		await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
		closing.push(() => new Promise((resolve) => server.close(resolve)));
		return (server.address() as { port: number }).port;
	}

	async function followed(target: string): Promise<Followed> {
		const resolved = await adapter.resolve(target, undefined);
		await adapter.prepare(asSource(resolved), resolved.commit, () => {});
		return { ...asSource(resolved), commit: resolved.commit };
	}

	it("is counted in a repository on this machine, and since the oldest commit that waits", async () => {
		await repository.commit({ files: { a: "1" } });
		const one = await followed(repository.path);
		const lags = new SourceLags(adapterOf);
		expect(await lags.of([one])).toEqual([
			{ status: "current", head: one.commit, commits: 0, since: null, problem: null },
		]);
		await repository.commit({ files: { a: "2" }, date: "2023-11-14T22:13:20Z" });
		const head = await repository.commit({ files: { a: "3" }, date: "2023-11-14T22:15:00Z" });
		expect(await lags.of([one])).toEqual([
			{ status: "behind", head, commits: 2, since: "2023-11-14T22:13:20.000Z", problem: null },
		]);
		// Nothing was published yet: then all of it waits.
		expect(await lags.of([{ ...one, commit: null }])).toMatchObject([{ status: "behind", head, commits: null }]);
		expect(await lags.of([{ ...one, commit: head }])).toMatchObject([{ status: "current" }]);
		await repository.branch("main", one.commit as string);
		expect(await lags.of([{ ...one, commit: head }])).toMatchObject([
			{ status: "ahead", head: one.commit, commits: 0, since: null },
		]);
	});

	it("is not counted where the commits would have to be fetched, and is when they were", async () => {
		await repository.commit({ files: { a: "1" } });
		const server = await daemon();
		const one = await followed(server.url);
		const head = await repository.commit({ files: { a: "2" } });
		const lags = new SourceLags(adapterOf);
		expect(await lags.of([one])).toEqual([{ status: "behind", head, commits: null, since: null, problem: null }]);
		await adapter.prepare(one, head, () => {});
		expect(await lags.of([one])).toMatchObject([{ status: "behind", head, commits: 1, since: expect.any(String) }]);
	});

	it("is said to be unknown of each that is away, silent or without its branch, and of no other", async () => {
		await repository.commit({ files: { a: "1" } });
		const one = await followed(repository.path);
		const at = (address: string, branch = "main") => ({
			...one,
			...asSource({ kind: "git", address, branch, commit: "" }),
		});
		const silent = await silentServer();
		const lags = await new SourceLags(adapterOf, 1_000).of([
			at("git://127.0.0.1:1/away"),
			at(`git://127.0.0.1:${silent}/silent`),
			one,
			at(repository.path, "gone"),
			at("/no/such/repository"),
			{ ...one, id: "lake", kind: "lakefs" },
		]);
		expect(lags.map(({ status, problem }) => [status, problem?.split(":")[0]])).toEqual([
			["unknown", "SOURCE_UNAVAILABLE"],
			["unknown", "TIMEOUT"],
			["current", undefined],
			["unknown", "REF_NOT_FOUND"],
			["unknown", "SOURCE_NOT_FOUND"],
			["unknown", "SOURCE_NOT_FOUND"],
		]);
	});

	it("asks sixteen at a time at most, and the same question once", async () => {
		await repository.commit({ files: { a: "1" } });
		const one = await followed(repository.path);
		let running = 0;
		let most = 0;
		let asked = 0;
		const counting: AdapterOf = () => ({
			...adapter,
			async peek(source, signal) {
				asked += 1;
				running += 1;
				most = Math.max(most, running);
				try {
					return await adapter.peek(source, signal);
				} finally {
					running -= 1;
				}
			},
		});
		const many = Array.from({ length: 40 }, (_, at) => ({ ...one, id: `one-${at}` }));
		const lags = new SourceLags(counting);
		const answers = await Promise.all([lags.of(many), lags.of(many)]);
		expect(answers.flat().map(({ status }) => status)).toEqual(Array.from({ length: 80 }, () => "current"));
		expect({ most, asked }).toEqual({ most: 16, asked: 40 });
	});
});
