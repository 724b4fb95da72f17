import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Change, FileEntry } from "../../src/domain/commits.js";
import { errorCode } from "../../src/domain/errors.js";
import { sourceId } from "../../src/domain/keys.js";
import { encodePath } from "../../src/sources/path-name.js";
import type { CommitRange, ResolvedTarget, SourceAdapter } from "../../src/sources/source.port.js";
import type { Source } from "../../src/stores/catalog/catalog.port.js";
import type { TestContent } from "../support/git-repository.js";

/** One real repository (or folder) and the adapter that reads it. */
export interface SourceWorld {
	readonly adapter: SourceAdapter;
	readonly target: string;
	/** What this kind of source, on this system, can hold. */
	readonly capabilities: {
		readonly log: boolean;
		readonly bytePaths: boolean;
		readonly modes: boolean;
		readonly symlinks: boolean;
		/** What was prepared outlives the repository. */
		readonly keepsPrepared: boolean;
		/** Targets tell their kind by themselves, whether there is something or not. */
		readonly schemed: boolean;
	};
	/** Makes a new state of the repository. */
	write(
		files: readonly (readonly [string | Uint8Array, TestContent])[],
		deletes?: readonly (string | Uint8Array)[],
	): Promise<void>;
	/** Deletes the repository. */
	vanish(): Promise<void>;
	close(): Promise<void>;
}

const text = (bytes: Uint8Array | undefined): string | undefined =>
	bytes === undefined ? undefined : Buffer.from(bytes).toString("utf8");

export function asSource({ kind, address, branch }: ResolvedTarget): Source {
	const createdAt = "2024-01-01T00:00:00.000Z";
	return { id: sourceId(address, branch), kind, address, branch, policy: "every", createdAt };
}

export async function collect<T>(pagesOf: AsyncIterable<readonly T[]>): Promise<T[]> {
	const all: T[] = [];
	for await (const page of pagesOf) all.push(...page);
	return all;
}

export function summary(changes: readonly Change[]): string[] {
	return changes.map((change) =>
		change.type === "removed" ? `removed ${change.path}` : `${change.type} ${change.file.path} ${change.file.mode}`,
	);
}

