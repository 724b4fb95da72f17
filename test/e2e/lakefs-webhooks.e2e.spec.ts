import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { SourceReport, StatusReport } from "../../src/services/reports.js";
import { freePorts } from "../servers/free-ports.js";
import { ApiProcess } from "../support/api-process.js";
import { readDocument } from "../support/document-examples.js";
import { createLakefsRepository, type LakefsTestRepository } from "../support/lakefs-repository.js";
import { DevProcess, lodeJson } from "../support/lode-process.js";
import { hasServer, useServer } from "../support/servers.js";
import { until } from "../support/until.js";

const SECRET = "a-s3cret-of-the-test";

/** Real: lakeFS, which runs the action file that docs/lakefs.md shows; the built gateway; `lode dev`. */
describe.runIf(hasServer("lakefs"))("commits of lakeFS", () => {
	let home: string;
	let lake: LakefsTestRepository;
	let env: Record<string, string>;
	const closing: (() => Promise<unknown>)[] = [];
	beforeEach(async () => {
		home = await mkdtemp(join(tmpdir(), "lode-home-"));
		const server = await useServer("lakefs");
		lake = await createLakefsRepository(server);
		env = {
			LODE_LAKEFS_ENDPOINT: server.endpoint,
			LODE_LAKEFS_ACCESS_KEY_ID: server.accessKeyId,
			LODE_LAKEFS_SECRET_ACCESS_KEY: server.secretAccessKey,
			LODE_WEBHOOK_SECRET_LAKEFS: SECRET,
			// At start, and not again while the test runs: what comes later is known by webhooks only.
			LODE_RECONCILE_EVERY: "86400",
		};
	});
	afterEach(async () => {
		for (const close of closing.splice(0).reverse()) await close();
		await lake.remove();
		await rm(home, { recursive: true, force: true, maxRetries: 5 });
	});

	/** As a reader of the document would have it, with a port and a secret of this test. */
	async function actionFile(port: number): Promise<string> {
		const shown = /```yaml\n(name: lode\n.*?)```/s.exec(await readDocument("docs/lakefs.md"))?.[1];
		if (shown === undefined) throw new Error("docs/lakefs.md shows no action file");
		return shown.replace("127.0.0.1:8481", `127.0.0.1:${port}`).replace("THE_SECRET", SECRET);
	}

	async function commitOf(id: string): Promise<string | null | undefined> {
		const { sources } = await lodeJson<{ sources: SourceReport[] }>(home, ["sources", "--no-lag"], env);
		return sources.find((source) => source.id === id)?.commit;
	}

	const delivered = (commit: string) =>
		until(
			() => lake.actionsOf(commit),
			(runs) => runs.includes("completed") || runs.includes("failed"),
		);

	test("made while Lode is stopped, while it starts and while it runs are all ingested, in order", async () => {
		const [port] = (await freePorts(1)) as [number];
		const action = await actionFile(port);
		let rows = "id\n0\n";
		const made: string[] = [];
		const commit = async () => {
			rows += `${made.length + 1}\n`;
			made.push(await lake.commit({ files: [["a.csv", rows]] }));
			return made.at(-1) as string;
		};
		await lake.commit({ files: [["_lakefs_actions/lode.yaml", action]] });
		made.push(await lake.commit({ files: [["a.csv", rows]] }));
		const { source } = await lodeJson<{ source: string }>(home, ["ingest", lake.target], env);
		expect(await commitOf(source)).toBe(made[0]);

		// Stopped: lakeFS tells nobody, and does not try again.
		for (let n = 0; n < 3; n += 1) expect(await delivered(await commit())).toEqual(["failed"]);

		// While both start, at whatever moment: some of these are heard of and some are not.
		let started = false;
		const starting = Promise.all([
			ApiProcess.start(home, { ...env, LODE_WEBHOOK_PORT: String(port) }, "gateway"),
			DevProcess.start(home, env),
		]).finally(() => {
			started = true;
		});
		// `lode status` lists twenty ingestions.
		for (let n = 0; n < 10 && !started; n += 1) {
			await commit();
			await sleep(400);
		}
		for (const process of await starting) closing.push(() => process.stop());
		await until(
			() => commitOf(source),
			(published) => published === made.at(-1),
		);

		// Running.
		for (let n = 0; n < 2; n += 1) expect(await delivered(await commit())).toEqual(["completed"]);
		await lake.branch("work");
		made.push(await lake.commit({ branch: "work", files: [["b.csv", "id\n1\n"]] }));
		made.push(await lake.merge("work"));
		await until(
			() => commitOf(source),
			(published) => published === made.at(-1),
		);
		expect(await published(source)).toEqual(made);
	}, 240_000);

	/** The commits that were published, in the order of their snapshots. */
	async function published(source: string): Promise<string[]> {
		const { ingestions } = await lodeJson<StatusReport>(home, ["status"], env);
		return ingestions
			.filter((one) => one.source === source && one.status === "published")
			.sort((a, b) => (a.snapshot ?? 0) - (b.snapshot ?? 0))
			.map(({ commit }) => commit);
	}
});
