import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { EventEnvelope } from "../../src/services/events/envelope.js";
import type { IngestReport, RebuildReport, VerifyReport } from "../../src/services/reports.js";
import { createRepository, type TestRepository } from "../support/git-repository.js";
import { DevProcess, lode, lodeJson } from "../support/lode-process.js";
import { until } from "../support/until.js";

/** Real: the built CLI as processes, `lode dev` with its schedules, the home on the disk, git. */
describe("a home that lost its databases", () => {
	let home: string;
	let repository: TestRepository;
	beforeEach(async () => {
		home = await mkdtemp(join(tmpdir(), "lode-home-"));
		repository = await createRepository();
	});
	afterEach(async () => {
		await repository.remove();
		await rm(home, { recursive: true, force: true });
	});

	const events = async (...args: string[]) =>
		(await lodeJson<{ events: EventEnvelope[] }>(home, ["events", "list", ...args])).events;

	test("is made again from its archive, and goes on", async () => {
		await repository.commit({ files: { "a.md": "# One\n\nalpha\n" } });
		const dev = await DevProcess.start(home, { LODE_ARCHIVE_EVERY: "1" });
		let before: VerifyReport;
		let happened: EventEnvelope[];
		try {
			await lodeJson<IngestReport>(home, ["ingest", repository.path]);
			await repository.commit({ files: { "a.md": "# Two\n\nbeta\n" } });
			await lodeJson<IngestReport>(home, ["ingest", repository.path]);
			before = await lodeJson<VerifyReport>(home, ["verify"]);
			happened = await events();
			const last = String(happened.at(-1)?.sequence_number).padStart(12, "0");
			await until(
				() => readdir(join(home, "artifacts", "records", "events")).catch(() => [] as string[]),
				(segments) => segments.some((name) => name.startsWith(last)),
			);
			expect((await lode(home, ["rebuild", "--replace"])).stderr).toContain("SOURCE_BUSY");
		} finally {
			await dev.stop();
		}
		const types = happened.map(({ event_type }) => event_type);
		expect(types.filter((type) => type !== "AuditRecorded")).toEqual([
			"ConfigurationChanged",
			"SourceAdded",
			"GroupChanged",
			"IngestionStarted",
			"IngestionPublished",
			"IngestionStarted",
			"IngestionPublished",
		]);
		const first = happened.find(({ event_type }) => event_type === "IngestionPublished");
		const later = await events("--type", "IngestionPublished", "--after", String(first?.sequence_number));
		expect(later.map((one) => one.stream_id)).toEqual(["ingestion-ing-2"]);

		for (const name of await readdir(home))
			if (/^(catalog|graph|vectors|embeddings|temporal)\.db/.test(name)) await rm(join(home, name));
		const refused = await lode(home, ["ingest", repository.path]);
		expect(refused.code).not.toBe(0);
		expect(refused.stderr).toContain("lode rebuild");

		const rebuilt = await lodeJson<RebuildReport>(home, ["rebuild"]);
		expect(rebuilt).toMatchObject({ ok: true, sources: 1, restaged: ["graph", "vectors"], problems: [] });
		expect((await lodeJson<VerifyReport>(home, ["verify"])).stores).toEqual(before.stores);
		expect((await events("--limit", "100")).slice(0, happened.length)).toEqual(happened);
		expect((await lode(home, ["rebuild"])).stderr).toContain("--replace");

		await repository.commit({ files: { "a.md": "# Three\n\ngamma\n" } });
		const next = await lodeJson<IngestReport>(home, ["ingest", repository.path]);
		expect(next).toMatchObject({ outcome: "published", files: { changed: 1 } });
		expect((await lodeJson<VerifyReport>(home, ["verify"])).ok).toBe(true);
	});
});
