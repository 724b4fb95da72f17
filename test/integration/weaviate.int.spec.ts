import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import weaviate, { type CollectionConfig, type WeaviateClient } from "weaviate-client";
import { Secret } from "../../src/config/secret.js";
import { EMPTY_TALLY, tallyOf } from "../../src/domain/digest.js";
import { errorCode } from "../../src/domain/errors.js";
import { type ChunkRecord, chunkRecordDigest } from "../../src/domain/mined-file.js";
import type { Snapshot } from "../../src/domain/snapshot.js";
import type { VectorStore } from "../../src/stores/vectors/vectors.port.js";
import { requireWeaviateVersion, type WeaviateOptions } from "../../src/stores/vectors/weaviate/weaviate-connection.js";
import {
	createWeaviateVectorStore,
	probeWeaviate,
} from "../../src/stores/vectors/weaviate/weaviate-vectors.adapter.js";
import type { ServerAddresses } from "../servers/server.js";
import { failure } from "../support/failure.js";
import { NUMBERED_MODEL as MODEL, numberedChunks } from "../support/numbered-chunks.js";
import { newInstallation } from "../support/server-profile.js";
import { hasServer, ownServer, useServer } from "../support/servers.js";

/** Real: Weaviate, one that is killed, one that wants a key and one that indexes later included. */
describe.runIf(hasServer("weaviate"))("vectors in Weaviate", () => {
	let shared: ServerAddresses["weaviate"];
	const closing: (() => unknown)[] = [];
	beforeAll(async () => {
		shared = await useServer("weaviate");
	});
	afterEach(async () => {
		for (const close of closing.splice(0).reverse()) await close();
	});
	const at = ({ url, grpcAddress, apiKey }: ServerAddresses["weaviate"]): WeaviateOptions => ({
		url,
		grpcAddress,
		...(apiKey !== undefined && { apiKey: new Secret(apiKey) }),
		installation: newInstallation(),
	});
	const open = (options: WeaviateOptions): VectorStore => {
		const store = createWeaviateVectorStore(options);
		closing.push(() => store.close());
		return store;
	};
	const own = async (options: Parameters<typeof ownServer>[1] = {}) => {
		const server = await ownServer("weaviate", options);
		closing.push(() => server.destroy());
		return server;
	};
	const clientOf = ({ url, grpcAddress }: WeaviateOptions): Promise<WeaviateClient> => {
		const { hostname, port } = new URL(url);
		return weaviate.connectToLocal({ host: hostname, port: Number(port), grpcPort: Number(grpcAddress.split(":")[1]) });
	};
	/** The one that the installation has. */
	const collectionOf = async (client: WeaviateClient, { installation }: WeaviateOptions): Promise<CollectionConfig> =>
		(await client.collections.listAll()).find(({ description }) =>
			description?.includes(installation),
		) as CollectionConfig;
	const snapshotOf = (seq: number): Snapshot => ({ number: seq, seq, excluding: [], publishedAt: "" });
	const records = (count: number) => numberedChunks("s", 3, count);
	const tally = (some: readonly ChunkRecord[]) => tallyOf(some.map(chunkRecordDigest));

	it("reads, retires and deletes more than one answer holds", async () => {
		const store = open(at(shared));
		// An answer holds 2,000.
		const some = records(2_400);
		await store.stage(1, some);
		expect(await store.staged(1, "s")).toEqual({ added: tally(some), retired: EMPTY_TALLY });
		await store.retire(2, "s", [...new Set(some.map(({ origin }) => origin))]);
		expect(await store.staged(2, "s")).toEqual({ added: EMPTY_TALLY, retired: tally(some) });
		await store.discard(2);
		expect(await store.tally(snapshotOf(2), "s")).toEqual(tally(some));
		await store.discard(1);
		expect(await store.tally(snapshotOf(2), "s")).toEqual(EMPTY_TALLY);
	});

	it("sends nothing of a write whose time is over", async () => {
		const store = open(at(shared));
		await store.stage(1, records(10));
		const over = { deadline: Date.now() - 1 };
		expect(await failure(store.stage(2, records(20), over))).toMatchObject({ code: "STORE_UNAVAILABLE" });
		expect(await failure(store.retire(2, "s", ["file:1"], over))).toMatchObject({ code: "STORE_UNAVAILABLE" });
		expect(await store.staged(2, "s")).toEqual({ added: EMPTY_TALLY, retired: EMPTY_TALLY });
	});

	it("waits, before it answers what is staged, until vectors that are indexed later can be found", async () => {
		const server = await own({ asyncIndexing: true });
		const store = open(at(server.addresses));
		const some = records(3_000);
		await store.stage(1, some);
		for (let attempt = 0; ; attempt++) {
			try {
				expect((await store.staged(1, "s")).added).toEqual(tally(some));
				break;
			} catch (error) {
				// What the activity does: it asks again.
				if (errorCode(error) !== "STORE_UNAVAILABLE" || attempt === 100) throw error;
			}
		}
		expect(await store.check()).toEqual([]);
		for (const record of [some[0], some[1_500], some[2_999]] as ChunkRecord[]) {
			const [hit] = await store.searchVector(MODEL, record.vector, { snapshot: snapshotOf(1) }, 1);
			expect(hit?.text).toBe(record.text);
		}
	});

	it("puts chunks with a rare word first, also among many that Weaviate has not written to its segments yet", async () => {
		const store = open(at(shared));
		const texts = Array.from({ length: 1_500 }, (_, n) => `test filler${n % 50}${n % 300 === 7 ? " rareword" : ""}`);
		const some = records(texts.length).map((record, n) => ({ ...record, text: texts[n] as string }));
		await store.stage(1, some);
		const hits = await store.searchText("test rareword", { snapshot: snapshotOf(1) }, 5);
		expect(hits.map(({ text }) => text.endsWith(" rareword"))).toEqual([true, true, true, true, true]);
	});

	it.each([
		["its content", { content: "[]" }],
		["its content, so that it is none", { content: "{" }],
		["the kind that it is filtered by", { kind: "model" }],
		["the seq that added it", { addedAt: 7 }],
		["the seq that retired it", { removedAt: 7 }],
		["what its source is filtered by", { sourceKey: "0" }],
		["the words that it is found by", { terms: "other" }],
	])("names the chunk of which %s was changed", async (_what, change) => {
		const options = at(shared);
		const store = open(options);
		await store.stage(1, records(3));
		expect(await store.check()).toEqual([]);
		const client = await clientOf(options);
		const collection = client.collections.use((await collectionOf(client, options)).name);
		const { objects } = await collection.query.fetchObjects({ limit: 1 });
		await collection.data.update({ id: objects[0]?.uuid as string, properties: change });
		await client.close();
		expect(await store.check()).toHaveLength(1);
	});

	it("asks nothing of a collection that does not answer yet, as Weaviate lists one before it can be asked", async () => {
		const options = at(shared);
		const store = open(options);
		const some = records(3);
		await store.stage(1, some);
		const first = await clientOf(options);
		const { name, description } = await collectionOf(first, options);
		const asItIsMade = JSON.stringify({ ...JSON.parse(description as string), answers: false });
		await first.collections.use(name).config.update({ description: asItIsMade });
		const other = open(options);
		const find = () => other.searchText("text number", { snapshot: snapshotOf(1) }, 5);
		expect(await find()).toEqual([]);
		// Whoever wanted to write died: the next one goes on.
		await other.stage(1, some);
		expect(await find()).toHaveLength(3);
		expect((await collectionOf(first, options)).description).toContain('"answers":true');
		await first.close();
	});

	it("is found again by the same store after it was killed, with what it acknowledged", async () => {
		const server = await own();
		const store = open(at(server.addresses));
		const some = records(60);
		await store.stage(1, some);
		await server.kill();
		expect(await failure(store.staged(1, "s"))).toMatchObject({ code: "STORE_UNAVAILABLE" });
		await server.start();
		for (let attempt = 0; attempt < 100; attempt++) {
			const found = await store.staged(1, "s").catch(() => undefined);
			if (found === undefined) continue;
			expect(found.added).toEqual(tally(some));
			return;
		}
		throw new Error("the store did not find the server again");
	});

	it("finds the nearest chunks the same whether it has read them or asks for their ids alone, also past a key and a restart", async () => {
		const server = await own({ apiKey: true });
		const store = open(at(server.addresses));
		const some = records(60);
		const asked = some[7] as ChunkRecord;
		await store.stage(1, some);
		// Long ago: the collections need not be listed anew.
		const snapshot = { ...snapshotOf(1), publishedAt: "2020-01-01T00:00:00.000Z" };
		const find = () => store.searchVector(MODEL, asked.vector, { snapshot }, 20);
		const read = await find();
		expect(read[0]).toMatchObject({ text: asked.text, score: expect.closeTo(1, 5) });
		expect(read).toHaveLength(20);
		expect(await find()).toEqual(read);
		await server.stop();
		expect(await failure(find())).toMatchObject({
			code: "STORE_UNAVAILABLE",
			message: expect.stringContaining("search the vectors"),
		});
		await server.start();
		await vi.waitFor(async () => expect(await find()).toEqual(read), { timeout: 20_000 });
		// What is staged later is among them, read like the others.
		await store.stage(2, [{ ...asked, path: "later", origin: "file:later", text: "later" }]);
		const [first, second] = await store.searchVector(MODEL, asked.vector, { snapshot: snapshotOf(2) }, 20);
		expect([first?.path, second?.path].sort()).toEqual([asked.path, "later"].sort());
	});

	it("says which setting to correct", async () => {
		const server = await own({ apiKey: true });
		const right = at(server.addresses);
		expect(await probeWeaviate(right)).toMatchObject({ version: "1.35.2", models: [] });
		const wrongKey = await failure(open({ ...right, apiKey: new Secret("a-wrong-key") }).stage(1, records(1)));
		expect(wrongKey).toMatchObject({
			code: "PERMISSION_DENIED",
			next: expect.stringContaining("LODE_WEAVIATE_API_KEY"),
		});
		expect(JSON.stringify(wrongKey)).not.toContain("a-wrong-key");
		expect(await failure(open({ ...right, apiKey: undefined }).stage(1, records(1)))).toMatchObject({
			code: "PERMISSION_DENIED",
			next: expect.stringContaining("LODE_WEAVIATE_API_KEY"),
		});
		expect(await failure(open({ ...right, url: "http://127.0.0.1:1" }).stage(1, records(1)))).toMatchObject({
			code: "STORE_UNAVAILABLE",
			next: expect.stringContaining("LODE_WEAVIATE_URL"),
		});
		expect(await failure(open({ ...right, grpcAddress: "127.0.0.1:1" }).stage(1, records(1)))).toMatchObject({
			code: "STORE_UNAVAILABLE",
			next: expect.stringContaining("LODE_WEAVIATE_GRPC_ADDRESS"),
		});
		expect(() => requireWeaviateVersion("1.27.3", "u")).toThrow(/Lode needs 1\.33/);
		for (const version of ["1.33.0", "v1.35.2", "2.0.0"]) requireWeaviateVersion(version, "u");
	});
});
