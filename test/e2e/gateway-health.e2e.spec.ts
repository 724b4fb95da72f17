import { execFile } from "node:child_process";
import { mkdir, mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { LedgerState } from "../../src/webhooks/ledger/ledger.js";
import { encodeRecord } from "../../src/webhooks/ledger/record.js";
import type { Receipt } from "../../src/webhooks/receipt.js";
import { freePorts } from "../servers/free-ports.js";
import { ApiProcess } from "../support/api-process.js";
import { until } from "../support/until.js";
import { deliveries, send } from "../support/webhook-sender.js";

const SECRET = "a-s3cret-of-the-test";

/** Real: the built gateway as a process and its ledger on the disk, of which one segment is a pipe that the test fills when it likes. */
describe.skipIf(process.platform === "win32")("a gateway that reads its ledger", () => {
	let home: string;
	beforeEach(async () => {
		home = await mkdtemp(join(tmpdir(), "lode-home-"));
	});
	afterEach(() => rm(home, { recursive: true, force: true }));

	const receipt = (n: number): Receipt => ({
		...{ id: `rcp-${n}`, sender: "github", key: `github:d${n}`, event: "push" },
		...{ repository: ["https://git.example/a/b.git"], branch: "main", receivedAt: new Date().toISOString() },
	});
	const delivery = (name: string) =>
		deliveries.github(SECRET, {
			...{ ref: "refs/heads/main", after: "1".repeat(40), cloneUrl: "https://git.example/a/b.git", delivery: name },
		});

	test("listens, says that it starts and takes nothing; then it knows what it took before", async () => {
		const ledger = join(home, "ledger");
		await mkdir(ledger);
		const held = join(ledger, "0000000001.log");
		await promisify(execFile)("mkfifo", [held]);
		const last = join(ledger, "0000000002.log");
		await writeFile(last, encodeRecord({ is: "receipt", receipt: receipt(2) }));
		const [port] = (await freePorts(1)) as [number];
		const url = `http://127.0.0.1:${port}`;
		const starting = ApiProcess.start(
			home,
			{ LODE_WEBHOOK_SECRET_GITHUB: SECRET, LODE_WEBHOOK_PORT: `${port}` },
			"gateway",
		);
		const get = async (path: string) => {
			const { status, headers, body } = await fetch(`${url}${path}`).then(async (answer) => ({
				...{ status: answer.status, headers: answer.headers, body: (await answer.json()) as { ledger?: LedgerState } },
			}));
			return { status, retry: headers.get("retry-after"), body };
		};
		let released = false;
		const release = async () => {
			if (released) return;
			released = true;
			const pipe = await open(held, "w");
			await pipe.writeFile(encodeRecord({ is: "receipt", receipt: receipt(1) }));
			await pipe.close();
		};
		try {
			const asked = await until(
				() => get("/health/webhook").catch(() => undefined),
				(answer) => answer !== undefined,
			);
			expect(asked).toEqual({ status: 503, retry: "5", body: { status: "starting", retry_after: 5 } });
			expect(await get("/health/ready")).toEqual(asked);
			expect(await get("/health/live")).toMatchObject({ status: 200 });
			for (const name of ["d1", "d2", "d3"]) {
				const answer = await send(url, delivery(name));
				expect(answer).toMatchObject({ status: 503, body: { code: "STORE_UNAVAILABLE" } });
				expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
			}
			const forged = await send(url, { ...delivery("d1"), body: "{}" });
			expect(forged.status).toBe(401);

			await release();
			await starting;
			expect(await get("/health/webhook")).toMatchObject({ status: 200, retry: null, body: { status: "ready" } });
			const { waiting = 0, parked = 0 } = (await get("/health/ready")).body.ledger ?? {};
			expect(waiting + parked).toBe(2);
			// What was refused meanwhile left nothing.
			const bodies = [];
			for (const name of ["d1", "d2", "d3"]) bodies.push((await send(url, delivery(name))).body);
			expect(bodies).toEqual([
				{ status: "repeated", receipt: "rcp-1" },
				{ status: "repeated", receipt: "rcp-2" },
				{ status: "accepted", receipt: "rcp-3" },
			]);
		} finally {
			await release();
			await (await starting).stop();
		}
	});
});