/** What every source promises, whatever its kind. */
export function sourceContract(name: string, create: () => Promise<SourceWorld>): void {
	describe(`source contract: ${name}`, () => {
		let world: SourceWorld;

		beforeEach(async () => {
			world = await create();
		});
		afterEach(() => world.close());

		async function prepared(): Promise<{ source: Source; commit: string }> {
			const resolved = await world.adapter.resolve(world.target, undefined);
			const source = asSource(resolved);
			await world.adapter.prepare(source, resolved.commit, () => {});
			return { source, commit: resolved.commit };
		}

		async function filesOf(source: Source, commit: string): Promise<FileEntry[]> {
			const changes = await collect(world.adapter.changes(source, undefined, commit));
			return changes.map((change) => {
				if (change.type !== "added") throw new Error(`${change.type} in a change set from nothing`);
				return change.file;
			});
		}

		async function contents(source: Source, commit: string, files: readonly FileEntry[], maxBytes = 1_000_000) {
			const read: (readonly [string, Uint8Array | undefined])[] = [];
			for await (const { file, bytes } of world.adapter.read(source, commit, files, { maxBytes }))
				read.push([file.path, bytes]);
			return read;
		}

		it("recognises the target, and resolves it to one commit as long as nothing changes", async () => {
			await world.write([["a.txt", "one"]]);
			expect(await world.adapter.recognises(world.target)).toBe(true);
			const first = await world.adapter.resolve(world.target, undefined);
			expect(first.kind).toBe(world.adapter.kind);
			expect(await world.adapter.resolve(world.target, undefined)).toEqual(first);
			expect(await world.adapter.head(asSource(first))).toBe(first.commit);
			await world.write([["a.txt", "two"]]);
			const second = await world.adapter.resolve(world.target, undefined);
			expect(second.commit).not.toBe(first.commit);
			expect(asSource(second).id).toBe(asSource(first).id);
			expect(await world.adapter.head(asSource(first))).toBe(second.commit);
		});

		it("says how far what was published is behind, without preparing anything", async () => {
			const { log } = world.capabilities;
			const { signal } = new AbortController();
			await world.write([["a.txt", "one"]]);
			const { source, commit } = await prepared();
			expect(await world.adapter.peek(source, signal)).toBe(commit);
			const before = Date.now();
			await world.write([["a.txt", "two"]]);
			await world.write([["a.txt", "three"]]);
			const head = await world.adapter.peek(source, signal);
			expect(head).not.toBe(commit);
			const waiting = await world.adapter.waiting(source, commit, head, signal);
			expect(waiting).toEqual({ commits: log ? 2 : 1, since: log ? expect.any(String) : undefined });
			// Commits of tests may have made-up times.
			if (log) expect(Date.parse(waiting?.since ?? "")).toBeLessThan(before + 3_600_000);
			expect(await world.adapter.head(source)).toBe(head);
			// A branch that was moved back has nothing that waits.
			if (log) expect(await world.adapter.waiting(source, head, commit, signal)).toMatchObject({ commits: 0 });
			await world.vanish();
			const gone = await world.adapter.peek(source, signal).catch((caught) => caught);
			expect(errorCode(gone)).toBe("SOURCE_NOT_FOUND");
		});

		it("lists everything of the first commit, ordered by the bytes of the path", async () => {
			const paths = ["b", "a/z", "a.b", "a-b", "a/b/c", "Z", "\u{1f600}", "\uff5e", "ä"];
			await world.write(paths.map((file) => [file, `content of ${file}`] as const));
			const { source, commit } = await prepared();
			const files = await filesOf(source, commit);
			const sorted = [...paths].sort((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y)));
			expect(files.map((file) => file.path)).toEqual(sorted);
			expect(files.map((file) => file.size)).toEqual(sorted.map((file) => Buffer.byteLength(`content of ${file}`)));
			expect((await contents(source, commit, files)).map(([, bytes]) => text(bytes))).toEqual(
				sorted.map((file) => `content of ${file}`),
			);
		});

		it("tells added, modified and removed files apart, and a rename is a removal and an addition", async () => {
			await world.write([
				["same", "same"],
				["changed", "before"],
				["gone", "gone"],
				["old/name", "moved"],
			]);
			const before = await prepared();
			await world.write(
				[
					["changed", "after"],
					["new", "new"],
					["name", "moved"],
				],
				["gone", "old/name"],
			);
			const after = await prepared();
			const changes = await collect(world.adapter.changes(after.source, before.commit, after.commit));
			expect(summary(changes)).toEqual([
				"modified changed file",
				"removed gone",
				"added name file",
				"added new file",
				"removed old/name",
			]);
			expect(await collect(world.adapter.changes(after.source, after.commit, after.commit))).toEqual([]);
			const back = await collect(world.adapter.changes(after.source, after.commit, before.commit));
			expect(summary(back)).toEqual([
				"modified changed file",
				"added gone file",
				"removed name",
				"removed new",
				"added old/name file",
			]);
		});

		it("orders a file that becomes a folder like any other path", async () => {
			await world.write([
				["a", "file"],
				["a.b", "1"],
			]);
			const before = await prepared();
			await world.write(
				[
					["a/x", "in a folder"],
					["a.b", "2"],
				],
				["a"],
			);
			const after = await prepared();
			const changes = await collect(world.adapter.changes(after.source, before.commit, after.commit));
			expect(summary(changes)).toEqual(["removed a", "modified a.b file", "added a/x file"]);
		});

		it("gives change sets in pages of at most 1,000, complete and in order", async () => {
			const paths = Array.from({ length: 2_345 }, (_, index) => `f${String(index).padStart(5, "0")}`);
			await world.write(paths.map((file) => [file, file] as const));
			const first = await prepared();
			await world.write(paths.map((file) => [file, `${file} again`] as const));
			const second = await prepared();
			for (const from of [undefined, first.commit]) {
				const sizes: number[] = [];
				const seen: string[] = [];
				for await (const page of world.adapter.changes(second.source, from, second.commit)) {
					sizes.push(page.length);
					seen.push(
						...page.map((change) => (change.type === "removed" ? "" : `${change.file.path} ${change.file.size}`)),
					);
				}
				expect(sizes).toEqual([1_000, 1_000, 345]);
				expect(seen).toEqual(paths.map((file) => `${file} 12`));
			}
		});

		it("keeps bytes as they are: line ends, invalid UTF-8, LFS pointers, empty files", async () => {
			const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${"0".repeat(64)}\nsize 12345\n`;
			const files: [string, Uint8Array][] = [
				["big.bin", Buffer.from(pointer)],
				["crlf.txt", Buffer.from("a\r\nb\r\n")],
				["empty", Buffer.alloc(0)],
				["invalid", Buffer.from([0xff, 0x00, 0xfe, 0x0a])],
			];
			await world.write(files);
			const { source, commit } = await prepared();
			const read = await contents(source, commit, await filesOf(source, commit));
			expect(read.map(([file, bytes]) => [file, Buffer.from(bytes as Uint8Array)])).toEqual(
				files.map(([file, bytes]) => [file, Buffer.from(bytes)]),
			);
		});

		it("reads in the order asked, as often as asked, and leaves out what is too large", async () => {
			await world.write([
				["a", "a"],
				["b", "x".repeat(100)],
				["c", "c".repeat(99)],
			]);
			const { source, commit } = await prepared();
			const [a, b, c] = (await filesOf(source, commit)) as [FileEntry, FileEntry, FileEntry];
			const read = await contents(source, commit, [c, b, a, c], 99);
			expect(read.map(([file, bytes]) => [file, text(bytes)])).toEqual([
				["c", "c".repeat(99)],
				["b", undefined],
				["a", "a"],
				["c", "c".repeat(99)],
			]);
			// Not even where the entry's size was wrong, and what follows is still right.
			expect((await contents(source, commit, [b, a], 100)).map(([, bytes]) => bytes?.length)).toEqual([100, 1]);
			expect(await contents(source, commit, [])).toEqual([]);
			const parts: Buffer[] = [];
			for await (const part of await world.adapter.stream(source, commit, b)) parts.push(Buffer.from(part));
			expect(Buffer.concat(parts).toString()).toBe("x".repeat(100));
		});

		it("reads thousands of files and large ones", async () => {
			const large = Buffer.alloc(3_000_000, "0123456789abcdef");
			const files: [string, Uint8Array][] = Array.from({ length: 1_500 }, (_, index) => [
				`n${index}`,
				Buffer.from(`content ${index}`),
			]);
			await world.write([...files, ["large", large]]);
			const { source, commit } = await prepared();
			const read = new Map(await contents(source, commit, await filesOf(source, commit), 5_000_000));
			expect(read.size).toBe(1_501);
			for (const [file, bytes] of [...files, ["large", large] as const]) {
				expect(Buffer.compare(read.get(file) as Uint8Array, bytes)).toBe(0);
			}
		});

		it("may be stopped in the middle", async () => {
			await world.write(Array.from({ length: 3_000 }, (_, index) => [`n${index}`, `content ${index}`] as const));
			const { source, commit } = await prepared();
			const files = await filesOf(source, commit);
			for await (const page of world.adapter.changes(source, undefined, commit)) {
				expect(page).toHaveLength(1_000);
				break;
			}
			for await (const { bytes } of world.adapter.read(source, commit, files, { maxBytes: 100 })) {
				expect(bytes).toBeDefined();
				break;
			}
			expect((await contents(source, commit, files.slice(0, 3))).length).toBe(3);
			const controller = new AbortController();
			const reading = async () => {
				for await (const _ of world.adapter.read(source, commit, files, { maxBytes: 100, signal: controller.signal })) {
					controller.abort();
				}
			};
			expect(errorCode(await reading().catch((error) => error))).toBe("CANCELLED");
		});

		it("follows no symlink: its content is its target, and a file that becomes one is modified", async (context) => {
			if (!world.capabilities.symlinks) return context.skip("This kind of source has no symlinks.");
			await world.write([
				["secret", "secret"],
				["link", { symlink: "../../etc/passwd" }],
				["turns", "a file"],
			]);
			const before = await prepared();
			const files = await filesOf(before.source, before.commit);
			expect(files.map(({ path, mode, size }) => [path, mode, size])).toEqual([
				["link", "symlink", 16],
				["secret", "file", 6],
				["turns", "file", 6],
			]);
			expect(text((await contents(before.source, before.commit, files))[0]?.[1])).toBe("../../etc/passwd");
			await world.write([["turns", { symlink: "secret" }]], ["turns"]);
			const after = await prepared();
			const changes = await collect(world.adapter.changes(after.source, before.commit, after.commit));
			expect(summary(changes)).toEqual(["modified turns symlink"]);
		});

		it("reports a change of mode alone as modified", async () => {
			await world.write([["run.sh", "#!/bin/sh\n"]]);
			const before = await prepared();
			await world.write([["run.sh", { content: "#!/bin/sh\n", executable: true }]]);
			const after = await prepared();
			const changes = await collect(world.adapter.changes(after.source, before.commit, after.commit));
			expect(summary(changes)).toEqual(world.capabilities.modes ? ["modified run.sh executable"] : []);
		});

		it("keeps names that are not UTF-8 apart, and names that look like their escapes", async (context) => {
			if (!world.capabilities.bytePaths) return context.skip("This system's file names are text.");
			const names = [
				Buffer.from([0x61, 0xff]),
				Buffer.from([0x61, 0xfe]),
				Buffer.from("a\\xff"),
				Buffer.from("new\nline\ttab"),
				Buffer.from("gr\xfcn/datei", "latin1"),
			];
			await world.write(names.map((name, index) => [name, `content ${index}`] as const));
			const before = await prepared();
			const files = await filesOf(before.source, before.commit);
			expect(new Set(files.map((file) => file.path))).toEqual(new Set(names.map((name) => encodePath(name))));
			expect(files.map((file) => file.path)).toContain("a\\xff");
			expect(files.map((file) => file.path)).toContain("a\\x5cxff");
			const read = await contents(before.source, before.commit, files);
			for (const [path, bytes] of read) {
				expect(text(bytes)).toBe(`content ${names.findIndex((name) => encodePath(name) === path)}`);
			}
			await world.write([], [names[0] as Buffer]);
			const after = await prepared();
			const changes = await collect(world.adapter.changes(after.source, before.commit, after.commit));
			expect(summary(changes)).toEqual(["removed a\\xff"]);
		});

		it("keeps every prepared commit readable when the repository disappears", async () => {
			await world.write([["a", "first"]]);
			const first = await prepared();
			await world.write([["a", "second"]]);
			const second = await prepared();
			await world.vanish();
			const error = await world.adapter.head(first.source).catch((caught) => caught);
			expect(errorCode(error)).toBe("SOURCE_NOT_FOUND");
			expect(await world.adapter.recognises(world.target)).toBe(world.capabilities.schemed);
			if (!world.capabilities.keepsPrepared) return;
			for (const [commit, expected] of [
				[first.commit, "first"],
				[second.commit, "second"],
			] as const) {
				await world.adapter.prepare(second.source, commit, () => {});
				const read = await contents(second.source, commit, await filesOf(second.source, commit));
				expect(read.map(([path, bytes]) => [path, text(bytes)])).toEqual([["a", expected]]);
			}
			expect(summary(await collect(world.adapter.changes(first.source, first.commit, second.commit)))).toEqual([
				"modified a file",
			]);
			await collect(world.adapter.commits(first.source, first.commit, second.commit));
		});

		it("says that the repository has disappeared where it cannot be read without it", async () => {
			await world.write([["a", "first"]]);
			const first = await prepared();
			await world.write([["a", "second"]]);
			const second = await prepared();
			const files = await filesOf(second.source, second.commit);
			await world.vanish();
			if (world.capabilities.keepsPrepared) {
				expect((await contents(second.source, second.commit, files)).length).toBe(1);
				return;
			}
			const { adapter } = world;
			for (const attempt of [
				() => adapter.prepare(second.source, second.commit, () => {}),
				() => collect(adapter.changes(second.source, undefined, second.commit)),
				() => collect(adapter.changes(second.source, first.commit, second.commit)),
				() => collect(adapter.commits(second.source, first.commit, second.commit)),
				() => contents(second.source, second.commit, files),
				async () => {
					for await (const _ of await adapter.stream(second.source, second.commit, files[0] as FileEntry));
				},
			]) {
				expect(errorCode(await attempt().catch((error: unknown) => error))).toBe("SOURCE_NOT_FOUND");
			}
		});

		it("prepares the same commit many times at once", async () => {
			await world.write([["a", "a"]]);
			const resolved = await world.adapter.resolve(world.target, undefined);
			const source = asSource(resolved);
			await Promise.all(Array.from({ length: 6 }, () => world.adapter.prepare(source, resolved.commit, () => {})));
			expect((await filesOf(source, resolved.commit)).map(({ path }) => path)).toEqual(["a"]);
		});

		it("logs what it has a log of, between any two commits", async () => {
			await world.write([["a", "1"]]);
			const first = await prepared();
			await world.write([["a", "2"]]);
			await world.write([["b", "3"]]);
			const last = await prepared();
			const shown = (ranges: readonly CommitRange[]) =>
				ranges.map(({ type, commit }) => [type, ...commit.paths].join(" "));
			const all = await collect(world.adapter.commits(last.source, undefined, last.commit));
			const since = await collect(world.adapter.commits(last.source, first.commit, last.commit));
			const back = await collect(world.adapter.commits(last.source, last.commit, first.commit));
			const { log } = world.capabilities;
			expect(shown(all)).toEqual(log ? ["added b", "added a", "added a"] : []);
			expect(shown(since)).toEqual(log ? ["added b", "added a"] : []);
			expect(shown(back)).toEqual(log ? ["removed b", "removed a"] : []);
		});

		it("names what is not there", async () => {
			await world.write([["a", "a"]]);
			const { source, commit } = await prepared();
			const code = async (promise: Promise<unknown>) => errorCode(await promise.catch((error) => error));
			expect(await code(world.adapter.resolve(`${world.target}-nowhere`, undefined))).toBe("SOURCE_NOT_FOUND");
			expect(await world.adapter.recognises(`${world.target}-nowhere`)).toBe(world.capabilities.schemed);
			expect(await code(world.adapter.resolve(world.target, "no-such-ref"))).toBe("REF_NOT_FOUND");
			expect(await code(world.adapter.resolve(world.target, "-upload-pack=x"))).toBe("REF_NOT_FOUND");
			expect(await code(world.adapter.resolve("-x", undefined))).toBe("SOURCE_NOT_FOUND");
			expect(await code(world.adapter.prepare(source, "1".repeat(commit.length), () => {}))).toBe("COMMIT_NOT_FOUND");
			expect(await code(world.adapter.prepare(source, "--all", () => {}))).toBe("COMMIT_NOT_FOUND");
			const unknown = collect(world.adapter.changes(source, "1".repeat(commit.length), commit));
			expect(await code(unknown)).toBe("COMMIT_NOT_FOUND");
		});

		it("forgets a source and can take it up again", async () => {
			await world.write([["a", "a"]]);
			const { source } = await prepared();
			await world.adapter.forget(source);
			await world.adapter.forget(source);
			const again = await prepared();
			expect((await filesOf(again.source, again.commit)).map(({ path }) => path)).toEqual(["a"]);
		});

		it("stops preparing when it is cancelled", async () => {
			await world.write([["a", "a"]]);
			const resolved = await world.adapter.resolve(world.target, undefined);
			const cancelled = world.adapter.prepare(asSource(resolved), resolved.commit, () => {}, AbortSignal.abort());
			expect(errorCode(await cancelled.catch((error) => error))).toBe("CANCELLED");
			await prepared();
		});
	});
}
