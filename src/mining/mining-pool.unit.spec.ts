import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { MinedFile } from "../domain/mined-file.js";
import { PackedRecords } from "../domain/record-pack.js";
import type { MineInput } from "./mine-file.js";
import { mineFile } from "./mine-file.js";
import { packedStates } from "./mined-file-codec.js";
import { createMiningPool, type MiningPool, type MiningPoolOptions } from "./mining-pool.js";

/** Real threads throughout. Hostile files are played by an entry that hangs, dies or fills its memory on certain paths. */
const HOSTILE_ENTRY = `
import { setTimeout as sleep } from "node:timers/promises";
export default async function ({ type, inputs, plainly }) {
	if (type === "ping") return [];
	const parcels = [];
	for (const input of inputs) {
		if (!plainly || input.path.startsWith("always/")) {
			if (input.path.endsWith("hang")) for (;;) {}
			if (input.path.endsWith("sleep")) await sleep(1e9);
			if (input.path.endsWith("exit")) process.exit(1);
			if (input.path.endsWith("memory")) { const all = []; for (;;) all.push(new Array(1e5).fill(all.length)); }
		}
		const file = { path: input.path, size: input.bytes.byteLength, skips: plainly ? [plainly] : [], chunks: [] };
		const records = { count: 0, text: "[]", digests: new Uint8Array() };
		parcels.push({ json: JSON.stringify(file), bytes: new Uint8Array(), records });
	}
	return parcels;
}
`;
const settings = { chunkSize: 1200, overlap: 150 };
const input = (path: string, content = "# a\n"): MineInput => ({
	source: "s",
	path,
	bytes: Buffer.from(content),
	mode: "file",
});

describe("mining pool", () => {
	let folder: string;
	let pool: MiningPool | undefined;

	beforeEach(async () => {
		folder = await mkdtemp(join(tmpdir(), "lode-pool-"));
	});
	afterEach(async () => {
		await pool?.close();
		await rm(folder, { recursive: true, force: true });
	});

	async function hostilePool(options: Partial<MiningPoolOptions>): Promise<MiningPool> {
		const path = join(folder, "entry.mjs");
		await writeFile(path, HOSTILE_ENTRY);
		pool = createMiningPool({ threads: 2, entry: pathToFileURL(path), ...options });
		return pool;
	}

	it.each([0, 2])("gives with %i threads what mineFile gives, and leaves the bytes to the caller", async (threads) => {
		pool = createMiningPool({ threads });
		const inputs = Array.from({ length: 20 }, (_, n) => input(`docs/${n}.md`, `# Title ${n}\n\ntext\n`));
		const mined = await Promise.all(inputs.map((each) => pool?.mine(each, settings)));
		const direct = await Promise.all(inputs.map((each) => mineFile(each, settings)));
		expect(mined).toEqual(direct);
		for (const source of ["s", "another"]) {
			const packs = mined.map((file) => packedStates(file as MinedFile, source));
			expect(packs).toEqual(direct.map((file) => packedStates(file, source)));
			expect(new Set([...new PackedRecords(packs)].map((record) => record.source))).toEqual(new Set([source]));
		}
		expect(inputs[0]?.bytes.byteLength).toBe(16);
	});

	it.each([
		["hang", "timeout"],
		["sleep", "timeout"],
		["exit", "parse"],
		["memory", "parse"],
	])("lets a file that makes its thread %s fail alone", async (path, reason) => {
		const hostile = await hostilePool({
			timeLimitMs: path === "hang" || path === "sleep" ? 1_500 : 30_000,
			maxHeapMb: 64,
		});
		const paths = ["a", path, "b", "c", `always/${path}`, "d"];
		const mined = await Promise.all(paths.map((each) => hostile.mine(input(each), settings)));
		expect(mined.map((file) => [file.path, file.size, file.skips.map((skip) => skip.reason)])).toEqual(
			paths.map((each) => [each, 4, each.endsWith(path) ? [reason] : []]),
		);
	});

	it("keeps data files out of threads, because ending one within DuckDB would abort the process", async () => {
		const hostile = await hostilePool({ timeLimitMs: 1 });
		const rows = Array.from({ length: 20_000 }, (_, n) => `${n},name ${n}`).join("\n");
		const files = ["csv", "tsv", "jsonl", "ndjson", "parquet"].map((type) =>
			input(`seeds/hang.${type}`, `id,name\n${rows}`),
		);
		const mined = await Promise.all(files.map((file) => hostile.mine(file, settings)));
		expect(mined).toEqual(await Promise.all(files.map((file) => mineFile(file, settings))));
		expect(mined[0]?.states).toContainEqual(expect.objectContaining({ kind: "dataset" }));
	});

	it("stops with the signal's reason, also in the middle of a file, and goes on with others", async () => {
		const hostile = await hostilePool({});
		const controller = new AbortController();
		const stopped = hostile.mine(input("hang"), settings, controller.signal);
		const reason = new Error("stop");
		await hostile.mine(input("a"), settings);
		controller.abort(reason);
		await expect(stopped).rejects.toBe(reason);
		await expect(hostile.mine(input("b"), settings, controller.signal)).rejects.toBe(reason);
		expect(await hostile.mine(input("c"), settings)).toMatchObject({ path: "c" });
	});

	it("ends running and waiting files when it is closed", async () => {
		const hostile = await hostilePool({ threads: 1 });
		const results = Promise.allSettled(["hang", "a"].map((path) => hostile.mine(input(path), settings)));
		await hostile.close();
		for (const result of await results) expect(result).toMatchObject({ reason: { code: "CANCELLED" } });
	});

	it("says that threads cannot start instead of blaming the files, and tries again with the next ones", async () => {
		const entry = join(folder, "entry.mjs");
		const late = createMiningPool({ threads: 1, entry: pathToFileURL(entry) });
		pool = late;
		const paths = Array.from({ length: 20 }, (_, n) => `${n}`);
		const all = () => Promise.allSettled(paths.map((path) => late.mine(input(path), settings)));
		for (const result of await all()) expect(result).toMatchObject({ reason: { code: "INTERNAL" } });
		await writeFile(entry, HOSTILE_ENTRY);
		expect(await all()).toMatchObject(paths.map((path) => ({ value: { path, skips: [] } })));
	});
});
