import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestWorkflowEnvironment } from "@temporalio/testing";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { loadConfig } from "../../src/config/config.js";
import type { LodeReader } from "../../src/services/lode.js";
import { openPorts, openReader, rebuildStores } from "../../src/wiring.js";
import { archiveEvents } from "../../src/workflows/archive-events.js";
import { createRepository, type TestRepository } from "../support/git-repository.js";
import { LodeInstance } from "../support/lode-instance.js";
import { hasServerProfile, serverProfile } from "../support/server-profile.js";
import { temporalEnvironment } from "../support/temporal-environment.js";

/** Real: Temporal server, worker, all stores, git. */
describe("lode rebuild", () => {
	let environment: TestWorkflowEnvironment;
	const cleanUps: (() => Promise<unknown>)[] = [];
	beforeAll(async () => {
		environment = await temporalEnvironment();
	});
	afterAll(() => environment?.teardown());
	afterEach(async () => {
		for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
	});

	async function opened(env: Record<string, string> = {}, home?: string): Promise<LodeInstance> {
		const lode = await LodeInstance.open(environment, { env, home });
		cleanUps.push(() => lode.close());
		return lode;
	}

	async function repository(): Promise<TestRepository> {
		const created = await createRepository();
		cleanUps.push(() => created.remove());
		return created;
	}

	const archive = ({ config }: LodeInstance) =>
		environment.client.workflow.execute(archiveEvents, {
			workflowId: `archive/${config.temporal.taskQueue}`,
			taskQueue: config.temporal.taskQueue,
			args: [],
		});

	/** A home that has nothing but the archive of another one. */
	async function onlyTheArchive(of: LodeInstance): Promise<string> {
		const home = await mkdtemp(join(tmpdir(), "lode-rebuilt-"));
		cleanUps.push(() => rm(home, { recursive: true, force: true }));
		await cp(join(of.home, "artifacts"), join(home, "artifacts"), { recursive: true });
		return home;
	}

	const configOf = (home: string, env: Record<string, string> = {}) =>
		loadConfig({ env: { LODE_HOME: home, LODE_GC_GRACE: "0", ...env }, cwd: home }).config;

	/** Several kept versions, some that were collected, a parked ingestion, a source that was removed, then what is archived. */
	async function used(lode: LodeInstance) {
		const repo = await repository();
		const gone = await repository();
		await gone.commit({ files: { "gone.md": "# Gone\n\nvanished\n" } });
		const removed = await lode.ingest(gone.path);
		const commits: string[] = [];
		for (let version = 0; version < 6; version++) {
			const files: Record<string, string> = {
				"a.md": `# Version ${version}\n\nmarker${version}\n`,
				"src/b.ts": `import { c } from "./c.js";\nexport function b(): number {\n\treturn c() + ${version % 2};\n}\n`,
				"src/c.ts": `export function c(): number {\n\treturn ${Math.floor(version / 2)};\n}\n`,
				"models/orders.sql": "select id, total from raw_orders\n",
			};
			commits.push(await repo.commit({ files }));
			await lode.ingest(repo.path);
			if (version === 1) await archive(lode);
			if (version === 4) await lode.commander.collectGarbage();
		}
		await lode.commander.remove(removed.source);
		await archive(lode);
		return { repo, kept: commits.slice(-3) };
	}

	const audits = async (reader: LodeReader) =>
		(await reader.events({ types: ["AuditRecorded"], limit: 10 }))
			.filter(({ data }) => data.operation === "rebuild")
			.map(({ data }) => [data.operation, data.outcome, data.code]);

	const answers = async (lode: Pick<LodeInstance, "reader">, kept: readonly string[]) =>
		Promise.all(
			kept.map(async (at) => {
				const { stores } = await lode.reader.verify({ at });
				const { hits } = await lode.reader.search({ text: "c returns orders", limit: 20, at });
				// Versions that are gone shift BM25's statistics a little: what is found is the same, scores need not be.
				return { at, stores, hits: hits.map(({ path, startLine, commit }) => `${path} ${startLine} ${commit}`).sort() };
			}),
		);

	test("makes everything again from the archive alone, every kept version with its digests", async () => {
		const first = await opened({ LODE_RETENTION_MAX_VERSIONS: "4" });
		const { repo, kept } = await used(first);
		const before = await answers(first, kept);
		const home = await onlyTheArchive(first);

		await expect(openPorts(configOf(home), { address: environment.address })).rejects.toMatchObject({
			code: "CATALOG_BEHIND",
			next: expect.stringContaining("lode rebuild"),
		});
		const report = await rebuildStores(configOf(home), { replace: false, readModels: false });
		expect(report).toMatchObject({ ok: true, sources: 1, restaged: ["graph", "vectors"], discarded: 0, problems: [] });
		await expect(rebuildStores(configOf(home), { replace: false, readModels: false })).rejects.toMatchObject({
			code: "USAGE",
		});
		const reader = await openReader(configOf(home));
		cleanUps.push(() => reader.close());
		expect(await audits(reader)).toEqual([
			["rebuild", "done", null],
			["rebuild", "refused", "USAGE"],
		]);
		expect(await answers({ reader }, kept)).toEqual(before);
		expect((await reader.status()).ingestions.map(({ id }) => id)).toEqual(
			(await first.reader.status()).ingestions.map(({ id }) => id),
		);

		// And goes on from there, as the first one does.
		const [next] = [await repo.commit({ files: { "a.md": "# After\n\nmarker9\n", "new.md": "# New\n" } })];
		await first.ingest(repo.path);
		const expected = await answers(first, [next]);
		await first.close();
		const second = await opened({ LODE_RETENTION_MAX_VERSIONS: "4" }, home);
		await second.ingest(repo.path);
		expect((await answers(second, [next])).map(({ stores }) => stores)).toEqual(expected.map(({ stores }) => stores));
		await archive(second);
		await second.verified();
	});

	test("discards what the archive does not know, and gives its numbers to nobody", async () => {
		const lode = await opened();
		const repo = await repository();
		await repo.commit({ files: { "a.md": "# One\n\nalpha\n", "b.md": "# Same\n" } });
		const known = await lode.ingest(repo.path);
		await archive(lode);
		const before = await answers(lode, [known.commit]);
		const later = await repo.commit({ files: { "a.md": "# Two\n\nbeta\n" } });
		const lost = await lode.ingest(repo.path);
		const expected = await answers(lode, [later]);

		// The catalog alone is lost: the other stores still have the second commit.
		const home = await onlyTheArchive(lode);
		for (const store of ["graph.db", "vectors.db"])
			for (const file of [store, `${store}-wal`])
				await cp(join(lode.home, file), join(home, file)).catch(() => undefined);
		await lode.close();
		const report = await rebuildStores(configOf(home), { replace: false, readModels: false });
		expect(report).toMatchObject({ ok: true, restaged: [], discarded: 1, nextSeq: 3, snapshot: known.snapshot });

		const again = await opened({}, home);
		expect(await answers(again, [known.commit])).toEqual(before);
		const { hits } = await again.reader.search({ text: "beta", limit: 5 });
		expect(hits.filter(({ text }) => text.includes("beta"))).toEqual([]);
		const repeated = await again.ingest(repo.path);
		expect(repeated.snapshot).toBeGreaterThan(lost.snapshot as number);
		expect((await answers(again, [later])).map(({ stores }) => stores)).toEqual(expected.map(({ stores }) => stores));
		await again.verified();
	});

	test("starts nothing on stores in the middle of a rebuild, and is done again", async () => {
		const lode = await opened();
		const repo = await repository();
		await repo.commit({ files: { "a.md": "# One\n\nalpha\n" } });
		const { commit } = await lode.ingest(repo.path);
		await archive(lode);
		const before = await answers(lode, [commit]);
		const { config } = lode;
		await lode.ports.events.moveCheckpoint("rebuild", 1);
		await expect(openReader(config)).rejects.toMatchObject({ code: "CATALOG_BEHIND" });
		await expect(openPorts(config, { address: environment.address })).rejects.toMatchObject({ code: "CATALOG_BEHIND" });
		await expect(rebuildStores(config, { replace: false, readModels: true })).rejects.toMatchObject({ code: "USAGE" });
		expect(await audits(lode.reader)).toEqual([]);
		expect(await rebuildStores(config, { replace: true, readModels: true })).toMatchObject({ ok: true, discarded: 0 });
		expect(await audits(lode.reader)).toEqual([["rebuild", "done", null]]);
		expect(await answers(lode, [commit])).toEqual(before);
	});

	test.runIf(hasServerProfile())("on the servers: catalog, graph and vectors from the bucket", async () => {
		const env = await serverProfile(environment.address);
		const lode = await opened({ LODE_RETENTION_MAX_VERSIONS: "4", ...env });
		const { kept } = await used(lode);
		const before = await answers(lode, kept);
		// Nothing else may run: whoever searched still writes its events, into the log that is being restored.
		await lode.close();
		const home = await mkdtemp(join(tmpdir(), "lode-rebuilt-"));
		cleanUps.push(() => rm(home, { recursive: true, force: true }));
		const report = await rebuildStores(configOf(home, env), { replace: true, readModels: true });
		expect(report).toMatchObject({ ok: true, sources: 1, restaged: ["graph", "vectors"], discarded: 0, problems: [] });
		const reader = await openReader(configOf(home, env));
		cleanUps.push(() => reader.close());
		expect((await answers({ reader }, kept)).map(({ stores }) => stores)).toEqual(before.map(({ stores }) => stores));
	});
});
