import * as dgraphJs from "dgraph-js";
import type { GraphRecord } from "../../src/domain/entities.js";
import { showGraph } from "../../src/services/reading/show-graph.js";
import { DgraphConnection } from "../../src/stores/graph/dgraph/dgraph-client.js";
import { createDgraphGraphStore } from "../../src/stores/graph/dgraph/dgraph-graph.adapter.js";
import { migrateDgraph } from "../../src/stores/graph/dgraph/dgraph-schema.js";
import type { Bench } from "./bench.js";
import { batchesOf, latencies, rate, withServer } from "./bench-server.js";
import { generated } from "./generated-graph.js";
import { figure, percentiles, quantile } from "./measuring.js";

const BATCH = 500;
const AT_ONCE = 4;
const QUESTIONS = 205;
const SNAPSHOT = { number: 1, seq: 1_000_000, excluding: [7], publishedAt: "2026-01-01T00:00:00.000Z" };

/** The same entities and edges as plainly as a client can write them: no versions, no origins, uids remembered. */
class BareGraph {
	readonly #stub: dgraphJs.DgraphClientStub;
	readonly #client: dgraphJs.DgraphClient;
	readonly #uids = new Map<string, string>();

	constructor(address: string) {
		this.#stub = new dgraphJs.DgraphClientStub(address);
		this.#client = new dgraphJs.DgraphClient(this.#stub);
	}

	async prepare(): Promise<void> {
		const operation = new dgraphJs.Operation();
		operation.setSchema(
			"b.key: string @index(hash) @upsert .\nb.name: string @index(exact) .\nb.kind: string @index(hash) .\nb.props: string .\nb.calls: [uid] @reverse .",
		);
		await this.#client.alter(operation);
	}

	async write(records: readonly GraphRecord[]): Promise<void> {
		const transaction = this.#client.newTxn();
		const mutation = new dgraphJs.Mutation();
		const ids = new Map(records.map(({ key }, at) => [key, `_:n${at}`]));
		mutation.setSetJson(
			records.map(({ key, name, kind, props, edges }) => ({
				uid: ids.get(key),
				"b.key": key,
				"b.name": name,
				"b.kind": kind,
				"b.props": JSON.stringify(props),
				"b.calls": edges.map(({ to }) => ({ uid: ids.get(to) ?? this.#uids.get(to) })),
			})),
		);
		mutation.setCommitNow(true);
		const made = (await transaction.mutate(mutation)).getUidsMap();
		for (const [key, id] of ids) this.#uids.set(key, made.get(id.slice(2)) as string);
	}

	async twoHops(key: string): Promise<unknown> {
		const fields = "b.key b.name b.kind b.props";
		const around = (inner: string) => `b.calls { ${fields} ${inner} } ~b.calls { ${fields} ${inner} }`;
		const response = await this.#client
			.newTxn({ readOnly: true })
			.queryWithVars(`query q($key: string) { q(func: eq(b.key, $key)) { ${fields} ${around(around(""))} } }`, {
				$key: key,
			});
		return response.getJson();
	}

	close(): void {
		this.#stub.close();
	}
}

export const dgraph: Bench = {
	summary: "the graph in Dgraph: states a second and two-hop questions, beside a bare client on the same server",
	run: ({ full, note }) =>
		withServer("dgraph", async ({ address }) => {
			const records = generated(full ? 50_000 : 10_000);
			const batches = batchesOf(records, BATCH);
			const options = { address, installation: "bench" };
			const connection = new DgraphConnection(options);
			await migrateDgraph(connection);
			await connection.close();
			const store = createDgraphGraphStore(options);
			const bare = new BareGraph(address);
			await bare.prepare();
			try {
				// A bare client has to know the uids that edges lead to: one batch after the other.
				const bareRate = await rate(batches, 1, (batch) => bare.write(batch));
				const staged = await rate(batches, AT_ONCE, (batch, n) => store.stage(10 + n, batch));
				const step = Math.floor(records.length / QUESTIONS);
				const keys = records.filter((_, n) => n % step === 0).map(({ key }) => key);
				const scope = { snapshot: SNAPSHOT };
				const asked = await latencies(keys, (key) => showGraph(store, scope, key, { depth: 2 }));
				const askedBare = await latencies(keys, (key) => bare.twoHops(key));
				const figures = [
					figure("states staged in Dgraph, 3 edges each", staged, "states/s", {
						name: "bare client, entities/s",
						value: bareRate,
					}),
					...percentiles("two hops around an entity in Dgraph, both directions", asked, {
						name: "bare client, one query, p50, ms",
						value: quantile(askedBare, 0.5),
					}),
				];
				note(figures.map(({ name, value, beside }) => `${name} ${value} (${beside?.ratio} × bare)`).join("; "));
				return { figures, details: { records: records.length, asked, askedBare } };
			} finally {
				bare.close();
				await store.close();
			}
		}),
};
