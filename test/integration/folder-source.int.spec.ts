import { execFile } from "node:child_process";
import {
	appendFile,
	chmod,
	mkdir,
	mkdtemp,
	readdir,
	readFile,
	rename,
	rm,
	symlink,
	utimes,
	writeFile,
} from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sha256 } from "../../src/domain/digest.js";
import { errorCode } from "../../src/domain/errors.js";
import { createFolderSource } from "../../src/sources/folder/folder-source.adapter.js";
import type { SourceAdapter } from "../../src/sources/source.port.js";
import type { Source } from "../../src/stores/catalog/catalog.port.js";
import { asSource, collect, summary } from "../contract/source.contract.js";
import { withUnreadable } from "../support/as-other-user.js";
import { createMemoryArchive } from "../support/memory-archive.js";

// Real: the file system. The archive is kept in memory, so that tests can look at it and take from it.
describe("folder source", () => {
	let root: string;
	let folder: string;
	let archive: ReturnType<typeof createMemoryArchive>;
	let adapter: SourceAdapter;

	beforeEach(async () => {
		root = await mkdtemp(path.join(tmpdir(), "lode-folder-"));
		await chmod(root, 0o755);
		folder = path.join(root, "folder");
		await mkdir(folder);
		archive = createMemoryArchive();
		adapter = createFolderSource({ home: path.join(root, "home"), artifacts: archive });
	});
	afterEach(() => rm(root, { recursive: true, force: true }));

	const file = (name: string): string => path.join(folder, ...name.split("/"));
	const quiet = (): void => {};

	async function write(name: string, content: string | Uint8Array): Promise<void> {
		await mkdir(path.dirname(file(name)), { recursive: true });
		await writeFile(file(name), content);
	}

	async function resolved(): Promise<{ source: Source; commit: string }> {
		const found = await adapter.resolve(folder, undefined);
		return { source: asSource(found), commit: found.commit };
	}

	/** An archive that nothing may be put into. */
	function refusing(): typeof archive {
		return new Proxy(archive, {
			get(target, name) {
				if (String(name).startsWith("put")) throw new Error(`${String(name)} of an archive that is only looked past`);
				return Reflect.get(target, name);
			},
		});
	}

	async function list(): Promise<string[]> {
		const { source, commit } = await resolved();
		return summary(await collect(adapter.changes(source, undefined, commit)));
	}

	/** Older than the time within which a scan trusts no file's times. */
	async function age(...names: string[]): Promise<void> {
		const old = new Date(Date.now() - 60_000);
		for (const name of names) await utimes(file(name), old, old);
	}

	const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 2_100));

	it("leaves out what belongs to git, to Lode and to npm, and nothing else", async () => {
		for (const name of [
			"src/a.ts",
			".gitignore",
			".github/x.yml",
			"dist/out.js",
			".git/config",
			"sub/.git/HEAD",
			".lode/catalog",
			"node_modules/x/index.js",
			"packages/p/node_modules/y.js",
		]) {
			await write(name, name === ".gitignore" ? "dist/\n" : name);
		}
		expect(await list()).toEqual([
			"added .github/x.yml file",
			"added .gitignore file",
			"added dist/out.js file",
			"added src/a.ts file",
		]);
		const inside = createFolderSource({ home: file("data"), artifacts: archive });
		const { commit } = await resolved();
		await write("data/anything", "Lode's");
		expect((await inside.resolve(folder, undefined)).commit).toBe(commit);
		expect((await inside.resolve(folder, undefined)).commit).toBe(commit);
	});

	it("has the same commit for the same tree, wherever it lies and however old it is", async () => {
		await write("b/c", "1");
		await write("a", "2");
		const first = await resolved();
		const elsewhere = path.join(root, "elsewhere");
		await rename(folder, elsewhere);
		const moved = await adapter.resolve(elsewhere, undefined);
		expect(moved.commit).toBe(first.commit);
		expect(asSource(moved).id).not.toBe(first.source.id);
	});

	it("is an empty tree when there is nothing in it", async () => {
		const { source, commit } = await resolved();
		expect(commit).toBe(sha256(""));
		await adapter.prepare(source, commit, quiet);
		expect(await list()).toEqual([]);
	});

	it("ignores what has no content: sockets and pipes", async (context) => {
		if (process.platform === "win32") return context.skip("Windows has no such files.");
		await write("a", "a");
		await promisify(execFile)("mkfifo", [file("pipe")]);
		const server = createServer();
		await new Promise<void>((resolve) => server.listen(file("socket"), resolve));
		try {
			expect(await list()).toEqual(["added a file"]);
		} finally {
			server.close();
		}
	});

	it("goes into no linked folder, and keeps broken links as links", async (context) => {
		if (process.platform === "win32") return context.skip("Links need a privilege there.");
		await write("real/a", "a");
		await symlink("real", file("linked"));
		await symlink("nowhere", file("broken"));
		await symlink(".", file("loop"));
		expect(await list()).toEqual([
			"added broken symlink",
			"added linked symlink",
			"added loop symlink",
			"added real/a file",
		]);
	});

	it("fails, naming the file, rather than leave out what it may not read", async (context) => {
		await write("deep/secret.txt", "x");
		await write("a", "a");
		// Another user must be able to write the scan's own files.
		await mkdir(path.join(root, "home", "sources"), { recursive: true });
		const { source } = await resolved();
		for (const each of [
			root,
			path.join(root, "home"),
			path.join(root, "home", "sources"),
			path.join(root, "home", "sources", source.id),
		]) {
			await chmod(each, 0o777);
		}
		for (const name of ["deep/secret.txt", "deep"]) {
			const ran = await withUnreadable(file(name), async () => {
				const error = await adapter.resolve(folder, undefined).catch((caught) => caught);
				expect(errorCode(error)).toBe("PERMISSION_DENIED");
				expect(error.message).toContain(name);
			});
			if (!ran) return context.skip("This system has no file modes.");
		}
		await resolved();
	});

	it("reads only what changed since the last scan", async () => {
		for (const name of ["a", "b/c", "b.c", "d"]) await write(name, name);
		await age("a", "b/c", "b.c", "d");
		await settle();
		const first = await resolved();
		expect(archive.puts).toBe(4);
		archive.puts = 0;
		expect((await resolved()).commit).toBe(first.commit);
		expect(archive.puts).toBe(0);
		await write("b.c", "changed");
		const second = await resolved();
		expect(archive.puts).toBe(1);
		expect(summary(await collect(adapter.changes(first.source, first.commit, second.commit)))).toEqual([
			"modified b.c file",
		]);
	});

	it("works on when its cache is damaged", async () => {
		await write("a", "a");
		await age("a");
		const first = await resolved();
		const cache = path.join(root, "home", "sources", first.source.id, "stat-cache");
		for (const damage of ["", "lode-stat-cache 1\n{", "lode-stat-cache 1\n[1,2,3]\n", "\0\0\0", "x".repeat(10_000)]) {
			await writeFile(cache, damage);
			expect((await resolved()).commit).toBe(first.commit);
		}
	});

	it("is looked at without leaving anything: no content, no listing, no cache", async () => {
		await write("a", "first");
		await age("a");
		const { source } = await resolved();
		const home = async () => (await readdir(path.join(root, "home"), { recursive: true })).sort();
		const before = await home();
		const cache = await readFile(path.join(root, "home", "sources", source.id, "stat-cache"));
		await write("a", "second");
		await write("large", Buffer.alloc(1_000, 1));
		const looking = createFolderSource({ home: path.join(root, "home"), artifacts: refusing(), maxLoadedBytes: 100 });
		const peeked = await looking.peek(source, new AbortController().signal);
		expect(await home()).toEqual(before);
		expect(await readFile(path.join(root, "home", "sources", source.id, "stat-cache"))).toEqual(cache);
		expect((await resolved()).commit).toBe(peeked);
	});

	it("archives when it hashes: a change between naming a commit and preparing it takes nothing away", async () => {
		await write("a", "first");
		const { source, commit } = await resolved();
		await write("a", "second");
		await adapter.prepare(source, commit, quiet);
		const [change] = await collect(adapter.changes(source, undefined, commit));
		if (change?.type !== "added") throw new Error("no file");
		for await (const { bytes } of adapter.read(source, commit, [change.file], { maxBytes: 100 })) {
			expect(Buffer.from(bytes ?? []).toString()).toBe("first");
		}
	});

	it("puts back what the archive lost while the folder has it, and says so where it has not", async () => {
		await write("a", "a");
		await write("b", "b");
		const { source, commit } = await resolved();
		archive.objects.clear();
		await adapter.prepare(source, commit, quiet);
		expect(archive.objects.has(sha256("a"))).toBe(true);
		archive.objects.clear();
		await write("a", "changed");
		const error = await adapter.prepare(source, commit, quiet).catch((caught) => caught);
		expect(errorCode(error)).toBe("COMMIT_NOT_FOUND");
		expect(error.next).toContain("Ingest the folder again");
	});

	it("takes a file that never stands still as it was read, so that what is named is what is archived", async () => {
		await write("log", "start\n");
		await write("z", "z");
		let stop = false;
		const writing = (async () => {
			while (!stop) await appendFile(file("log"), "one more line\n");
		})();
		try {
			for (let round = 0; round < 5; round++) {
				const { source, commit } = await resolved();
				await adapter.prepare(source, commit, quiet);
				for (const change of await collect(adapter.changes(source, undefined, commit))) {
					if (change.type === "removed") continue;
					for await (const { bytes } of adapter.read(source, commit, [change.file], { maxBytes: 100_000_000 })) {
						expect(sha256(bytes ?? new Uint8Array())).toBe(change.file.blob);
						expect(bytes?.length).toBe(change.file.size);
					}
				}
			}
		} finally {
			stop = true;
			await writing;
		}
	});

	it("survives files that come and go while it scans", async () => {
		await write("stays", "stays");
		let stop = false;
		const churning = (async () => {
			for (let index = 0; !stop; index++) {
				await write(`churn${index % 7}/f${index % 3}`, String(index));
				await rm(file(`churn${(index + 3) % 7}`), { recursive: true, force: true });
			}
		})();
		try {
			for (let round = 0; round < 20; round++) {
				const { source, commit } = await resolved();
				await adapter.prepare(source, commit, quiet);
				expect(await collect(adapter.changes(source, undefined, commit))).not.toEqual([]);
			}
		} finally {
			stop = true;
			await churning;
		}
	});

	it("archives large files piece by piece, and streams them whether or not the folder still has them", async () => {
		const large = createFolderSource({ home: path.join(root, "home"), artifacts: archive, maxLoadedBytes: 1_000 });
		const content = Buffer.alloc(3_000_000, "0123456789abcdef");
		await write("large", content);
		await write("small", "x".repeat(1_000));
		const found = await large.resolve(folder, undefined);
		const source = asSource(found);
		await large.prepare(source, found.commit, quiet);
		expect([archive.streamed, archive.puts]).toEqual([1, 1]);
		const [change] = await collect(large.changes(source, undefined, found.commit));
		if (change?.type !== "added") throw new Error("no file");
		expect(change.file).toMatchObject({ path: "large", size: content.length, blob: sha256(content) });
		const streamed = async (): Promise<Buffer> => {
			const parts: Buffer[] = [];
			for await (const part of await large.stream(source, found.commit, change.file)) parts.push(Buffer.from(part));
			return Buffer.concat(parts);
		};
		expect((await streamed()).equals(content)).toBe(true);
		await appendFile(file("large"), "changed since");
		expect((await streamed()).equals(content)).toBe(true);
		await rm(file("large"));
		expect((await streamed()).equals(content)).toBe(true);
	});

	it("takes a commit it scanned before for a ref, and nothing else", async () => {
		await write("a", "1");
		const first = await resolved();
		await write("a", "2");
		expect((await adapter.resolve(folder, first.commit)).commit).toBe(first.commit);
		for (const ref of ["main", "0".repeat(64), first.commit.slice(0, 10)]) {
			expect(errorCode(await adapter.resolve(folder, ref).catch((error) => error))).toBe("REF_NOT_FOUND");
		}
	});
});
