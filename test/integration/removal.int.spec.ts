import type { TestWorkflowEnvironment } from "@temporalio/testing";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Ports } from "../../src/activities/ports.js";
import { fileOrigin } from "../../src/domain/keys.js";
import { createRepository } from "../support/git-repository.js";
import { LodeInstance } from "../support/lode-instance.js";
import { temporalEnvironment } from "../support/temporal-environment.js";

/** Real: Temporal server, worker, all stores, git. What is held up: at the ports. */
describe("removing a source", () => {
	let environment: TestWorkflowEnvironment;
	const cleanUps: (() => Promise<unknown>)[] = [];
	beforeAll(async () => {
		environment = await temporalEnvironment();
	});
	afterAll(() => environment?.teardown());
	afterEach(async () => {
		for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
	});

	async function instance(ports?: (ports: Ports) => Ports): Promise<LodeInstance> {
		const lode = await LodeInstance.open(environment, ports && { ports });
		cleanUps.push(() => lode.close());
		return lode;
	}

	async function repository(text: string) {
		const created = await createRepository();
		cleanUps.push(() => created.remove());
		await created.commit({ files: { "a.md": `# Title\n\n${text}\n`, "b.ts": "export const one = 1;\n" } });
		return created;
	}

	function gate() {
		let open: () => void = () => {};
		let reached: () => void = () => {};
		const opened = new Promise<void>((resolve) => {
			open = resolve;
		});
		const arrived = new Promise<void>((resolve) => {
			reached = resolve;
		});
		return {
			open: () => open(),
			arrived,
			pass: () => {
				reached();
				return opened;
			},
		};
	}

	test("takes it out of sight at once, in every store, however long the removal takes", async () => {
		const held = gate();
		const lode = await instance((ports) => ({
			...ports,
			vectors: new Proxy(ports.vectors, {
				get(target, name) {
					const value = Reflect.get(target, name, target) as unknown;
					if (typeof value !== "function") return value;
					if (name !== "dropSource") return value.bind(target) as unknown;
					return async (source: string) => {
						await held.pass();
						return target.dropSource(source);
					};
				},
			}),
		}));
		const [gone, stays] = [await repository("alpha"), await repository("beta")];
		const { source, commit } = await lode.ingest(gone.path);
		await lode.ingest(stays.path);
		const removed = lode.commander.remove(source);
		await held.arrived;
		try {
			expect(
				(await lode.reader.search({ text: "alpha", limit: 10 })).hits.filter((hit) => hit.source === source),
			).toEqual([]);
			await expect(lode.reader.search({ text: "alpha", source, limit: 5 })).rejects.toMatchObject({
				code: "SOURCE_NOT_FOUND",
			});
			await expect(lode.reader.diff(source, commit, commit)).rejects.toMatchObject({ code: "SOURCE_NOT_FOUND" });
			expect((await lode.reader.sources()).map(({ id }) => id)).not.toContain(source);
			await lode.verified();
			await expect(lode.ingest(gone.path)).rejects.toMatchObject({ code: "SOURCE_BUSY" });
		} finally {
			held.open();
			await removed;
		}
		expect(await lode.ingest(gone.path)).toMatchObject({ outcome: "published" });
		await lode.verified();
	});

	test("ends where the workflow of an ingestion vanished without finishing", async () => {
		const held = gate();
		let holding = false;
		const lode = await instance((ports) => ({
			...ports,
			miner: {
				mine: async (...args) => {
					if (holding) await held.pass();
					return ports.miner.mine(...args);
				},
			},
		}));
		const repo = await repository("alpha");
		const { source } = await lode.ingest(repo.path);
		const next = await repo.commit({ files: { "c.md": "# More\n" } });
		holding = true;
		const ingesting = lode.ingest(repo.path).catch(() => undefined);
		await held.arrived;
		await environment.client.workflow.getHandle(`ingest/${source}/${next}`).terminate("lost");
		held.open();
		await ingesting;
		await lode.commander.remove(source);
		expect(await lode.reader.sources()).toEqual([]);
		expect(await lode.ports.catalog.openSeqs()).toEqual([]);
	});

	test("a write that was held up since before comes too late", async () => {
		const lode = await instance();
		const repo = await repository("alpha");
		const { source, ingestion } = await lode.ingest(repo.path);
		const { catalog, graph, vectors, artifacts } = lode.ports;
		const seq = (await catalog.ingestion(ingestion ?? ""))?.seq ?? 0;
		const snapshot = await catalog.snapshot({ by: "latest" });
		const states = await graph.records(snapshot, source, fileOrigin("a.md"));
		const chunks = await vectors.records(snapshot, source, fileOrigin("a.md"));
		const root = await artifacts.stagedRoot(seq);
		await lode.commander.remove(source);
		await expect(graph.stage(seq, states)).rejects.toMatchObject({ code: "SEQ_CLOSED" });
		await expect(vectors.stage(seq, chunks)).rejects.toMatchObject({ code: "SEQ_CLOSED" });
		await expect(artifacts.stageRoot(seq, root as NonNullable<typeof root>)).rejects.toMatchObject({
			code: "SEQ_CLOSED",
		});
	});
});
