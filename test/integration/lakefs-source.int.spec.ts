import http from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeAll, beforeEach, describe, expect, it, test } from "vitest";
import { loadConfig } from "../../src/config/config.js";
import { createLakefsSource } from "../../src/sources/lakefs/lakefs-source.adapter.js";
import { checkServers } from "../../src/wiring.js";
import { asSource, collect, summary } from "../contract/source.contract.js";
import type { ServerAddresses } from "../servers/server.js";
import { type CountingProxy, countingProxy } from "../support/counting-proxy.js";
import { failure } from "../support/failure.js";
import { createLakefsRepository, type LakefsTestRepository } from "../support/lakefs-repository.js";
import { hasServer, useServer } from "../support/servers.js";

// Real: lakeFS, its repositories and its API. What a server of ours cannot be made to say, a proxy before it says.
describe.runIf(hasServer("lakefs"))("lakeFS as a source", () => {
	let server: ServerAddresses["lakefs"];
	let proxy: CountingProxy;
	let repository: LakefsTestRepository;
	beforeAll(async () => {
		server = await useServer("lakefs");
	});
	beforeEach(async () => {
		repository = await createLakefsRepository(server);
		proxy = await countingProxy(server.endpoint);
	});
	afterEach(async () => {
		await proxy.close();
		await repository.remove();
	});

	const adapterOf = (changed: Partial<ServerAddresses["lakefs"]> = {}) => {
		const { endpoint, accessKeyId, secretAccessKey } = { ...server, endpoint: proxy.url, ...changed };
		return createLakefsSource({ endpoint, accessKeyId, secretAccessKey: { reveal: () => secretAccessKey } });
	};
	const subjects = (ranges: readonly { type: string; commit: { subject: string } }[]) =>
		ranges.map(({ type, commit }) => `${type} ${commit.subject}`);

	it("understands branches, tags, commit ids and expressions, in the target and beside it", async () => {
		const adapter = adapterOf();
		const first = await repository.commit({ files: [["a", "1"]] });
		await repository.tag("v1");
		await repository.branch("dev");
		const second = await repository.commit({ files: [["a", "2"]] });
		const dev = await repository.commit({ branch: "dev", files: [["b", "1"]] });
		const of = async (target: string, ref?: string) => {
			const { branch, commit, address } = await adapter.resolve(target, ref);
			expect(address).toBe(repository.target);
			return [branch, commit];
		};
		const { target } = repository;
		expect(await of(target)).toEqual(["main", second]);
		expect(await of(`${target}/`)).toEqual(["main", second]);
		expect(await of(`${target}/dev`)).toEqual(["dev", dev]);
		expect(await of(target, "dev")).toEqual(["dev", dev]);
		expect(await of(`${target}/main`, "dev")).toEqual(["dev", dev]);
		for (const ref of ["v1", first, first.slice(0, 12), "main~1"]) {
			expect(await of(target, ref)).toEqual(["main", first]);
			expect(await of(`${target}/${ref}`)).toEqual(["main", first]);
			expect(await of(`${target}/dev`, ref)).toEqual(["dev", first]);
		}
	});

	it("does not see what is not committed", async () => {
		const adapter = adapterOf();
		const commit = await repository.commit({ files: [["a", "1"]] });
		await repository.stage("main", [
			["a", "uncommitted"],
			["b", "uncommitted"],
		]);
		const resolved = await adapter.resolve(repository.target, undefined);
		expect(resolved.commit).toBe(commit);
		const changes = await collect(adapter.changes(asSource(resolved), undefined, commit));
		expect(summary(changes)).toEqual(["added a file"]);
	});

	it("follows merges, reverts and branches that were moved back", async () => {
		const adapter = adapterOf();
		const base = await repository.commit({ files: [["a", "1"]], message: "base\n\nwith more to say" });
		await repository.branch("side");
		const side = await repository.commit({ branch: "side", files: [["s", "1"]], message: "on the side" });
		const main = await repository.commit({ files: [["m", "1"]], message: "on main" });
		const merged = await repository.merge("side");
		const source = asSource(await adapter.resolve(repository.target, undefined));
		expect(await adapter.head(source)).toBe(merged);

		const log = (from: string | undefined, to: string) => collect(adapter.commits(source, from, to));
		const sinceMain = await log(main, merged);
		expect(subjects(sinceMain)).toEqual(["added Merge side", "added on the side"]);
		expect(sinceMain[0]?.commit).toMatchObject({ parents: [main, side], paths: [], authorName: "admin" });
		expect(sinceMain[1]?.commit.paths).toEqual(["s"]);
		expect(subjects(await log(undefined, merged)).toSorted()).toEqual(
			["added Merge side", "added base", "added on main", "added on the side"].toSorted(),
		);
		expect(subjects(await log(side, main))).toEqual(["added on main", "removed on the side"]);
		expect(summary(await collect(adapter.changes(source, side, main)))).toEqual(["added m file", "removed s"]);

		const reverted = await repository.revert("main");
		expect(summary(await collect(adapter.changes(source, merged, reverted)))).toEqual(["removed s"]);
		expect(subjects(await log(merged, reverted))).toEqual(["added Revert main"]);

		await repository.hardReset("main", base);
		expect(await adapter.head(source)).toBe(base);
		expect(summary(await collect(adapter.changes(source, reverted, base)))).toEqual(["removed m"]);
		expect(subjects(await log(reverted, base)).at(0)).toBe("removed Revert main");
		expect(await log(reverted, base)).toHaveLength(4);
	});

	it("takes the beginnings of long histories by themselves: requests follow what lies between two commits", async () => {
		for (let index = 0; index < 60; index += 1) await repository.commit({ files: [["a", `${index}`]] });
		const from = await repository.head();
		const to = await repository.commit({ files: [["a", "last"]] });
		const adapter = adapterOf();
		const source = asSource(await adapter.resolve(repository.target, undefined));
		proxy.requests.length = 0;
		expect(await collect(adapter.commits(source, from, to))).toHaveLength(1);
		// The log, and what the one commit changed.
		expect(proxy.requests).toHaveLength(2);
		proxy.requests.length = 0;
		expect(await collect(adapter.commits(source, undefined, to))).toHaveLength(61);
		expect(proxy.requests.filter((line) => line.includes("/commits?")).length).toBeLessThanOrEqual(3);
	});

	it("keeps names apart that are hardly paths, and leaves out what marks folders", async () => {
		const names = ["/lead", "a//b", "a/b", "../up", "./here", "back\\slash", "new\nline", "nul\0x", "€/ü", "a\\x2fb"];
		const files = names.map((name) => [name, `content of ${name}`] as const);
		const commit = await repository.commit({
			files: [...files, ["folder/", ""], ["//", "no"]],
		});
		const adapter = adapterOf();
		const source = asSource(await adapter.resolve(repository.target, undefined));
		const changes = await collect(adapter.changes(source, undefined, commit));
		const found = changes.flatMap((change) => (change.type === "removed" ? [] : [change.file]));
		expect(found.map(({ path }) => path).toSorted()).toEqual(
			[
				"\\x2flead",
				"a/\\x2fb",
				"a/b",
				"\\x2e\\x2e/up",
				"\\x2e/here",
				"back\\x5cslash",
				"new\nline",
				"nul\\x00x",
				"€/ü",
				"a\\x5cx2fb",
			].toSorted(),
		);
		const read = new Set<string>();
		for await (const { bytes } of adapter.read(source, commit, found, { maxBytes: 1_000 })) {
			read.add(Buffer.from(bytes ?? []).toString());
		}
		expect(read).toEqual(new Set(files.map(([, content]) => content)));
	});

	describe("says what is wrong, and which setting", () => {
		it("where something is missing", async () => {
			await repository.commit({ files: [["a", "1"]] });
			await repository.branch("dev");
			const adapter = adapterOf();
			const source = asSource(await adapter.resolve(`${repository.target}/dev`, undefined));
			await repository.deleteBranch("dev");
			expect(await failure(adapter.head(source))).toMatchObject({
				code: "REF_NOT_FOUND",
				message: `${repository.target} has no branch dev.`,
			});
			expect(await failure(adapter.resolve(`${repository.target}/dev`, undefined))).toMatchObject({
				code: "REF_NOT_FOUND",
			});
			const nowhere = await failure(adapter.resolve("lakefs://no-such-repository/main", undefined));
			expect(nowhere).toMatchObject({ code: "SOURCE_NOT_FOUND", next: "Check the name and LODE_LAKEFS_ENDPOINT." });
			expect(nowhere.message).toContain(proxy.url);
		});

		it.each<[string, string, string]>([
			["lakefs://Bad_Name", "SOURCE_NOT_FOUND", "lakefs://REPOSITORY"],
			["lakefs://", "SOURCE_NOT_FOUND", "lakefs://REPOSITORY"],
			["lakefs://key:s3cret@lake/main", "CREDENTIALS_IN_URL", "LODE_LAKEFS_SECRET_ACCESS_KEY"],
			["lakefs://lake/main/../x", "REF_NOT_FOUND", "branch or tag"],
			["lakefs://lake/main@", "REF_NOT_FOUND", "branch or tag"],
			["lakefs://lake/-x", "REF_NOT_FOUND", "branch or tag"],
			["lakefs://lake/main?x=y", "REF_NOT_FOUND", "branch or tag"],
		])("%s", async (target, code, next) => {
			const error = await failure(adapterOf().resolve(target, undefined));
			expect(error.code).toBe(code);
			expect(error.next).toContain(next);
			expect(`${error.message} ${error.next}`).not.toContain("s3cret");
			expect(proxy.requests).toEqual([]);
		});

		it("with a key that lakeFS does not know", async () => {
			const wrong = { accessKeyId: server.accessKeyId, secretAccessKey: "wrong-s3cret" };
			const error = await failure(adapterOf(wrong).resolve(repository.target, undefined));
			expect(error.code).toBe("PERMISSION_DENIED");
			expect(error.next).toContain("LODE_LAKEFS_ACCESS_KEY_ID and LODE_LAKEFS_SECRET_ACCESS_KEY");
			expect(JSON.stringify([error.message, error.next, `${error.cause}`])).not.toContain("wrong-s3cret");
		});

		it("where nothing is configured", async () => {
			const adapter = createLakefsSource(undefined);
			expect(await adapter.recognises("lakefs://lake/main")).toBe(true);
			const error = await failure(adapter.resolve("lakefs://lake/main", undefined));
			expect(error.code).toBe("CONFIG_INVALID");
			expect(error.next).toContain("LODE_LAKEFS_ENDPOINT");
		});

		it.each<[string, { status: number; body?: string }, string, string]>([
			["leave is missing", { status: 403, body: '{"message":"insufficient permissions"}' }, "PERMISSION_DENIED", "fs:"],
			["it fails for good", { status: 503 }, "SOURCE_UNAVAILABLE", "log of lakeFS"],
			["it asks to wait", { status: 429 }, "SOURCE_UNAVAILABLE", "log of lakeFS"],
			["another server answers", { status: 200, body: "<html>" }, "REPOSITORY_UNREADABLE", "LODE_LAKEFS_ENDPOINT"],
			["another API answers", { status: 200, body: '{"a":1}' }, "REPOSITORY_UNREADABLE", "LODE_LAKEFS_ENDPOINT"],
		])("where %s", async (_, answer, code, next) => {
			proxy.intercept = () => answer;
			const error = await failure(adapterOf().resolve(repository.target, undefined));
			expect(error.code).toBe(code);
			expect(error.next).toContain(next);
		});

		it("where nothing listens, and where a request is redirected elsewhere", async () => {
			const nothing = adapterOf({ endpoint: "http://127.0.0.1:1" });
			const error = await failure(nothing.resolve(repository.target, undefined));
			expect(error.code).toBe("SOURCE_UNAVAILABLE");
			expect(error.next).toContain("LODE_LAKEFS_ENDPOINT");

			const asked: (string | undefined)[] = [];
			const thief = http.createServer((request, response) => {
				asked.push(request.headers.authorization);
				response.end("{}");
			});
			await new Promise<void>((resolve) => thief.listen(0, "127.0.0.1", resolve));
			const { port } = thief.address() as AddressInfo;
			const redirecting = http.createServer((_request, response) => {
				response.writeHead(302, { location: `http://127.0.0.1:${port}/` }).end();
			});
			await new Promise<void>((resolve) => redirecting.listen(0, "127.0.0.1", resolve));
			const at = `http://127.0.0.1:${(redirecting.address() as AddressInfo).port}`;
			const redirected = await failure(adapterOf({ endpoint: at }).resolve(repository.target, undefined));
			expect(redirected.code).toBe("SOURCE_UNAVAILABLE");
			expect(asked).toEqual([]);
			thief.close();
			redirecting.close();
		});

		it("where lakeFS's garbage collection has taken an object, and tries again what may pass", async () => {
			const commit = await repository.commit({ files: [["a", "content"]] });
			const adapter = adapterOf();
			const source = asSource(await adapter.resolve(repository.target, undefined));
			const [change] = await collect(adapter.changes(source, undefined, commit));
			if (change?.type !== "added") throw new Error("no addition");
			const read = async () => {
				const contents: string[] = [];
				for await (const { bytes } of adapter.read(source, commit, [change.file], { maxBytes: 100 })) {
					contents.push(Buffer.from(bytes ?? []).toString());
				}
				return contents;
			};
			let failures = 2;
			proxy.intercept = (line) => (line.includes("/objects?") && failures-- > 0 ? { status: 500 } : undefined);
			expect(await read()).toEqual(["content"]);
			proxy.intercept = (line) =>
				line.includes("/objects?") ? { status: 410, body: '{"message":"gone"}' } : undefined;
			expect(await failure(read())).toMatchObject({ code: "REPOSITORY_UNREADABLE" });
			proxy.intercept = (line) => (line.includes("/objects?") ? { status: 200, body: "other content" } : undefined);
			const overwritten = await failure(read());
			expect(overwritten).toMatchObject({ code: "REPOSITORY_UNREADABLE" });
			expect(overwritten.message).toContain("is not what was committed");
		});
	});

	test("the doctor has a line for it", async () => {
		const check = async (env: Record<string, string>) => {
			const { config } = loadConfig({
				env: {
					LODE_HOME: "/tmp/none",
					LODE_LAKEFS_ENDPOINT: server.endpoint,
					LODE_LAKEFS_ACCESS_KEY_ID: server.accessKeyId,
					LODE_LAKEFS_SECRET_ACCESS_KEY: server.secretAccessKey,
					...env,
				},
				cwd: "/tmp",
			});
			return (await checkServers(config)).find(({ name }) => name === "lakeFS");
		};
		expect(await check({})).toMatchObject({ status: "ok", found: expect.stringContaining("as admin") });
		expect(await check({ LODE_LAKEFS_ACCESS_KEY_ID: "wrong" })).toMatchObject({
			status: "fail",
			mend: expect.stringContaining("LODE_LAKEFS_ACCESS_KEY_ID"),
		});
		expect(await check({ LODE_LAKEFS_ENDPOINT: "http://127.0.0.1:1" })).toMatchObject({
			status: "fail",
			mend: expect.stringContaining("LODE_LAKEFS_ENDPOINT"),
		});
	});
});
