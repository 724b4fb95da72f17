import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createGitSource } from "../../src/sources/git/git-source.adapter.js";
import type { SourceAdapter } from "../../src/sources/source.port.js";
import type { Source } from "../../src/stores/catalog/catalog.port.js";
import { asSource, collect } from "../contract/source.contract.js";
import { createRepository, type TestRepository } from "../support/git-repository.js";

let home: string;
let repository: TestRepository;
let adapter: SourceAdapter;
let source: Source;
let commit: string;

beforeEach(async () => {
	home = await mkdtemp(path.join(tmpdir(), "lode-home-"));
	repository = await createRepository();
	commit = await repository.commit({ files: { a: "1", b: "22", c: "333" } });
	// The real git, and a line for each of its processes.
	const git = path.join(home, "counted-git");
	await writeFile(git, `#!/bin/sh\necho "$$ $*" >> '${home}/started'\nexec git "$@"\n`, { mode: 0o755 });
	adapter = createGitSource({ home, git });
	source = asSource(await adapter.resolve(repository.path, undefined));
	await adapter.prepare(source, commit, () => {});
});
afterEach(async () => {
	await adapter.forget(source);
	await repository.remove();
	await rm(home, { recursive: true, force: true });
});

async function contents(signal?: AbortSignal): Promise<string[]> {
	const changes = (await collect(adapter.changes(source, undefined, commit))).flat();
	const files = changes.flatMap((change) => (change.type === "removed" ? [] : [change.file]));
	const read: string[] = [];
	for await (const { bytes } of adapter.read(source, commit, files, { maxBytes: 1_000, signal })) {
		read.push(Buffer.from(bytes ?? []).toString());
	}
	return read;
}

/** Process ids of those that answer for contents, or for sizes, in the order of their start. */
async function readers(asked = "cat-file --batch"): Promise<number[]> {
	const lines = (await readFile(path.join(home, "started"), "utf8")).split("\n");
	return lines.filter((line) => line.endsWith(asked)).map((line) => Number.parseInt(line, 10));
}

const runs = (pid: number): boolean => {
	try {
		return process.kill(pid, 0);
	} catch {
		return false;
	}
};

it.skipIf(process.platform === "win32")(
	"reads contents by one process, and by another where that one has ended",
	async () => {
		for (const _ of [1, 2, 3]) expect(await contents()).toEqual(["1", "22", "333"]);
		const [first = 0, ...others] = await readers();
		expect(others).toEqual([]);
		process.kill(first, "SIGKILL");
		expect(await contents()).toEqual(["1", "22", "333"]);
		expect(await readers()).toHaveLength(2);
	},
);

it.skipIf(process.platform === "win32")(
	"asks one process whether a commit is there and for sizes, and another where that one has ended",
	async () => {
		const sizes = "cat-file --batch-check=%(objecttype) %(objectsize)";
		const follow = async (content: string) => {
			const to = await repository.commit({ files: { a: content } });
			await adapter.prepare(source, to, () => {});
			const changes = (await collect(adapter.changes(source, commit, to))).flat();
			expect(changes).toMatchObject([{ type: "modified", file: { path: "a", size: content.length } }]);
		};
		await follow("1234");
		await follow("12345");
		const [first = 0, ...others] = await readers(sizes);
		expect(others).toEqual([]);
		process.kill(first, "SIGKILL");
		await follow("123456");
		expect(await readers(sizes)).toHaveLength(2);
		const [, second = 0] = await readers(sizes);
		await adapter.forget(source);
		await vi.waitUntil(() => !runs(second), { timeout: 4_000 });
	},
);

it.skipIf(process.platform === "win32")("ends it with a read that is cancelled, and with the source", async () => {
	expect(await contents()).toHaveLength(3);
	const controller = new AbortController();
	controller.abort();
	await expect(contents(controller.signal)).rejects.toMatchObject({ code: "CANCELLED" });
	const [first = 0] = await readers();
	expect(runs(first)).toBe(true);
	await adapter.forget(source);
	await vi.waitUntil(() => !runs(first), { timeout: 4_000 });
});
