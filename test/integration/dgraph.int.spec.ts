import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { EMPTY_TALLY, tallyOf } from "../../src/domain/digest.js";
import { type GraphRecord, graphRecordDigest } from "../../src/domain/entities.js";
import { errorCode } from "../../src/domain/errors.js";
import type { Snapshot } from "../../src/domain/snapshot.js";
import { DgraphConnection, type DgraphOptions } from "../../src/stores/graph/dgraph/dgraph-client.js";
import { createDgraphGraphStore } from "../../src/stores/graph/dgraph/dgraph-graph.adapter.js";
import { probeDgraph, requireDgraphVersion } from "../../src/stores/graph/dgraph/dgraph-schema.js";
import type { GraphStore } from "../../src/stores/graph/graph.port.js";
import { failure } from "../support/failure.js";
import { newInstallation } from "../support/server-profile.js";
import { hasServer, ownServer, useServer } from "../support/servers.js";

/** Real: Dgraph, one that is killed included. */
describe.runIf(hasServer("dgraph"))("the graph in Dgraph", () => {
	let address: string;
	const closing: (() => unknown)[] = [];
	beforeAll(async () => {
		({ address } = await useServer("dgraph"));
	});
	afterEach(async () => {
		for (const close of closing.splice(0).reverse()) await close();
	});
	const fresh = (): DgraphOptions => ({ address, installation: newInstallation() });
	const open = (options: DgraphOptions): GraphStore => {
		const store = createDgraphGraphStore(options);
		closing.push(() => store.close());
		return store;
	};
	const connect = (options: DgraphOptions): DgraphConnection => {
		const connection = new DgraphConnection(options);
		closing.push(() => connection.close());
		return connection;
	};
	const record = (file: number, item: number, version = 1): GraphRecord => ({
		source: "s",
		origin: `file:${file}`,
		key: `symbol:s:${file}#${item}`,
		kind: "symbol",
		name: `n${item}`,
		props: { version },
		// Names that many share: what concurrent writes create and refer to at once.
		edges: [1, 2, 3].map((n) => ({ kind: "CALLS", to: `name:s:symbol:ts:f${(item * n) % 17}` })),
		provides: [{ name: `name:s:symbol:ts:n${item}`, rank: 0 }],
	});
	const records = (file: number, version = 1) => Array.from({ length: 40 }, (_, item) => record(file, item, version));
	const snapshotOf = (seq: number): Snapshot => ({ number: seq, seq, excluding: [], publishedAt: "" });

	it("takes batches from several processes at once, that create the same names", async () => {
		const options = fresh();
		const stores = [open(options), open(options), open(options)];
		const files = Array.from({ length: 12 }, (_, file) => records(file));
		await Promise.all(files.map((batch, index) => (stores[index % 3] as GraphStore).stage(1, batch)));
		const [one] = stores as [GraphStore];
		expect(await one.staged(1, "s")).toEqual({
			added: tallyOf(files.flat().map(graphRecordDigest)),
			retired: EMPTY_TALLY,
		});
		expect(await one.check()).toEqual([]);
	});

	it("keeps nothing of a seq that is discarded while others still write for it, nor loses what another refers to", async () => {
		const options = fresh();
		const [one, other] = [open(options), open(options)];
		await one.stage(1, records(0));
		for (let seq = 2; seq < 8; seq++) {
			const writes = [one, other].map((store, index) =>
				store.stage(seq, records(index + 1)).catch((error: unknown) => expect(errorCode(error)).toBe("SEQ_CLOSED")),
			);
			const retired = one
				.retire(seq, "s", ["file:0"])
				.catch((error: unknown) => expect(errorCode(error)).toBe("SEQ_CLOSED"));
			await other.discard(seq);
			await Promise.all([...writes, retired]);
			expect(await one.staged(seq, "s")).toEqual({ added: EMPTY_TALLY, retired: EMPTY_TALLY });
			expect(await one.tally(snapshotOf(seq), "s")).toEqual(tallyOf(records(0).map(graphRecordDigest)));
			await expect(one.stage(seq, records(3))).rejects.toMatchObject({ code: "SEQ_CLOSED" });
		}
		expect(await one.check()).toEqual([]);
	});

	it("deletes no name that another ingestion begins to use meanwhile", async () => {
		const options = fresh();
		const [one, other] = [open(options), open(options)];
		for (let round = 0; round < 6; round++) {
			const [gone, kept] = [10 * round + 1, 10 * round + 2];
			await one.stage(gone, records(1));
			await Promise.all([one.discard(gone), other.stage(kept, records(100 + round))]);
		}
		expect(await one.check()).toEqual([]);
		await one.dropSource("s");
		const left = await connect(options).query<{ q: unknown[] }>(
			"count",
			`{ q(func: eq(lode.inst, ["${options.installation}", "${options.installation}|states"])) { uid } }`,
		);
		expect(left.q).toEqual([]);
	});

	it("does not see another installation", async () => {
		const [one, other] = [open(fresh()), open(fresh())];
		await one.stage(1, records(0));
		await other.stage(1, records(0, 2));
		await other.discard(1);
		expect((await one.tally(snapshotOf(1), "s")).count).toBe(40);
		expect(await other.tally(snapshotOf(1), "s")).toEqual(EMPTY_TALLY);
	});

	it("gives the token that a server wants, and says which setting to correct", async () => {
		const server = await ownServer("dgraph", { apiKey: true });
		closing.push(() => server.destroy());
		const at = (token?: string): DgraphOptions => ({
			address: server.addresses.address,
			installation: newInstallation(),
			...(token !== undefined && { token: { reveal: () => token } }),
		});
		for (const token of [undefined, "another-s3cret"]) {
			const refused = await failure(open(at(token)).stage(1, records(0)));
			expect(refused).toMatchObject({
				code: "PERMISSION_DENIED",
				next: expect.stringContaining("LODE_DGRAPH_TOKEN"),
			});
			expect(JSON.stringify([refused.message, refused.next, `${refused.cause}`])).not.toContain("another-s3cret");
		}
		const store = open(at(server.addresses.token));
		await store.stage(1, records(0));
		expect((await store.tally(snapshotOf(1), "s")).count).toBe(40);
	});

	describe("tampered with", () => {
		it.each([
			["a property", "lode.props", '{"version":9}'],
			["a name", "lode.name", "other"],
			["the seq that added it", "lode.added", 7],
			["the seq that retired it", "lode.removed", 7],
			["the index by seq", "lode.ain", "x|7"],
			["the index by source", "lode.src", "0"],
			["the index by name", "lode.kname", "x"],
			["the provided names", "lode.provides", "[]"],
			["the checksum", "lode.checksum", "0"],
		])("it names the record of which %s was changed", async (_what, predicate, value) => {
			const options = fresh();
			const store = open(options);
			await store.stage(1, records(0));
			expect(await store.check()).toEqual([]);
			const connection = connect(options);
			await connection.transact("tamper", async (transaction) => {
				const { q } = await transaction.query<{ q: { uid: string }[] }>(
					`{ q(func: eq(lode.ain, "${options.installation}|1"), first: 1) { uid } }`,
				);
				await transaction.mutate({ set: [{ uid: q[0]?.uid, [predicate]: value }] });
			});
			const problems = await store.check();
			expect(problems).toHaveLength(1);
			expect(problems[0]).toMatchObject({ source: "s", record: expect.stringContaining("file:0 symbol:s:0#") });
		});

		it("names an edge that was taken away, one that was added, and a text that was changed", async () => {
			const options = fresh();
			const store = open(options);
			await store.stage(1, [record(0, 1)]);
			const connection = connect(options);
			const { q } = await connection.query<{
				q: { uid: string; "lode.e_CALLS": { uid: string }[]; "lode.of": { uid: string } }[];
			}>("look", `{ q(func: eq(lode.ain, "${options.installation}|1")) { uid lode.e_CALLS { uid } lode.of { uid } } }`);
			const [state] = q;
			const term = state?.["lode.e_CALLS"][0]?.uid as string;
			const change = (deletes: string[], set: object[]) =>
				connection.transact("tamper", (transaction) => transaction.mutate({ deletes, set }));
			await change([`<${state?.uid}> <lode.e_CALLS> <${term}> .`], []);
			expect((await store.check()).map(({ problem }) => problem)).toContain(
				"its content, edges or names are not those that were staged",
			);
			expect((await store.check()).map(({ problem }) => problem)).toContain("all that referred to this text is gone");
			await change([], [{ uid: state?.uid, "lode.e_CALLS": [{ uid: term }], "lode.e_IMPORTS": [{ uid: term }] }]);
			expect(await store.check()).toHaveLength(1);
			await change(
				[`<${state?.uid}> <lode.e_IMPORTS> <${term}> .`],
				[{ uid: term, "lode.text": "name:s:symbol:ts:other" }],
			);
			expect((await store.check()).length).toBeGreaterThanOrEqual(2);
		});
	});

	it("is found again by the same store after it was killed", async () => {
		const own = await ownServer("dgraph");
		closing.push(() => own.destroy());
		const store = open({ ...fresh(), address: own.addresses.address });
		await store.stage(1, records(0));
		await own.kill();
		expect(await failure(store.staged(1, "s"))).toMatchObject({ code: "STORE_UNAVAILABLE" });
		await own.start();
		// The client tries to connect again every two seconds at the latest.
		let tally = EMPTY_TALLY;
		for (let attempt = 0; attempt < 50 && tally.count === 0; attempt++) {
			tally = await store.staged(1, "s").then(
				({ added }) => added,
				() => EMPTY_TALLY,
			);
		}
		expect(tally).toEqual(tallyOf(records(0).map(graphRecordDigest)));
	});

	it("says which setting to correct", async () => {
		expect(await failure(open({ ...fresh(), address: "127.0.0.1:1" }).staged(1, "s"))).toMatchObject({
			code: "STORE_UNAVAILABLE",
			next: expect.stringContaining("LODE_DGRAPH_ADDRESS"),
		});
		expect(await failure(open({ ...fresh(), tls: true }).staged(1, "s"))).toMatchObject({
			code: "STORE_UNAVAILABLE",
			next: expect.stringContaining("LODE_DGRAPH_TLS"),
		});
		expect(() => requireDgraphVersion("v22.0.2", "a:1")).toThrow(/Lode needs v23/);
		for (const version of ["v23.1.0", "v25.0.0", "dev", ""]) requireDgraphVersion(version, "a:1");
		expect(await probeDgraph(connect(fresh()))).toMatchObject({ schema: { current: 1, wanted: 1 } });
	});
});
