import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LodeError } from "../../domain/errors.js";
import { Ledger } from "../ledger/ledger.js";
import { ReplayRequests } from "./replay-requests.js";
import { requestsFolder, writeRequest } from "./request-files.js";

/** Real: the file system and the ledger. */
describe("requests to replay", () => {
	let folder: string;
	let ledger: Ledger;
	let requests: ReplayRequests;
	let lines: Readonly<Record<string, unknown>>[];
	beforeEach(async () => {
		folder = await mkdtemp(join(tmpdir(), "lode-ledger-"));
		ledger = await Ledger.open({ folder, maxBytes: 1 << 30 });
		for (const key of ["a", "b", "c"]) {
			const repository = ["/srv/a"];
			const { receipt } = await ledger.accept({ sender: "generic", key, event: "moved", repository });
			if (key !== "c") await ledger.park(receipt, "no source");
		}
		lines = [];
		requests = new ReplayRequests(ledger, folder, (line) => lines.push(line));
	});
	afterEach(async () => {
		await requests.stop();
		await ledger.close();
		await rm(folder, { recursive: true, force: true });
	});

	const until = (check: () => unknown) => vi.waitFor(check, { timeout: 5_000, interval: 20 });
	const waiting = () => ledger.waiting().map(({ id }) => id);

	it("are taken, those of before the start too, and are gone then", async () => {
		const early = await writeRequest(folder, ["rcp-1"]);
		expect(await early.outcome()).toBe("pending");
		requests.start();
		await until(async () => expect(await early.outcome()).toBe("taken"));
		expect(waiting()).toEqual(["rcp-3", "rcp-1"]);
		// One waits, one is not known: nothing happens to them.
		const late = await writeRequest(folder, ["rcp-1", "rcp-2", "rcp-3", "rcp-99"]);
		await until(async () => expect(await late.outcome()).toBe("taken"));
		expect(waiting()).toEqual(["rcp-3", "rcp-1", "rcp-2"]);
		expect(ledger.parked()).toEqual([]);
		expect(await readdir(requestsFolder(folder))).toEqual([]);
		expect(lines.map(({ message }) => message)).toEqual(Array(2).fill("1 parked receipts wait again, as asked for"));
	});

	it("that are none are set aside with a line in the log, and hold up nobody", async () => {
		const at = requestsFolder(folder);
		await mkdir(join(at, "a-folder.json"), { recursive: true });
		if (process.platform !== "win32") await promisify(execFile)("mkfifo", [join(at, "a-pipe.json")]);
		const garbage = {
			"empty.json": "",
			"half.json": '{"ids": ["rcp-1"',
			"null.json": "null",
			"number.json": "7",
			"other.json": '{"ids": {"0": "rcp-1"}}',
			"ids.json": '{"ids": ["rcp-1", "../../x"]}',
			"bytes.json": Buffer.from([0xff, 0xfe, 0x00]),
		};
		for (const [name, content] of Object.entries(garbage)) await writeFile(join(at, name), content);
		await writeFile(join(at, "half-written.json.part"), '{"ids": ["rcp-1"]}');
		const good = await writeRequest(folder, ["rcp-2"]);
		requests.start();
		await until(async () => expect(await good.outcome()).toBe("taken"));
		await until(async () => expect(await readdir(at)).toEqual(["half-written.json.part", "refused"]));
		expect(waiting()).toEqual(["rcp-3", "rcp-2"]);
		const refused = await readdir(join(at, "refused"));
		expect(refused).toEqual(expect.arrayContaining([...Object.keys(garbage), "a-folder.json"]));
		expect(lines.filter(({ level }) => level === "warn")).toHaveLength(refused.length);
	});

	it("that the disk refuses stay, and are taken when it does not", async () => {
		let full = true;
		requests = new ReplayRequests(
			{
				parked: () => ledger.parked(),
				replay: async (receipts) => {
					if (full) throw new LodeError("DISK_FULL", "The ledger of webhooks cannot be written");
					return ledger.replay(receipts);
				},
			},
			folder,
			(line) => lines.push(line),
		);
		const request = await writeRequest(folder, ["rcp-1"]);
		requests.start();
		await until(() => expect(lines).toHaveLength(1));
		await new Promise((resolve) => setTimeout(resolve, 1_200));
		expect(await request.outcome()).toBe("pending");
		expect(lines).toMatchObject([{ level: "warn", problem: "The ledger of webhooks cannot be written" }]);
		full = false;
		await until(async () => expect(await request.outcome()).toBe("taken"));
		expect(waiting()).toEqual(["rcp-3", "rcp-1"]);
	});
});
