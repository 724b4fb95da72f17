import type { TestWorkflowEnvironment } from "@temporalio/testing";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createRepository, type TestCommit } from "../support/git-repository.js";
import { LodeInstance } from "../support/lode-instance.js";
import { temporalEnvironment } from "../support/temporal-environment.js";

/** Real: Temporal server, worker, all stores, git. */
describe("digests do not depend on the way to a commit", () => {
	let environment: TestWorkflowEnvironment;
	const cleanUps: (() => Promise<unknown>)[] = [];
	beforeAll(async () => {
		environment = await temporalEnvironment();
	});
	afterAll(() => environment?.teardown());
	afterEach(async () => {
		for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
	});

	async function digests(path: string, commits: readonly string[]) {
		const lode = await LodeInstance.open(environment);
		try {
			for (const commit of commits) {
				await lode.ingest(path, commit);
				await lode.verified();
			}
			return (await lode.verified()).stores;
		} finally {
			await lode.close();
		}
	}

	async function history(commits: readonly TestCommit[]) {
		const repository = await createRepository();
		cleanUps.push(() => repository.remove());
		const ids: string[] = [];
		for (const commit of commits) ids.push(await repository.commit(commit));
		return { path: repository.path, ids, repository };
	}

	const submodule = { submodule: "1".repeat(40) };

	test("files that become folders and the reverse, folders of links and submodules, in odd orders", async () => {
		const { path, ids } = await history([
			{ files: { a: "a file\n", "b/c/d/e.md": "# E\n", "b/f.md": "# F\n" } },
			{ deletes: ["a"], files: { "a/a/a.md": "# Now a folder\n" } },
			{ deletes: ["b/c/d/e.md"], files: { "only/sub": submodule, "links/l": { symlink: "../a" } } },
			{ deletes: ["a/a/a.md", "only/sub"], files: { a: "a file again\n", "b/c": "a file\n", only: submodule } },
			{ deletes: ["b/c", "b/f.md", "links/l"], files: { "x/b/f.md": "# F\n", links: { symlink: "x" } } },
			{ deletes: ["only"], files: { "only/sub/file.md": "# Was a submodule\n" } },
		]);
		const at = (order: readonly number[]) => order.map((index) => ids[index] as string);
		const direct = await digests(path, at([5]));
		expect(await digests(path, at([0, 1, 2, 3, 4, 5]))).toEqual(direct);
		expect(await digests(path, at([3, 1, 4, 0, 2, 5]))).toEqual(direct);
		expect(await digests(path, at([5, 2, 5]))).toEqual(direct);
	}, 120_000);

	test("a name that more entities provide than a link keeps, while some of them go", async () => {
		const provider = (at: number) => `src/m${String(at).padStart(2, "0")}.py`;
		const body = "def main():\n    return helper()\n";
		const { path, ids } = await history([
			{ files: Object.fromEntries(Array.from({ length: 20 }, (_, at) => [provider(at), body])) },
			{ deletes: [provider(0)] },
			{ deletes: [provider(19), provider(5)] },
			{ deletes: [provider(18)] },
			{ deletes: [provider(7)], files: { "src/a.py": body } },
			{ deletes: Array.from({ length: 19 }, (_, at) => provider(at)).filter((_, at) => ![0, 5, 7, 18].includes(at)) },
		]);
		for (const last of [1, 2, 3, 4, 5]) {
			expect(await digests(path, ids.slice(0, last + 1))).toEqual(await digests(path, [ids[last] as string]));
		}
	}, 120_000);

	test("an unrelated history that is merged, and a force-push that brings commits back", async () => {
		const { path, ids, repository } = await history([{ files: { "a.md": "# A\n" } }, { files: { "b.md": "# B\n" } }]);
		const [first, second] = ids as [string, string];
		const other = await repository.commit({ branch: "other", parents: [], files: { "z/o.md": "# Other\n" } });
		const merged = await repository.commit({ parents: [second, other], files: { "z/o.md": "# Other\n" } });
		const direct = await digests(path, [merged]);
		expect(await digests(path, [second, merged])).toEqual(direct);
		expect(await digests(path, [merged, first, merged])).toEqual(direct);
		expect(await digests(path, [second, first, merged, second, merged])).toEqual(direct);
	}, 120_000);
});
