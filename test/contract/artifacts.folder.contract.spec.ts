import { readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sha256 } from "../../src/domain/digest.js";
import type { ArtifactStore } from "../../src/stores/artifacts/artifacts.port.js";
import {
	type ArchiveFiles,
	createArchiveFiles,
	createFolderArtifactStore,
} from "../../src/stores/artifacts/folder/folder-artifacts.adapter.js";
import { packDerived, packObjects, unpackObjects } from "../../src/stores/artifacts/folder/packed-files.js";
import { withFiles } from "../../src/stores/artifacts/folder/threaded-files.js";
import { calledStore } from "../support/calls-in-process.js";
import { storeInFolder } from "../support/store-in-folder.js";
import { artifactStoreContract } from "./artifacts.contract.js";

/** The calls for each file go as to a thread. */
function called(path: string): ArtifactStore {
	const packing = { put: packObjects, putDerived: packDerived };
	const files = calledStore<ArchiveFiles>(createArchiveFiles({ path }), {}, packing, { put: unpackObjects });
	return withFiles(createFolderArtifactStore({ path }), files);
}

const contract = (name: string, open: (path: string) => ArtifactStore) =>
	artifactStoreContract(name, {
		create: () => storeInFolder(open),
		tick: async () => {
			await pause(30);
			const time = new Date().toISOString();
			await pause(30);
			return time;
		},
	});
contract("folder artifacts", (path) => createFolderArtifactStore({ path }));
contract("folder artifacts by calls", called);

