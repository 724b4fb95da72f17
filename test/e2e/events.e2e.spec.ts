import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ParkedReport, ReplayReport } from "../../src/services/events/create-events.js";
import type { EventEnvelope } from "../../src/services/events/envelope.js";
import { ApiProcess } from "../support/api-process.js";
import { createRepository, type TestRepository } from "../support/git-repository.js";
import { DevProcess, lode, lodeJson } from "../support/lode-process.js";
import { until } from "../support/until.js";
import { deliveries, send } from "../support/webhook-sender.js";

const SECRET = "a-s3cret-of-the-test";

/** Real: the built gateway and CLI as processes, the ledger on the disk, `lode dev`, git. */
describe("parked webhooks", () => {
	let home: string;
	let repository: TestRepository;
	const closing: (() => Promise<unknown>)[] = [];
	beforeEach(async () => {
		home = await mkdtemp(join(tmpdir(), "lode-home-"));
		repository = await createRepository();
		await repository.commit({ files: { "a.md": "# One\n" } });
	});
	afterEach(async () => {
		for (const close of closing.splice(0).reverse()) await close();
		await repository.remove();
		await rm(home, { recursive: true, force: true });
	});

	async function gateway(): Promise<ApiProcess> {
		const process = await ApiProcess.start(home, { LODE_WEBHOOK_SECRET_GENERIC: SECRET }, "gateway");
		closing.push(() => process.stop());
		return process;
	}

	const parked = (...args: string[]) => lodeJson<ParkedReport>(home, ["events", "parked", ...args]);
	const replay = (...args: string[]) => lodeJson<ReplayReport>(home, ["events", "replay", ...args]);

	/** Webhooks of repositories that nobody follows, parked. */
	async function park({ url }: ApiProcess, repositories: readonly string[]): Promise<void> {
		const before = (await parked()).parked.length;
		for (const [n, address] of repositories.entries()) {
			const delivery = { repository: address, branch: "main", id: `msg_${n}_${address}` };
			expect((await send(url, deliveries.generic(SECRET, delivery))).status).toBe(200);
		}
		await until(parked, (found) => found.parked.length === before + repositories.length);
	}

	test("are listed, and dispatched by the running gateway once their source is there", async () => {
		const running = await gateway();
		await park(running, [repository.path, "https://git.example/a/b.git"]);
		const { parked: found } = await parked();
		expect(found).toMatchObject([
			{ id: "rcp-1", sender: "generic", repository: [repository.path], branch: "main" },
			{ id: "rcp-2", reason: "no source follows https://git.example/a/b.git at main" },
		]);
		expect((await lode(home, ["events", "parked"])).stdout).toContain("https://git.example/a/b.git");
		expect((await parked("--since", new Date(Date.now() + 60_000).toISOString())).parked).toEqual([]);

		const dev = await DevProcess.start(home);
		closing.push(() => dev.stop());
		const { source } = await lodeJson<{ source: string }>(home, ["ingest", repository.path]);
		const second = await repository.commit({ files: { "a.md": "# Two\n" } });
		expect(await replay("--repository", repository.path)).toEqual({ replayed: ["rcp-1"], gateway: true });
		await until(
			() => lodeJson<{ sources: { id: string; commit: string }[] }>(home, ["sources", "--no-lag"]),
			({ sources }) => sources.find(({ id }) => id === source)?.commit === second,
		);
		const { ledger } = (await running.get("/health/webhook")).body;
		expect(ledger).toMatchObject({ waiting: 0, parked: 1 });
		expect(await readdir(join(home, "ledger", "requests"))).toEqual([]);
		const { events } = await lodeJson<{ events: EventEnvelope[] }>(home, ["events", "list", "--type", "AuditRecorded"]);
		expect(events.at(-1)?.data).toMatchObject({ operation: "replay-events", outcome: "done", about: "rcp-1" });
	}, 120_000);

	test("wait again without a gateway, which finds them when it starts", async () => {
		const first = await gateway();
		await park(first, ["/srv/a", "/srv/b"]);
		await first.stop();
		expect(await replay("rcp-2")).toEqual({ replayed: ["rcp-2"], gateway: false });
		expect(await parked()).toMatchObject({ parked: [{ id: "rcp-1" }], waiting: 1 });
		const again = await gateway();
		expect(again.stderr).toContain("1 receipts wait from before");
		// Nobody follows it still.
		expect((await until(parked, ({ waiting }) => waiting === 0)).parked.map(({ id }) => id)).toEqual([
			"rcp-1",
			"rcp-2",
		]);
	}, 60_000);

	test("stay parked where the request is wrong, and garbage among the requests harms nobody", async () => {
		const running = await gateway();
		await park(running, ["/srv/a"]);
		const failing = async (...args: string[]) => {
			const { code, stderr } = await lode(home, ["events", "replay", ...args, "--json"]);
			return [code, (JSON.parse(stderr) as { error: { code: string } }).error.code];
		};
		expect(await failing()).toEqual([2, "USAGE"]);
		expect(await failing("rcp-1", "--all")).toEqual([2, "USAGE"]);
		expect(await failing("--since", "yesterday")).toEqual([2, "USAGE"]);
		expect(await failing("rcp-9")).toEqual([3, "RECEIPT_NOT_FOUND"]);
		const requests = join(home, "ledger", "requests");
		await writeFile(join(requests, "garbage.json"), '{"ids": [');
		await until(
			() => readdir(requests),
			(names) => names.join() === "refused",
		);
		expect(await replay("--all")).toEqual({ replayed: ["rcp-1"], gateway: true });
		expect(running.stderr).toContain("is set aside");
	}, 60_000);
});
