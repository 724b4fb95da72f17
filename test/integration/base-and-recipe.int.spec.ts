import { execFileSync } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { TestWorkflowEnvironment } from "@temporalio/testing";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Ports } from "../../src/activities/ports.js";
import { LodeError } from "../../src/domain/errors.js";
import { createRepository } from "../support/git-repository.js";
import { LodeInstance } from "../support/lode-instance.js";
import { temporalEnvironment } from "../support/temporal-environment.js";

/** Real: Temporal server, worker, all stores, git. Faults: injected at the sources' port. */
describe("what an ingestion starts from", () => {
	let environment: TestWorkflowEnvironment;
	const cleanUps: (() => Promise<unknown>)[] = [];
	beforeAll(async () => {
		environment = await temporalEnvironment();
	});
	afterAll(() => environment?.teardown());
	afterEach(async () => {
		for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
	});

	async function instance(env: Record<string, string> = {}, ports?: (ports: Ports) => Ports): Promise<LodeInstance> {
		const lode = await LodeInstance.open(environment, { env, ...(ports && { ports }) });
		cleanUps.push(() => lode.close());
		return lode;
	}

	async function repository() {
		const created = await createRepository();
		cleanUps.push(() => created.remove());
		return created;
	}

	/** What an instance without a past has of it. Closes the other one first: on one server, one source has one workflow. */
	async function fresh(other: LodeInstance, target: string, env: Record<string, string> = {}) {
		await other.close();
		const lode = await LodeInstance.open(environment, { env });
		try {
			await lode.ingest(target);
			return (await lode.verified()).stores;
		} finally {
			await lode.close();
		}
	}

	async function setChunkSize(lode: LodeInstance, source: string, chunkSize: number) {
		const [group] = await lode.ports.catalog.groups(source);
		if (group) await lode.ports.catalog.putGroup({ ...group, indexing: { ...group.indexing, chunkSize } });
	}

	const long = (name: string) =>
		`# ${name}\n\n${Array.from({ length: 60 }, (_, at) => `${name} paragraph ${at} has some words in it.\n`).join("\n")}`;
	const code = (name: string, other: string) =>
		`import { ${other} } from "./${other}.js";\n\nexport function ${name}() {\n\treturn ${other}();\n}\n`;

	async function someHistory() {
		const repo = await repository();
		await repo.commit({
			files: { "docs/a.md": long("alpha"), "src/one.ts": code("one", "two"), "src/two.ts": code("two", "one") },
		});
		await repo.commit({ files: { "old/deep/gone.md": long("gone"), "src/two/index.ts": code("two", "one") } });
		return repo;
	}

	test("another recipe on the same commit gives what a fresh ingestion with it gives", async () => {
		const repo = await someHistory();
		const lode = await instance();
		const { source } = await lode.ingest(repo.path);
		await setChunkSize(lode, source, 300);
		const again = await lode.ingest(repo.path);
		expect(again).toMatchObject({ outcome: "published", files: { added: 0, changed: 5, removed: 0 } });
		expect(await lode.ingest(repo.path)).toMatchObject({ outcome: "unchanged" });
		const { stores } = await lode.verified();
		expect(stores).toEqual(await fresh(lode, repo.path, { LODE_CHUNK_SIZE: "300" }));
	});

	test("another recipe together with a force-push and moved folders gives what a fresh ingestion gives", async () => {
		const repo = await someHistory();
		const lode = await instance();
		const { source } = await lode.ingest(repo.path);
		await setChunkSize(lode, source, 300);
		const first = (await repo.git("rev-list", "--max-parents=0", "HEAD")).trim();
		await repo.commit({
			parents: [first],
			files: { old: "a file now\n", "new/place/b.md": long("beta") },
			deletes: ["src/two.ts"],
		});
		await lode.ingest(repo.path);
		const { stores } = await lode.verified();
		expect(stores).toEqual(await fresh(lode, repo.path, { LODE_CHUNK_SIZE: "300" }));
	});

	test("a recipe that changes while an ingestion runs is never mixed with the one it began with", async () => {
		const repo = await someHistory();
		let change: (() => Promise<void>) | undefined;
		const lode = await instance({}, (ports) => ({
			...ports,
			miner: {
				mine: async (...args) => {
					const mined = await ports.miner.mine(...args);
					await change?.();
					return mined;
				},
			},
		}));
		const { source } = await lode.ingest(repo.path);
		const before = await lode.verified();
		await repo.commit({ files: { "docs/b.md": long("beta"), "docs/c.md": long("gamma") } });
		change = async () => {
			const [group] = await lode.ports.catalog.groups(source);
			if (group) {
				await lode.ports.catalog.putGroup({ ...group, indexing: { ...group.indexing, model: "other-model" } });
			}
		};
		const failure = await lode.ingest(repo.path).catch((error: LodeError) => error);
		expect(failure).toMatchObject({ code: "BASE_MOVED", next: expect.stringContaining("lode retry") });
		expect((await lode.verified()).stores).toEqual(before.stores);
	});

	test("goes on where the mirror was lost and the base was pushed away", async () => {
		const repo = await someHistory();
		const lode = await instance();
		const { source } = await lode.ingest(repo.path);
		await rm(join(lode.home, "sources", source), { recursive: true });
		const first = (await repo.git("rev-list", "--max-parents=0", "HEAD")).trim();
		await repo.commit({ parents: [first], files: { "docs/b.md": long("beta") } });
		await repo.git("reflog", "expire", "--expire=now", "--all");
		await repo.git("gc", "--quiet", "--prune=now");
		expect(await lode.ingest(repo.path)).toMatchObject({ outcome: "published" });
		const { stores } = await lode.verified();
		expect(stores).toEqual(await fresh(lode, repo.path));
	});

	test("history that a shallow repository got later is ingested with the next commit", async () => {
		const repo = await someHistory();
		await repo.commit({ files: { "docs/c.md": long("gamma") } });
		const shallow = await repo.clone({ depth: 1 });
		const lode = await instance();
		await lode.ingest(shallow);
		await repo.commit({ files: { "docs/d.md": long("delta") } });
		execFileSync("git", ["-C", shallow, "pull", "--quiet", "--unshallow", "--ff-only"]);
		await lode.ingest(shallow);
		const { stores } = await lode.verified();
		expect(stores).toEqual(await fresh(lode, shallow));
	});

	test("a commit that could not even be fetched can be retried", async () => {
		const repo = await repository();
		await repo.commit({ files: { "a.md": long("alpha") } });
		let broken = false;
		const lode = await instance({}, (ports) => ({
			...ports,
			sources: {
				of: (kind) => {
					const adapter = ports.sources.of(kind);
					return {
						...adapter,
						prepare: async (...args) => {
							if (broken) throw new LodeError("REPOSITORY_UNREADABLE", "injected: the repository is away");
							return adapter.prepare(...args);
						},
					};
				},
			},
		}));
		await lode.ingest(repo.path);
		const next = await repo.commit({ files: { "b.md": long("beta") } });
		broken = true;
		await expect(lode.ingest(repo.path)).rejects.toMatchObject({ code: "REPOSITORY_UNREADABLE" });
		broken = false;
		const { retried } = await lode.commander.retry(undefined, {});
		expect(retried).toMatchObject([{ commit: next, outcome: "published" }]);
	});
});
