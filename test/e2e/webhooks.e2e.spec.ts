import { createHmac, randomUUID } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { SourceReport } from "../../src/services/reports.js";
import { ApiProcess } from "../support/api-process.js";
import { createRepository, type TestRepository } from "../support/git-repository.js";
import { DevProcess, lodeJson } from "../support/lode-process.js";
import { smallDisk } from "../support/small-disk.js";
import { until } from "../support/until.js";
import { type Delivery, deliveries, send } from "../support/webhook-sender.js";

const SECRET = "a-s3cret-of-the-test";
const SECRETS = Object.fromEntries(
	["LAKEFS", "GITHUB", "GITLAB", "GITEA", "GENERIC"].map((name) => [`LODE_WEBHOOK_SECRET_${name}`, SECRET]),
);

/** Real: the built gateway as a process, its ledger on the disk, `lode dev`, git. lakeFS: lakefs-webhooks. */
describe("webhooks", () => {
	let home: string;
	let repository: TestRepository;
	const closing: (() => Promise<unknown>)[] = [];
	beforeEach(async () => {
		home = await mkdtemp(join(tmpdir(), "lode-home-"));
		repository = await createRepository();
	});
	afterEach(async () => {
		for (const close of closing.splice(0).reverse()) await close();
		await repository.remove();
		await rm(home, { recursive: true, force: true });
	});

	async function gateway(extra: Record<string, string> = {}, at = home): Promise<ApiProcess> {
		const env = { ...SECRETS, LODE_WEBHOOK_RATE: "10000000", ...extra };
		const process = await ApiProcess.start(at, env, "gateway");
		closing.push(() => process.stop());
		return process;
	}

	async function dev(extra: Record<string, string> = {}): Promise<DevProcess> {
		const process = await DevProcess.start(home, extra);
		closing.push(() => process.stop());
		return process;
	}

	const commitOf = async (id: string, env: Record<string, string> = {}) => {
		const { sources } = await lodeJson<{ sources: SourceReport[] }>(home, ["sources", "--no-lag"], env);
		return sources.find((source) => source.id === id)?.commit;
	};

	const push = (delivery: string) => ({
		ref: "refs/heads/main",
		after: "1".repeat(40),
		cloneUrl: "https://git.example/a/b.git",
		delivery,
	});

	test("of every sender are taken when they are signed, and once", async () => {
		const { url, get } = await opened(gateway());
		const some = {
			github: deliveries.github(SECRET, push("d1")),
			gitea: deliveries.gitea(SECRET, push("d2")),
			gitlab: deliveries.gitlab(SECRET, push("d3")),
			lakefs: deliveries.lakefs(SECRET, { repository: "lake", branch: "main", commit: "1".repeat(64) }),
			generic: deliveries.generic(SECRET, { repository: "/srv/a", branch: "main", id: "msg_1" }),
		};
		for (const delivery of Object.values(some)) {
			const first = await send(url, delivery);
			expect(first).toMatchObject({ status: 200, body: { status: "accepted" } });
			expect(await send(url, delivery)).toMatchObject({
				status: 200,
				body: { status: "repeated", receipt: first.body.receipt },
			});
		}
		const tag = deliveries.github(SECRET, { ...push("d4"), ref: "refs/tags/v1" });
		expect((await send(url, tag)).body).toEqual({ status: "ignored" });
		const before = deliveries.lakefs(SECRET, {
			repository: "lake",
			branch: "main",
			commit: "",
			type: "pre-commit",
		});
		expect((await send(url, before)).body).toEqual({ status: "ignored" });
		const { ledger } = (await get("/health/webhook")).body;
		expect(ledger.waiting + ledger.parked).toBe(5);
	});

	test("that are wrong get the right answer, leave nothing and learn nothing", async () => {
		const { url, get } = await opened(gateway());
		const good = deliveries.github(SECRET, push("d1"));
		const generic = (more: object = {}) =>
			deliveries.generic(SECRET, { repository: "/srv/a", id: `msg_${randomUUID()}`, ...more });
		const old = generic({ at: new Date(Date.now() - 600_000) });
		const cases: [string, Parameters<typeof send>[1], number][] = [
			["another secret", deliveries.github("another", push("d1")), 401],
			["another token", deliveries.gitlab("another", push("d1")), 401],
			["another header", deliveries.lakefs("another", { repository: "lake", branch: "main", commit: "1" }), 401],
			["no signature", { ...good, headers: { "content-type": "application/json" } }, 401],
			["a body that was changed", { ...good, body: good.body.replace("main", "evil") }, 401],
			["an old timestamp", old, 401],
			["another id", { ...generic(), headers: { ...generic().headers, "webhook-id": "msg_other" } }, 401],
			["no such sender", { ...good, path: "/webhooks/nobody" }, 404],
			["no JSON", signed("{"), 400],
			["no repository", signed('{"ref":"refs/heads/main"}'), 400],
			["a form", { ...good, headers: { ...good.headers, "content-type": "application/x-www-form-urlencoded" } }, 415],
		];
		for (const [what, delivery, status] of cases) {
			const answer = await send(url, delivery);
			expect([what, answer.status]).toEqual([what, status]);
			expect(JSON.stringify(answer.body)).not.toMatch(/s3cret|node_modules|\.js:\d/);
		}
		expect(await announced(url, good, 6 * 1024 * 1024)).toBe(413);
		const { ledger } = (await get("/health/webhook")).body;
		expect(ledger).toMatchObject({ waiting: 0, parked: 0, bytes: 0 });

		function signed(body: string) {
			const { headers } = good;
			const signature = `sha256=${createHmac("sha256", SECRET).update(body).digest("hex")}`;
			return { ...good, body, headers: { ...headers, "x-hub-signature-256": signature } };
		}
	});

	test("have commits ingested, also those that came while Temporal and the worker were away", async () => {
		await repository.commit({ files: { "a.md": "# One\n" } });
		const { source } = await lodeJson<{ source: string }>(home, ["ingest", repository.path]);
		const hook = () =>
			deliveries.generic(SECRET, { repository: repository.path, branch: "main", id: `msg_${randomUUID()}` });

		const running = await gateway();
		const second = await repository.commit({ files: { "a.md": "# Two\n" } });
		for (let n = 0; n < 20; n += 1) expect((await send(running.url, hook())).status).toBe(200);
		const health = await until(
			async () => (await running.get("/health/webhook")).body,
			({ dispatch }) => dispatch.failing !== undefined,
		);
		expect(health).toMatchObject({ status: "ready", ledger: { waiting: 20 } });
		expect(health.dispatch.failing.problem).toContain("TEMPORAL_UNAVAILABLE");
		expect(await commitOf(source)).not.toBe(second);

		await dev();
		await until(
			() => commitOf(source),
			(commit) => commit === second,
		);
		const drained = await until(
			async () => (await running.get("/health/webhook")).body,
			({ ledger }) => ledger.waiting === 0,
		);
		expect(drained.dispatch).toEqual({});

		const third = await repository.commit({ files: { "a.md": "# Three\n" } });
		const fourth = await repository.commit({ files: { "a.md": "# Four\n" } });
		await send(running.url, hook());
		await until(
			() => commitOf(source),
			(commit) => commit === fourth,
		);
		const { ingestions } = await lodeJson<{ ingestions: { commit: string; status: string }[] }>(home, ["status"]);
		expect(ingestions.filter(({ status }) => status === "published").map(({ commit }) => commit)).toEqual(
			expect.arrayContaining([second, third, fourth]),
		);
		expect(ingestions).toHaveLength(4);
	}, 180_000);

	test("that never came cost time and no commit: sources are compared with their repositories", async () => {
		await repository.commit({ files: { "a.md": "# One\n" } });
		const { source } = await lodeJson<{ source: string }>(home, ["ingest", repository.path]);
		const second = await repository.commit({ files: { "a.md": "# Two\n" } });
		const third = await repository.commit({ files: { "a.md": "# Three\n" } });
		await dev({ LODE_RECONCILE_EVERY: "2" });
		await until(
			() => commitOf(source),
			(commit) => commit === third,
		);
		const fourth = await repository.commit({ files: { "a.md": "# Four\n" } });
		await until(
			() => commitOf(source),
			(commit) => commit === fourth,
		);
		const { ingestions } = await lodeJson<{ ingestions: { commit: string }[] }>(home, ["status"]);
		expect(ingestions.map(({ commit }) => commit).slice(0, 3)).toEqual([fourth, third, second]);
	}, 120_000);

	test("are taken by one gateway a home; one that was killed is none", async () => {
		const first = await gateway();
		await expect(gateway()).rejects.toThrow(/exit 2: CONFIG_INVALID: LODE_HOME: process \d+ has the gateway/);
		await first.kill();
		const second = await gateway();
		expect((await second.get("/health/webhook")).status).toBe(200);
	});

	test("that nobody follows are parked with the reason", async () => {
		await repository.commit({ files: { a: "1" } });
		await lodeJson(home, ["ingest", repository.path]);
		const running = await gateway();
		await send(running.url, deliveries.github(SECRET, push("d1")));
		const { ledger } = await until(
			async () => (await running.get("/health/webhook")).body,
			(body) => body.ledger.parked === 1,
		);
		expect(ledger.waiting).toBe(0);
	});

	test("that were answered with 200 are there after the gateway was killed, at any moment", async () => {
		for (const after of [40, 90, 160]) {
			const running = await gateway();
			const answered = new Map<string, string>();
			const sending = Array.from({ length: 400 }, async (_, n) => {
				const delivery = deliveries.github(SECRET, push(`k${after}-${n}`));
				const { status, body } = await send(running.url, delivery);
				if (status === 200) answered.set(`k${after}-${n}`, body.receipt ?? "");
				if (answered.size === after) await running.kill();
			});
			await Promise.allSettled(sending);
			expect(answered.size).toBeGreaterThanOrEqual(after);
			const again = await gateway();
			for (const [delivery, receipt] of answered) {
				const { body } = await send(again.url, deliveries.github(SECRET, push(delivery)));
				expect(body).toEqual({ status: "repeated", receipt });
			}
			await again.stop();
		}
	}, 120_000);

	test("are refused with 503 while the disk is full, and taken again after that", async (context) => {
		const disk = await smallDisk(256 * 1024);
		if (disk === undefined) return context.skip("No small file system can be mounted here.");
		closing.push(() => disk.remove());
		const running = await gateway({}, disk.path);
		const taken: string[] = [];
		let refused: Awaited<ReturnType<typeof send>> | undefined;
		for (let n = 0; refused === undefined; n += 1) {
			const answer = await send(running.url, deliveries.github(SECRET, push(`f${n}`)));
			if (answer.status === 200) taken.push(`f${n}`);
			else refused = answer;
		}
		expect(refused).toMatchObject({ status: 503, body: { code: "DISK_FULL" } });
		expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
		expect(taken.length).toBeGreaterThan(10);
		await running.kill();
		const again = await gateway({}, disk.path);
		for (const delivery of taken) {
			expect((await send(again.url, deliveries.github(SECRET, push(delivery)))).body.status).toBe("repeated");
		}
		expect(await readdir(join(disk.path, "ledger"))).toContain("0000000001.log");
	});

	/** Says how large its body is and waits for the answer: whoever sends all of it may be cut off before it reads. */
	function announced(url: string, { path, headers }: Delivery, bytes: number): Promise<number | undefined> {
		return new Promise((resolve, reject) => {
			const announcing = { ...headers, "content-length": String(bytes) };
			const request = http.request(`${url}${path}`, { method: "POST", headers: announcing }, (answer) => {
				resolve(answer.statusCode);
				request.destroy();
			});
			request.on("error", reject).flushHeaders();
		});
	}

	async function opened(starting: Promise<ApiProcess>) {
		const process = await starting;
		return { url: process.url, get: (path: string) => process.get(path) };
	}
});
