import { copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { errorCode } from "../../src/domain/errors.js";
import { createGitSource } from "../../src/sources/git/git-source.adapter.js";
import type { CommitRange, SourceAdapter } from "../../src/sources/source.port.js";
import type { Source } from "../../src/stores/catalog/catalog.port.js";
import { asSource, collect, summary } from "../contract/source.contract.js";
import { createRepository, type TestRepository } from "../support/git-repository.js";

// Real: git, its repositories and the mirrors.
describe("git source", () => {
	let home: string;
	let repository: TestRepository;
	let adapter: SourceAdapter;

	beforeEach(async () => {
		home = await mkdtemp(path.join(tmpdir(), "lode-home-"));
		repository = await createRepository();
		adapter = createGitSource({ home });
	});
	afterEach(async () => {
		await repository.remove();
		await rm(home, { recursive: true, force: true });
	});

	async function prepared(target = repository.path, ref?: string): Promise<{ source: Source; commit: string }> {
		const resolved = await adapter.resolve(target, ref);
		const source = asSource(resolved);
		await adapter.prepare(source, resolved.commit, () => {});
		return { source, commit: resolved.commit };
	}

	async function failure(
		promise: Promise<unknown>,
	): Promise<{ code: string | undefined; message: string; next: string }> {
		const error = await promise.then(
			() => new Error("it worked"),
			(caught) => caught,
		);
		return { code: errorCode(error), message: error.message, next: String(error.next) };
	}

	const mirrorOf = (source: Source): string => path.join(home, "sources", source.id, "mirror.git");
	const shas = (ranges: readonly CommitRange[]): string[] => ranges.map(({ type, commit }) => `${type} ${commit.sha}`);
	const commitsOf = (source: Source, from: string | undefined, to: string) =>
		collect(adapter.commits(source, from, to));

	describe("what a ref means", () => {
		it("is a branch, before a tag of the same name", async () => {
			const first = await repository.commit({ files: { a: "1" } });
			const second = await repository.commit({ files: { a: "2" } });
			await repository.branch("release/1", first);
			await repository.tag("release/1", second);
			const resolved = await adapter.resolve(repository.path, "release/1");
			expect(resolved).toMatchObject({ branch: "release/1", commit: first });
			expect(await adapter.resolve(repository.path, undefined)).toMatchObject({ branch: "main", commit: second });
			expect(await adapter.resolve(repository.path, "refs/tags/release/1")).toMatchObject({
				branch: "main",
				commit: second,
			});
		});

		it("is a tag (annotated or not), on HEAD's branch", async () => {
			const tagged = await repository.commit({ files: { a: "1" } });
			await repository.tag("v1");
			await repository.tag("v1-annotated", "HEAD", { annotated: true });
			await repository.commit({ files: { a: "2" } });
			for (const tag of ["v1", "v1-annotated"]) {
				expect(await adapter.resolve(repository.path, tag)).toMatchObject({ branch: "main", commit: tagged });
			}
		});

		it("is a commit id, whole or a prefix, also of an annotated tag", async () => {
			const first = await repository.commit({ files: { a: "1" } });
			await repository.commit({ files: { a: "2" } });
			await repository.tag("v1", first, { annotated: true });
			const tagObject = await repository.git("rev-parse", "refs/tags/v1");
			for (const ref of [first, first.slice(0, 10), first.toUpperCase(), tagObject]) {
				expect(await adapter.resolve(repository.path, ref)).toMatchObject({ branch: "main", commit: first });
			}
			const missing = await failure(adapter.resolve(repository.path, "0123456789"));
			expect(missing.code).toBe("REF_NOT_FOUND");
		});

		it("is refused where it is no name, before git sees it", async () => {
			await repository.commit({ files: { a: "1" } });
			for (const ref of [
				"--upload-pack=x",
				"-",
				"",
				"a..b",
				"HEAD~1",
				"main^{tree}",
				"a b",
				"ma*n",
				"@{-1}",
				"a\nb",
				"/x",
			]) {
				expect((await failure(adapter.resolve(repository.path, ref))).code).toBe("REF_NOT_FOUND");
			}
		});

		it("names the branches there are when it means nothing", async () => {
			await repository.commit({ files: { a: "1" } });
			const { code, next } = await failure(adapter.resolve(repository.path, "mian"));
			expect(code).toBe("REF_NOT_FOUND");
			expect(next).toContain("main");
		});

		it("is HEAD when the repository's is detached", async () => {
			const first = await repository.commit({ files: { a: "1" } });
			await repository.commit({ files: { a: "2" } });
			await repository.head(first);
			const detached = await prepared();
			expect(detached).toMatchObject({ source: { branch: "HEAD" }, commit: first });
			const aside = await repository.commit({ files: { a: "3" } });
			expect(await adapter.head(detached.source)).toBe(aside);
			const next = await prepared();
			expect(shas(await commitsOf(next.source, first, aside))).toEqual([`added ${aside}`]);
		});
	});

	describe("targets", () => {
		it("name the same source however they are written", async () => {
			await repository.commit({ files: { "src/deep/a": "1" } });
			await repository.checkout();
			const { address } = await adapter.resolve(repository.path, undefined);
			for (const target of [
				path.join(repository.path, "src", "deep"),
				path.join(repository.path, ".git"),
				path.relative(process.cwd(), repository.path),
				`${repository.path}${path.sep}`,
				pathToFileURL(repository.path).href,
			]) {
				expect((await adapter.resolve(target, undefined)).address).toBe(address);
			}
		});

		it("may be bare repositories", async () => {
			const commit = await repository.commit({ files: { a: "1" } });
			const bare = await repository.clone({ bare: true });
			expect(await adapter.recognises(bare)).toBe(true);
			expect((await prepared(bare)).commit).toBe(commit);
		});

		it("may be bundles: their branch is the one with HEAD's commit", async () => {
			await repository.commit({ files: { a: "1" } });
			const commit = await repository.commit({ files: { a: "2" }, branch: "main" });
			const whole = await repository.bundle("whole.bundle");
			const first = await prepared(whole);
			expect(first).toMatchObject({ source: { branch: "main" }, commit });
			expect(await adapter.head(first.source)).toBe(commit);
			expect(await commitsOf(first.source, undefined, commit)).toHaveLength(2);
			const headOnly = await repository.bundle("head.bundle", ["HEAD"]);
			expect(await prepared(headOnly)).toMatchObject({ source: { branch: "HEAD" }, commit });
			const branchOnly = await repository.bundle("branch.bundle", ["main"]);
			expect(await prepared(branchOnly)).toMatchObject({ source: { branch: "main" }, commit });
		});

		it("say so when they have no commits yet", async () => {
			const empty = await failure(adapter.resolve(repository.path, undefined));
			expect(empty.code).toBe("REF_NOT_FOUND");
			expect(empty.message).toContain("has no commits yet");
			expect(await adapter.recognises(repository.path)).toBe(false);
		});

		it("use SHA-256 where the repository does", async () => {
			const other = await createRepository({ objectFormat: "sha256" });
			try {
				const first = await other.commit({ files: { a: "1" } });
				const second = await other.commit({ files: { a: "2" } });
				const resolved = await prepared(other.path);
				expect(resolved.commit).toBe(second);
				expect(second).toHaveLength(64);
				expect((await adapter.resolve(other.path, first.slice(0, 12))).commit).toBe(first);
				await adapter.prepare(resolved.source, first, () => {});
				expect(summary(await collect(adapter.changes(resolved.source, first, second)))).toEqual(["modified a file"]);
			} finally {
				await other.remove();
			}
		});
	});

	describe("history", () => {
		it("keeps what a force-push left behind, through garbage collection on both sides", async () => {
			const base = await repository.commit({ files: { a: "base" } });
			const lost = await repository.commit({ files: { a: "lost" }, message: "lost" });
			const { source } = await prepared();
			const found = await repository.commit({ files: { a: "found" }, message: "found", parents: [base] });
			await repository.forcePush("main", found);
			await repository.git("reflog", "expire", "--expire=now", "--all");
			await repository.git("gc", "--quiet", "--prune=now");
			expect((await prepared()).commit).toBe(found);
			await repository.git("--git-dir", mirrorOf(source), "gc", "--quiet", "--prune=now");
			expect(shas(await commitsOf(source, lost, found))).toEqual([`added ${found}`, `removed ${lost}`]);
			expect(summary(await collect(adapter.changes(source, lost, found)))).toEqual(["modified a file"]);
			await adapter.prepare(source, lost, () => {});
			expect((await adapter.resolve(repository.path, lost)).commit).toBe(lost);
		});

		it("does not have what was gone before it was prepared", async () => {
			await repository.commit({ files: { a: "base" } });
			const { source } = await prepared();
			const lost = await repository.commit({ files: { a: "lost" } });
			await repository.forcePush("main", `${lost}~1`);
			await repository.git("reflog", "expire", "--expire=now", "--all");
			await repository.git("gc", "--quiet", "--prune=now");
			expect((await failure(adapter.prepare(source, lost, () => {}))).code).toBe("COMMIT_NOT_FOUND");
		});

		it("ends at the edge of a shallow clone, and grows when the clone does", async () => {
			for (const content of ["1", "2", "3", "4"]) await repository.commit({ files: { [`f${content}`]: content } });
			const shallow = await repository.clone({ depth: 2 });
			const { source, commit } = await prepared(shallow);
			const log = await commitsOf(source, undefined, commit);
			expect(log.map(({ commit: { paths, parents } }) => [paths, parents.length])).toEqual([
				[["f4"], 1],
				[[], 0],
			]);
			expect(await collect(adapter.changes(source, undefined, commit))).toHaveLength(4);
			await repository.git("-C", shallow, "fetch", "--quiet", "--unshallow");
			await repository.commit({ files: { f5: "5" } });
			await repository.git("-C", shallow, "pull", "--quiet", "--ff-only");
			const grown = await prepared(shallow);
			expect(await commitsOf(grown.source, undefined, grown.commit)).toHaveLength(5);
		});

		it("follows merges and unrelated histories; a merge touches nothing itself", async () => {
			const base = await repository.commit({ files: { a: "base" } });
			const side = await repository.commit({ files: { side: "1" }, branch: "side", parents: [base] });
			const main = await repository.commit({ files: { main: "1" } });
			const other = await repository.commit({ files: { other: "1" }, branch: "other", parents: [] });
			const files = { side: "1", other: "1", both: "new in the merge" };
			const merge = await repository.commit({ files, message: "Merge", parents: [main, side, other] });
			const { source } = await prepared();
			const log = await commitsOf(source, undefined, merge);
			expect(log).toHaveLength(5);
			expect(log[0]?.commit).toMatchObject({ sha: merge, parents: [main, side, other], paths: [] });
			expect(new Set(shas(await commitsOf(source, main, merge)))).toEqual(
				new Set([`added ${merge}`, `added ${side}`, `added ${other}`]),
			);
			await adapter.prepare(source, other, () => {});
			expect(shas(await commitsOf(source, other, side))).toEqual([
				`added ${side}`,
				`added ${base}`,
				`removed ${other}`,
			]);
			expect(summary(await collect(adapter.changes(source, main, merge)))).toEqual([
				"added both file",
				"added other file",
				"added side file",
			]);
		});

		it("tells authors as they signed, whatever the encoding, time zone or mailmap", async () => {
			await repository.commit({
				files: { ".mailmap": "Somebody Else <else@example.org> <jorg@example.org>\n" },
				author: { name: Buffer.from("J\xf6rg", "latin1"), email: "jorg@example.org" },
				message: Buffer.from("Gr\xfc\xdfe\n\nBody", "latin1"),
				encoding: "ISO-8859-1",
				date: "2024-02-29T23:30:00-05:00",
			});
			await repository.commit({
				files: { ":100644 000000": "a path like a header", x: "" },
				author: { name: Buffer.from([0x41, 0xff]), email: "" },
				message: Buffer.concat([
					Buffer.from(":100644 100644 "),
					Buffer.from([0xfe]),
					Buffer.from(" \u001b[31m subject"),
				]),
				date: "1970-01-01T00:00:01Z",
			});
			await repository.commit({ message: "" });
			const { source, commit } = await prepared();
			const [silent, broken, jorg] = (await commitsOf(source, undefined, commit)).map((range) => range.commit);
			expect(jorg).toMatchObject({
				authorName: "Jörg",
				authorEmail: "jorg@example.org",
				subject: "Grüße",
				authoredAt: "2024-03-01T04:30:00.000Z",
				paths: [".mailmap"],
			});
			expect(broken).toMatchObject({
				authorName: "A\ufffd",
				authorEmail: "",
				authoredAt: "1970-01-01T00:00:01.000Z",
				subject: ":100644 100644 \ufffd \u001b[31m subject",
				paths: [":100644 000000", "x"],
			});
			expect(silent).toMatchObject({ subject: "", paths: [] });
		});

		it("is told in pages of at most 500, at most 2,000 paths a commit, the same every time", async () => {
			const many = Object.fromEntries(Array.from({ length: 2_100 }, (_, index) => [`d/${index}`, `${index}`]));
			await repository.commit({ files: many });
			const commits = Array.from({ length: 1_100 }, (_, index) =>
				[
					"commit refs/heads/main",
					`mark :${index + 1}`,
					"author A <a@example.org> 1704067200 +0000",
					"committer A <a@example.org> 1704067200 +0000",
					`data 1\nx`,
					`from ${index === 0 ? "refs/heads/main^0" : `:${index}`}`,
					`M 100644 inline f\ndata ${String(index).length}\n${index}\n`,
				].join("\n"),
			);
			const stream = path.join(home, "stream");
			await mkdir(home, { recursive: true });
			await writeFile(stream, `${commits.join("\n")}\ndone\n`);
			await repository.git("-c", "alias.load=!git fast-import --quiet --force --done <", "load", stream);
			const { source, commit } = await prepared();
			const sizes: number[] = [];
			const seen: string[] = [];
			let last: CommitRange | undefined;
			for await (const page of adapter.commits(source, undefined, commit)) {
				sizes.push(page.length);
				seen.push(...shas(page));
				last = page.at(-1);
			}
			expect(sizes).toEqual([500, 500, 101]);
			expect(last?.commit.paths).toHaveLength(2_000);
			expect(new Set(seen).size).toBe(1_101);
			expect(shas(await commitsOf(source, undefined, commit))).toEqual(seen);
		});
	});

	describe("trees", () => {
		it("hold submodules as entries without content, never fetched", async () => {
			const inside = "1".repeat(40);
			const first = await repository.commit({
				files: {
					a: "1",
					sub: { submodule: inside },
					".gitmodules": `[submodule "sub"]\n\tpath = sub\n\turl = ext::false\n`,
				},
			});
			await repository.commit({ files: { sub: { submodule: "2".repeat(40) } } });
			const { source, commit } = await prepared();
			const [change] = await collect(adapter.changes(source, first, commit));
			expect(change).toEqual({
				type: "modified",
				file: { path: "sub", blob: "2".repeat(40), mode: "submodule", size: 0 },
			});
			const all = await collect(adapter.changes(source, undefined, commit));
			expect(summary(all)).toEqual(["added .gitmodules file", "added a file", "added sub submodule"]);
			const files = all.flatMap((each) => (each.type === "removed" ? [] : [each.file]));
			const sizes: (number | undefined)[] = [];
			for await (const { bytes } of adapter.read(source, commit, files, { maxBytes: 100 })) sizes.push(bytes?.length);
			expect(sizes).toEqual([48, 1, undefined]);
			const submodule = files[2];
			if (submodule === undefined) throw new Error("no submodule");
			expect((await failure(adapter.stream(source, commit, submodule))).code).toBe("REPOSITORY_UNREADABLE");
			// A submodule that becomes a file is the same path with another content.
			await repository.commit({ files: { sub: "a file now" } });
			const after = await prepared();
			expect(summary(await collect(adapter.changes(source, commit, after.commit)))).toEqual(["modified sub file"]);
		});

		it("change by mode alone", async () => {
			const first = await repository.commit({ files: { "run.sh": "x" } });
			await repository.commit({ modes: { "run.sh": "100755" } });
			const { source, commit } = await prepared();
			expect(summary(await collect(adapter.changes(source, first, commit)))).toEqual(["modified run.sh executable"]);
		});

		it("cannot lead out of a folder, and cannot hold a path twice", async () => {
			await repository.commit({ files: { "inner/passwd": "x" } });
			const inner = await repository.git("rev-parse", "main:inner");
			const blob = await repository.git("rev-parse", "main:inner/passwd");
			const forged = async (
				entries: readonly (readonly [mode: string, name: string, id: string])[],
			): Promise<string> => {
				const raw = Buffer.concat(
					entries.flatMap(([mode, name, id]) => [Buffer.from(`${mode} ${name}\0`), Buffer.from(id, "hex")]),
				);
				const file = path.join(home, "tree");
				await mkdir(home, { recursive: true });
				await writeFile(file, raw);
				const tree = await repository.git("hash-object", "-t", "tree", "-w", "--literally", file);
				const commit = await repository.git("commit-tree", "-m", "forged", tree);
				await repository.branch("main", commit);
				return commit;
			};
			await forged([["40000", "..", inner]]);
			const outside = await prepared();
			expect(summary(await collect(adapter.changes(outside.source, undefined, outside.commit)))).toEqual([
				"added \\x2e\\x2e/passwd file",
			]);
			await forged([
				["100644", "a", blob],
				["100644", "a", blob],
			]);
			const twice = await prepared();
			const read = collect(adapter.changes(twice.source, undefined, twice.commit));
			expect((await failure(read)).code).toBe("REPOSITORY_UNREADABLE");
		});
	});

	it("does not care about the variables of a git hook around it", async () => {
		const commit = await repository.commit({ files: { a: "1" } });
		const hook = { GIT_DIR: "/nowhere/.git", GIT_WORK_TREE: "/nowhere", GIT_INDEX_FILE: "/nowhere/index" };
		Object.assign(process.env, hook);
		try {
			expect((await prepared()).commit).toBe(commit);
		} finally {
			for (const name of Object.keys(hook)) delete process.env[name];
		}
	});

	it("runs nothing that a repository's settings name", async () => {
		const commit = await repository.commit({ files: { a: "1" } });
		const marker = path.join(home, "ran");
		const program = `touch '${marker}'`;
		const hooks = path.join(repository.path, ".git", "hooks");
		await mkdir(hooks, { recursive: true });
		for (const hook of ["reference-transaction", "post-checkout", "pre-auto-gc", "fsmonitor"]) {
			await writeFile(path.join(hooks, hook), `#!/bin/sh\n${program}\n`, { mode: 0o755 });
		}
		for (const key of [
			"core.fsmonitor",
			"core.sshCommand",
			"core.pager",
			"core.gitProxy",
			"uploadpack.packObjectsHook",
		]) {
			await repository.git("config", key, program);
		}
		await repository.git("config", "credential.helper", `!${program}`);
		await repository.git("config", "alias.fetch", `!${program}`);
		const { source } = await prepared();
		expect(await commitsOf(source, undefined, commit)).toHaveLength(1);
		await expect(readFile(marker)).rejects.toThrow();
	});

	it("takes a mirror that a killed process left half made for none", async () => {
		const commit = await repository.commit({ files: { a: "1" } });
		const { source } = await prepared();
		const mirror = mirrorOf(source);
		await rename(mirror, `${mirror}.new`);
		await rm(path.join(`${mirror}.new`, "objects"), { recursive: true });
		await adapter.prepare(source, commit, () => {});
		expect(await collect(adapter.changes(source, undefined, commit))).toHaveLength(1);
	});

	it("does not trust a commit that a killed fetch left without its trees", async () => {
		await repository.commit({ files: { a: "1" } });
		const { source } = await prepared();
		const commit = await repository.commit({ files: { a: "2" } });
		const loose = (gitFolder: string) => path.join(gitFolder, "objects", commit.slice(0, 2), commit.slice(2));
		await mkdir(path.dirname(loose(mirrorOf(source))), { recursive: true });
		await copyFile(loose(path.join(repository.path, ".git")), loose(mirrorOf(source)));
		await adapter.prepare(source, commit, () => {});
		const files = (await collect(adapter.changes(source, undefined, commit))).flatMap((change) =>
			change.type === "removed" ? [] : [change.file],
		);
		for await (const { bytes } of adapter.read(source, commit, files, { maxBytes: 10 })) {
			expect(Buffer.from(bytes ?? []).toString()).toBe("2");
		}
	});
});
