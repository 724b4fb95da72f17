import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { TestWorkflowEnvironment } from "@temporalio/testing";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createRepository } from "../support/git-repository.js";
import { LodeInstance } from "../support/lode-instance.js";
import { temporalEnvironment } from "../support/temporal-environment.js";

/** Real: Temporal server, worker, all stores, git. */
describe("maintenance", () => {
	let environment: TestWorkflowEnvironment;
	const cleanUps: (() => Promise<unknown>)[] = [];
	beforeAll(async () => {
		environment = await temporalEnvironment();
	});
	afterAll(() => environment?.teardown());
	afterEach(async () => {
		for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
	});

	async function instance(env: Record<string, string> = {}): Promise<LodeInstance> {
		const lode = await LodeInstance.open(environment, { env });
		cleanUps.push(() => lode.close());
		return lode;
	}

	async function repository() {
		const created = await createRepository();
		cleanUps.push(() => created.remove());
		return created;
	}

	test("garbage collection deletes what retention does not keep, and nothing that is visible", async () => {
		const lode = await instance({ LODE_RETENTION_MAX_VERSIONS: "2" });
		const repo = await repository();
		const reports = [];
		for (let version = 0; version < 5; version++) {
			await repo.commit({ files: { "a.md": `# Version ${version}\n\nmarker${version}\n`, "b.md": "# Same\n" } });
			reports.push(await lode.ingest(repo.path));
		}
		const [first, , , fourth, fifth] = reports;
		const source = first?.source as string;
		const before = [await lode.verified(source), await lode.verified(source, String(fourth?.snapshot))];
		const collected = await lode.commander.collectGarbage();
		expect(collected.horizons).toEqual({ [source]: fourth?.snapshot });
		expect(collected.objects).toBeGreaterThan(0);
		expect([await lode.verified(source), await lode.verified(source, String(fourth?.snapshot))]).toEqual(before);
		for (const at of [first?.snapshot, first?.commit]) {
			await expect(lode.reader.search({ text: "marker0", limit: 5, at: String(at) })).rejects.toMatchObject({
				code: "SNAPSHOT_EXPIRED",
			});
		}
		const { hits } = await lode.reader.search({ text: "marker4", limit: 5 });
		expect(hits[0]).toMatchObject({ path: "a.md", commit: fifth?.commit });
		// Nothing is left to collect, and the source goes on.
		expect((await lode.commander.collectGarbage()).records).toEqual({ graph: 0, vectors: 0, artifacts: 0, catalog: 0 });
		await repo.commit({ files: { "c.md": "# New\n" } });
		await lode.ingest(repo.path);
		await lode.verified(source);
	});

	test("without retention everything stays queryable", async () => {
		const lode = await instance();
		const repo = await repository();
		const first = await repo.commit({ files: { "a.md": "# One\n\nalpha\n" } });
		await lode.ingest(repo.path);
		await repo.commit({ files: { "a.md": "# Two\n\nbeta\n" } });
		await lode.ingest(repo.path);
		await lode.commander.collectGarbage();
		const { hits } = await lode.reader.search({ text: "alpha", limit: 5, at: first });
		expect(hits[0]).toMatchObject({ path: "a.md", commit: first, text: expect.stringContaining("alpha") });
	});

	test("a folder goes on from its last state after garbage collection", async () => {
		const lode = await instance({ LODE_RETENTION_MAX_VERSIONS: "1" });
		const folder = await mkdtemp(join(tmpdir(), "lode-folder-"));
		cleanUps.push(() => rm(folder, { recursive: true, force: true }));
		await mkdir(join(folder, "docs"));
		for (let version = 0; version < 3; version++) {
			await writeFile(join(folder, "docs", "a.md"), `# Version ${version}\n`);
			await writeFile(join(folder, `b${version}.md`), "# Same\n");
			const report = await lode.ingest(folder);
			expect(report.files).toEqual(
				version === 0
					? { added: 2, changed: 0, removed: 0, failed: 0 }
					: { added: 1, changed: 1, removed: 0, failed: 0 },
			);
			await lode.commander.collectGarbage();
			await lode.verified(report.source);
		}
	});

	test("a removed source leaves nothing but its events, and another stays as it was", async () => {
		const lode = await instance();
		const [gone, stays] = [await repository(), await repository()];
		await gone.commit({ files: { "a.ts": "export const one = 1;\n" } });
		await stays.commit({ files: { "b.ts": "export const two = 2;\n" } });
		const { source } = await lode.ingest(gone.path);
		const kept = await lode.ingest(stays.path);
		const before = await lode.verified(kept.source);
		await lode.commander.remove(source);
		expect((await lode.reader.sources()).map(({ id }) => id)).toEqual([kept.source]);
		expect((await lode.verified(kept.source)).stores).toEqual(before.stores);
		await expect(lode.reader.search({ text: "one", source, limit: 5 })).rejects.toMatchObject({
			code: "SOURCE_NOT_FOUND",
		});
		expect(await readdir(join(lode.home, "sources"))).toEqual([kept.source]);
		for (const [file, sql] of [
			[
				"graph.db",
				"SELECT count(DISTINCT origin.source) AS sources FROM state JOIN origin ON origin.id = state.origin",
			],
			["vectors.db", "SELECT count(DISTINCT source_id) AS sources FROM chunk"],
			["catalog.db", "SELECT count(DISTINCT source) AS sources FROM entry"],
			["catalog.db", "SELECT count(DISTINCT source) AS sources FROM ingestion"],
		] as const) {
			const database = new DatabaseSync(join(lode.home, file), { readOnly: true });
			const found = database.prepare(sql).get();
			database.close();
			expect({ sql, ...found }).toEqual({ sql, sources: 1 });
		}
		// It may come back, as if it had never been there.
		expect(await lode.ingest(gone.path)).toMatchObject({ outcome: "published", files: { added: 1 } });
		await lode.verified();
	});
});
