import { afterEach, describe, expect, it, vi } from "vitest";
import { tallyOf } from "../../src/domain/digest.js";
import { type ChunkRecord, chunkRecordDigest } from "../../src/domain/mined-file.js";
import type { Snapshot } from "../../src/domain/snapshot.js";
import type { VectorStore } from "../../src/stores/vectors/vectors.port.js";
import { VectorIndex } from "../../src/stores/vectors/weaviate/vector-index.js";
import { createWeaviateVectorStore } from "../../src/stores/vectors/weaviate/weaviate-vectors.adapter.js";
import type { ServerAddresses } from "../servers/server.js";
import { failure } from "../support/failure.js";
import { NUMBERED_MODEL as MODEL, numberedChunks } from "../support/numbered-chunks.js";
import { newInstallation } from "../support/server-profile.js";
import { hasServer, type OwnServer, ownServer } from "../support/servers.js";

const CHUNKS = 60;

/** Real: Weaviate, which is killed. */
describe.runIf(hasServer("weaviate"))("vectors in a Weaviate that is killed", () => {
	const closing: (() => unknown)[] = [];
	afterEach(async () => {
		vi.restoreAllMocks();
		for (const close of closing.splice(0).reverse()) await close();
	});
	const installation = newInstallation();
	const own = async () => {
		const server = await ownServer("weaviate", { asyncIndexing: false });
		closing.push(() => server.destroy());
		return server;
	};
	const open = ({ url, grpcAddress }: ServerAddresses["weaviate"]): VectorStore => {
		const store = createWeaviateVectorStore({ url, grpcAddress, installation });
		closing.push(() => store.close());
		return store;
	};
	const snapshotOf = (seq: number): Snapshot => ({ number: seq, seq, excluding: [], publishedAt: "" });
	const records = (seq: number, count = CHUNKS) => numberedChunks(`s${seq}`, seq, count);
	const tally = (some: readonly ChunkRecord[]) => tallyOf(some.map(chunkRecordDigest));
	/** How many of the seq's chunks a search of vectors finds. */
	const found = async (store: VectorStore, seq: number): Promise<number> => {
		const filter = { snapshot: snapshotOf(seq), sources: [`s${seq}`] };
		const [first] = records(seq, 1) as [ChunkRecord];
		return (await store.searchVector(MODEL, first.vector, filter, 1_000)).length;
	};
	/** With all collections loaded. */
	const startAgain = async (server: OwnServer<"weaviate">, store: VectorStore): Promise<void> => {
		await server.start();
		await vi.waitFor(() => store.highestSeq(), { timeout: 30_000, interval: 100 });
	};
	/** The closing write of the next `stage` is not sent: the server is killed before it. */
	const killedBeforeClosing = (server: OwnServer<"weaviate">) =>
		vi.spyOn(VectorIndex.prototype, "close").mockImplementationOnce(async () => {
			await server.kill();
			throw new Error("killed");
		});

	it("are all found once they were acknowledged, however few they are", async () => {
		const server = await own();
		const store = open(server.addresses);
		const counts = [CHUNKS, 1, 1_200];
		for (const [at, count] of counts.entries()) {
			await store.stage(at + 1, records(at + 1, count));
			await server.kill();
			await startAgain(server, store);
			expect(await found(store, at + 1)).toBe(Math.min(count, 1_000));
			expect((await store.staged(at + 1, `s${at + 1}`)).added).toEqual(tally(records(at + 1, count)));
		}
		expect(await store.check()).toEqual([]);
	});

	it("are all found where a collection has several shards", async () => {
		const server = await own();
		const first = open(server.addresses);
		await first.stage(1, records(1));
		const schema = `${server.addresses.url}/v1/schema`;
		const { classes } = (await (await fetch(schema)).json()) as {
			classes: { class: string; shardingConfig: object }[];
		};
		const made = classes[0] as (typeof classes)[number];
		await fetch(`${schema}/${made.class}`, { method: "DELETE" });
		const sharded = { ...made, shardingConfig: { ...made.shardingConfig, desiredCount: 3, actualCount: 3 } };
		const headers = { "content-type": "application/json" };
		const answer = await fetch(schema, { method: "POST", headers, body: JSON.stringify(sharded) });
		expect(await answer.json()).toMatchObject({ shardingConfig: { actualCount: 3 } });
		const store = open(server.addresses);
		await store.stage(1, records(1));
		await server.kill();
		await startAgain(server, store);
		expect(await found(store, 1)).toBe(CHUNKS);
	});

	it.each([
		["the ingestion, which is told to stage again", true],
		["somebody who knows of nothing", false],
	])(
		"are missed by verification and by check where they were lost, and are all there when %s has staged them",
		async (_who, again) => {
			const server = await own();
			const store = open(server.addresses);
			const some = records(1);
			await store.stage(2, records(2));
			killedBeforeClosing(server);
			await failure(store.stage(1, some));
			await startAgain(server, store);
			const left = await found(store, 1);
			expect(left).toBeLessThan(CHUNKS);
			expect((await store.tally(snapshotOf(1), "s1")).count).toBe(CHUNKS);
			expect((await store.staged(1, "s1")).added.count).toBe(left);
			const origins = [...new Set(some.map(({ origin }) => origin))];
			expect((await store.staged(1, "s1", origins)).added.count).toBe(left);
			const problems = await store.check();
			expect(problems).toHaveLength(CHUNKS - left);
			expect(problems[0]).toMatchObject({ source: "s1", problem: "its vector is not in the index" });
			await store.stage(1, some, { again });
			expect((await store.staged(1, "s1")).added).toEqual(tally(some));
			expect(await found(store, 1)).toBe(CHUNKS);
			expect(await found(store, 2)).toBe(CHUNKS);
			expect(await store.check()).toEqual([]);
			await server.kill();
			await startAgain(server, store);
			expect(await found(store, 1)).toBe(CHUNKS);
			expect(await store.check()).toEqual([]);
		},
	);

	it("are inserted anew where another process of the server took the closing write", async () => {
		const server = await own();
		const store = open(server.addresses);
		await store.stage(2, records(2));
		const { close } = VectorIndex.prototype;
		const closes = vi.spyOn(VectorIndex.prototype, "close");
		closes.mockImplementationOnce(async function (this: VectorIndex, ...asked) {
			await server.kill();
			await startAgain(server, store);
			expect(await found(store, 1)).toBeLessThan(CHUNKS);
			// As where something between the two answered 503 meanwhile, and the request was repeated.
			return (await close.apply(this, asked)) + 1;
		});
		await store.stage(1, records(1));
		expect(closes).toHaveBeenCalledTimes(2);
		expect(await found(store, 1)).toBe(CHUNKS);
	});
});
