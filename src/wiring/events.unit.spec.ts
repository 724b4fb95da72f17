import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { processIdentity } from "../runtime/process-identity.js";
import { auditLocal } from "../services/security/audit-local.js";
import { Ledger } from "../webhooks/ledger/ledger.js";
import { ledgerFolder } from "../webhooks/ledger/segment-files.js";
import { ReplayRequests } from "../webhooks/replay/replay-requests.js";
import { requestPaths, requestsFolder } from "../webhooks/replay/request-files.js";
import { openEvents } from "./events.js";

/** Real: the ledger on the disk and its owner, another process. Stand-in: what that process does, done here. */
describe("parked webhooks of a home", () => {
	let home: string;
	let folder: string;
	const closing: (() => Promise<unknown>)[] = [];
	beforeEach(async () => {
		home = await mkdtemp(join(tmpdir(), "lode-home-"));
		folder = ledgerFolder(home);
		const ledger = await openLedger();
		for (const key of ["a", "b"]) {
			const { receipt } = await ledger.accept({ sender: "generic", key, event: "moved", repository: ["/srv/a"] });
			await ledger.park(receipt, "no source");
		}
		await ledger.close();
	});
	afterEach(async () => {
		for (const close of closing.splice(0).reverse()) await close();
		await rm(home, { recursive: true, force: true });
	});

	const openLedger = () => Ledger.open({ folder, maxBytes: 1 << 30 });
	const lode = () => openEvents({ home, webhooks: { ledgerBytes: 1 << 30 } });

	/** Another process owns the ledger from now on. */
	async function owned(): Promise<ChildProcess> {
		const child = spawn(process.execPath, ["-e", "setInterval(() => undefined, 1_000)"]);
		await once(child, "spawn");
		closing.push(() => end(child));
		const identity = await processIdentity(child.pid as number);
		await writeFile(join(folder, "owner.json"), JSON.stringify({ pid: child.pid, identity }));
		return child;
	}

	async function end(child: ChildProcess): Promise<void> {
		if (child.exitCode !== null || child.signalCode !== null) return;
		const exited = once(child, "exit");
		child.kill("SIGKILL");
		await exited;
	}

	it("wait again without a gateway, and nobody owns the ledger after that", async () => {
		expect(await lode().replay({ ids: ["rcp-2"] })).toEqual({ replayed: ["rcp-2"], gateway: false });
		expect(await lode().parked({})).toMatchObject({ parked: [{ id: "rcp-1" }], waiting: 1 });
		expect(await readdir(folder)).toEqual(["0000000001.log"]);
		const again = await openLedger();
		expect(again.waiting().map(({ id }) => id)).toEqual(["rcp-2"]);
		await again.close();
	});

	it("wait again by the gateway that owns the ledger", async () => {
		await owned();
		const ledger = await openLedger();
		closing.push(() => ledger.close());
		const requests = new ReplayRequests(ledger, folder, () => undefined);
		closing.push(() => requests.stop());
		requests.start();
		expect(await lode().replay({ ids: [], all: true })).toEqual({ replayed: ["rcp-1", "rcp-2"], gateway: true });
		expect(ledger.waiting()).toHaveLength(2);
	});

	it("stay, with a clear message and the request, while the gateway takes no request", async () => {
		const { pid } = await owned();
		const bytes = (await lode().parked({})).bytes;
		const told: unknown[] = [];
		const audit = auditLocal(async (_principal, what) => void told.push(what));
		const asking = openEvents({ home, webhooks: { ledgerBytes: 1 << 30 } }, { waitMs: 300, audit });
		await expect(asking.replay({ ids: ["rcp-1"] })).rejects.toMatchObject({
			code: "TIMEOUT",
			message: `The gateway (process ${pid}) has not taken the request in 0.3 s`,
		});
		// It lies there, and will be taken.
		expect(told).toEqual([{ operation: "replay-events", outcome: "accepted" }]);
		expect(await requestPaths(folder)).toHaveLength(1);
		expect((await lode().parked({})).bytes).toBe(bytes);
	});

	it("stay where the gateway refuses the request", async () => {
		await owned();
		const replaying = lode().replay({ ids: ["rcp-1"] });
		const refused = expect(replaying).rejects.toMatchObject({
			code: "STORE_UNAVAILABLE",
			next: expect.stringContaining(join(requestsFolder(folder), "refused")),
		});
		const [path] = await vi.waitFor(async () => {
			const paths = await requestPaths(folder);
			expect(paths).toHaveLength(1);
			return paths as [string];
		});
		const aside = join(requestsFolder(folder), "refused");
		await mkdir(aside);
		await rename(path, path.replace(requestsFolder(folder), aside));
		await refused;
	});

	it("wait again without the gateway when it ends before it takes the request", async () => {
		const gateway = await owned();
		const replaying = lode().replay({ ids: ["rcp-1"] });
		await vi.waitFor(async () => expect(await requestPaths(folder)).toHaveLength(1));
		await end(gateway);
		expect(await replaying).toEqual({ replayed: ["rcp-1"], gateway: false });
		expect(await requestPaths(folder)).toEqual([]);
	});
});