describe("folder artifacts on disk", () => {
	let path: string;
	let store: ArtifactStore;
	const bytes = (text: string) => new TextEncoder().encode(text);
	const place = (address: string) => join(path, "objects", address.slice(0, 2), address.slice(2));
	const age = (file: string) => utimesSync(file, new Date("2001-01-01"), new Date("2001-01-01"));
	const AFTERWARDS = "2002-01-01T00:00:00.000Z";

	beforeEach(async () => {
		path = await mkdtemp(join(tmpdir(), "lode-artifacts-"));
		store = createFolderArtifactStore({ path });
	});
	afterEach(async () => {
		await store.close();
		await rm(path, { recursive: true, force: true });
	});

	it("writes a cut-off object again", async () => {
		const [address] = (await store.put([bytes("whole content")])) as [string];
		writeFileSync(place(address), "whole");
		await store.put([bytes("whole content")]);
		expect(readFileSync(place(address), "utf8")).toBe("whole content");
		writeFileSync(place(address), "");
		expect(await store.missing([address])).toEqual([address]);
	});

	it("names an object of which a byte was changed", async () => {
		const [address] = (await store.put([bytes("content")])) as [string];
		writeFileSync(place(address), "Content");
		await expect(store.get(address)).rejects.toMatchObject({
			code: "STORE_CORRUPT",
			message: expect.stringContaining(address),
		});
		const content = await store.getStream(address);
		const read = async () => {
			for await (const piece of content?.pieces ?? []) throw new Error(`gave ${piece.length} bytes`);
		};
		await expect(read()).rejects.toMatchObject({ code: "STORE_CORRUPT" });
		rmSync(place(address));
		expect(await store.get(address)).toBeUndefined();
	});

	it("does not write what is there", async () => {
		const [address] = (await store.put([bytes("content")])) as [string];
		age(place(address));
		const { ino } = statSync(place(address));
		await store.put([bytes("content")]);
		expect(statSync(place(address)).ino).toBe(ino);
		expect(statSync(place(address)).mtimeMs).toBeGreaterThan(Date.parse(AFTERWARDS));
	});

	it("takes no address that leads out of its folder", async () => {
		for (const address of ["../../etc/passwd", "", "ab", sha256("x").toUpperCase(), `${sha256("x")}/..`])
			await expect(store.get(address)).rejects.toMatchObject({ code: "INTERNAL" });
	});

	it("counts a damaged derived object as absent", async () => {
		await store.putDerived("a/b", bytes("content"));
		const file = join(path, "derived", "a", "b~");
		const whole = readFileSync(file);
		for (const damaged of [
			whole.subarray(0, -1),
			whole.subarray(0, 10),
			Buffer.alloc(0),
			Buffer.concat([whole, bytes("x")]),
		]) {
			writeFileSync(file, damaged);
			expect(await store.getDerived("a/b")).toBeUndefined();
		}
		await store.putDerived("a/b", bytes("content"));
		expect(await store.getDerived("a/b")).toEqual(Buffer.from("content"));
	});

	it("names a record that is damaged, and leaves it as it is", async () => {
		await store.putRecord("a/b", bytes("content"));
		const file = join(path, "records", "a", "b~");
		const whole = readFileSync(file);
		for (const damaged of [whole.subarray(0, -1), whole.subarray(0, 10), Buffer.alloc(0)]) {
			writeFileSync(file, damaged);
			await store.putRecord("a/b", bytes("content"));
			await expect(store.getRecord("a/b")).rejects.toMatchObject({
				code: "STORE_CORRUPT",
				message: expect.stringContaining("a/b"),
			});
		}
	});

	it("lists no file that is no record", async () => {
		await store.putRecord("a/b", bytes("content"));
		writeFileSync(join(path, "records", "a", ".DS_Store"), "x");
		expect(await store.recordKeys("a/")).toEqual(["a/b"]);
	});

	it("leaves no temporary file behind, and collects those of killed processes", async () => {
		await store.put([bytes("a"), bytes("b")]);
		await store.putDerived("d", bytes("d"));
		for (const content of ["first", "second"]) await store.putRecord("r", bytes(content));
		async function* broken() {
			yield bytes("half");
			throw new Error("stop");
		}
		await expect(store.putStream(broken())).rejects.toThrow("stop");
		expect(readdirSync(join(path, "tmp"))).toEqual([]);
		const [old, young] = ["old", "young"].map((name) => join(path, "tmp", name)) as [string, string];
		writeFileSync(old, "x");
		writeFileSync(young, "x");
		age(old);
		await store.collectObjects(() => true, AFTERWARDS);
		expect(readdirSync(join(path, "tmp"))).toEqual(["young"]);
	});

	it("names a folder that it may not write", {
		skip: process.platform === "win32" || process.getuid?.() === 0,
	}, async () => {
		const { chmodSync } = await import("node:fs");
		await store.put([bytes("a")]);
		chmodSync(join(path, "tmp"), 0o500);
		await expect(store.put([bytes("b")])).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
		chmodSync(join(path, "tmp"), 0o700);
	});

	it("reads an object that collection holds just now, and puts back one that was renewed meanwhile", async () => {
		const [address, stale] = (await store.put([bytes("renewed"), bytes("stale")])) as [string, string];
		await store.collectObjects(() => true, AFTERWARDS);
		// A collection was killed after it had moved both; one had been renewed before the move.
		for (const one of [address, stale]) await rename(place(one), join(path, "trash", one));
		age(join(path, "trash", stale));
		expect(await store.get(address)).toEqual(Buffer.from("renewed"));
		await store.collectObjects(() => false, AFTERWARDS);
		expect(readFileSync(place(address), "utf8")).toBe("renewed");
		expect(await store.get(stale)).toBeUndefined();
		expect(readdirSync(join(path, "trash"))).toEqual([]);
	});

	it("names a root that was changed behind its back", async () => {
		await store.stageRoot(1, { source: "s", commit: "c", object: sha256("o") });
		const raw = new DatabaseSync(join(path, "roots.db"));
		raw.exec("UPDATE root SET commit_id = 'd'");
		raw.close();
		await expect(store.stagedRoot(1)).rejects.toMatchObject({
			code: "STORE_CORRUPT",
			message: expect.stringContaining("s"),
		});
		await expect(store.root({ number: 1, seq: 1, excluding: [], publishedAt: AFTERWARDS }, "s")).rejects.toMatchObject({
			code: "STORE_CORRUPT",
		});
	});
});
