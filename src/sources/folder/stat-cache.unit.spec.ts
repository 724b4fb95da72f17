import type { BigIntStats } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { StatCache } from "./stat-cache.js";

describe("stat cache", () => {
	let folder: string;

	beforeEach(async () => {
		folder = await mkdtemp(path.join(tmpdir(), "lode-cache-"));
	});
	afterEach(() => rm(folder, { recursive: true, force: true }));

	const hour = 3_600_000_000_000n;
	const sha = "a".repeat(64);
	const now = (): bigint => BigInt(Date.now()) * 1_000_000n;
	const state = (mtimeNs: bigint, more: Partial<Record<"ctimeNs" | "size" | "ino", bigint>> = {}): BigIntStats =>
		({ size: 1n, mtimeNs, ctimeNs: mtimeNs, ino: 7n, ...more }) as BigIntStats;

	async function remember(entries: readonly (readonly [string, BigIntStats])[], complete = true): Promise<void> {
		const cache = await StatCache.open(folder);
		for (const [name, stat] of entries) await cache.remember(Buffer.from(name), stat, sha);
		await cache.close(complete);
	}

	async function lookup(entries: readonly (readonly [string, BigIntStats])[]): Promise<boolean[]> {
		const cache = await StatCache.open(folder);
		const found: boolean[] = [];
		for (const [name, stat] of entries) found.push((await cache.lookup(Buffer.from(name), stat)) === sha);
		await cache.close(false);
		return found;
	}

	it("knows a file as long as nothing of its state differs", async () => {
		const old = now() - hour;
		await remember([["a", state(old)]]);
		expect(await lookup([["a", state(old)]])).toEqual([true]);
		for (const other of [
			state(old + 1n),
			state(old, { ctimeNs: old + 1n }),
			state(old, { size: 2n }),
			state(old, { ino: 8n }),
		]) {
			expect(await lookup([["a", other]])).toEqual([false]);
		}
	});

	it("remembers no file so young that a change could hide behind the same times", async () => {
		const young = now() - 500_000_000n;
		const entries = [
			["changed", state(now() - hour, { ctimeNs: young })],
			["old", state(now() - hour)],
			["written", state(young, { ctimeNs: now() - hour })],
			["yet to come", state(now() + hour)],
		] as const;
		await remember(entries);
		expect(await lookup(entries)).toEqual([false, true, false, false]);
	});

	it("follows a scan past files that came and went", async () => {
		const old = now() - hour;
		await remember(["a", "b/c", "b0", "z"].map((name) => [name, state(old)] as const));
		const scan = ["A", "b.new", "b/c", "b1", "z"].map((name) => [name, state(old)] as const);
		expect(await lookup(scan)).toEqual([false, false, true, false, true]);
	});

	it("stays as it was when a scan fails, and leaves no files behind", async () => {
		const old = now() - hour;
		await remember([["a", state(old)]]);
		await remember([["b", state(old)]], false);
		expect(await lookup([["a", state(old)]])).toEqual([true]);
		expect(await readdir(folder)).toEqual(["stat-cache"]);
	});
});
