import { rename } from "node:fs/promises";
import type { TestWorkflowEnvironment } from "@temporalio/testing";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Ports } from "../../src/activities/ports.js";
import { type ErrorCode, LodeError } from "../../src/domain/errors.js";
import type { IngestReport, VerifyReport } from "../../src/services/reports.js";
import type { SourceAdapter } from "../../src/sources/source.port.js";
import type { Ingestion } from "../../src/stores/catalog/catalog.port.js";
import { FAULTS, replacing, Switch } from "../support/faulty-ports.js";
import { createRepository, type TestRepository } from "../support/git-repository.js";
import { tracesOf } from "../support/home-rows.js";
import { LodeInstance } from "../support/lode-instance.js";
import { temporalEnvironment } from "../support/temporal-environment.js";

const module = (number: number, text: string) =>
	`import { f${number + 1} } from "./m${number + 1}.js";\n\nexport function f${number}(): string {\n\treturn f${number + 1}() + "${text}";\n}\n`;

/** Files that refer to each other; then an addition, a change, a removal, and a name that leads elsewhere. */
async function twoCommits(): Promise<{ repository: TestRepository; commits: readonly [string, string] }> {
	const repository = await createRepository();
	const many = Array.from({ length: 20 }, (_, number) => [`src/m${number}.ts`, module(number, "one")] as const);
	const first = await repository.commit({
		files: { ...Object.fromEntries(many), "docs/a.md": "# A\n\nThis is lost in the first commit.\n" },
	});
	const second = await repository.commit({
		files: {
			"src/m3.ts": module(3, "two"),
			"src/m4/index.ts": module(4, "moved"),
			"docs/b.md": "# B\n\nThis is lost in the second commit.\n",
		},
		deletes: ["src/m4.ts", "docs/a.md"],
	});
	return { repository, commits: [first, second] };
}

/** Real: Temporal server, worker, all stores, git. Injected: what the named port does. */
describe("what fails for good", () => {
	let environment: TestWorkflowEnvironment;
	let repository: TestRepository;
	let commits: readonly [string, string];
	/** Of an instance that nothing disturbed, after each commit. */
	const calm: VerifyReport["stores"][] = [];
	const open: LodeInstance[] = [];

	beforeAll(async () => {
		environment = await temporalEnvironment();
		({ repository, commits } = await twoCommits());
		const lode = await LodeInstance.open(environment);
		try {
			for (const commit of commits) {
				const report = await lode.ingest(repository.path, commit);
				calm.push((await lode.verified(report.source)).stores);
			}
		} finally {
			await lode.close();
		}
	});
	afterEach(async () => {
		for (const lode of open.splice(0)) await lode.close();
	});
	afterAll(async () => {
		await environment?.teardown();
		await repository?.remove();
	});

	async function opened(ports?: (ports: Ports) => Ports): Promise<LodeInstance> {
		const lode = await LodeInstance.open(environment, { ports });
		open.push(lode);
		return lode;
	}

	async function latest(lode: LodeInstance): Promise<Ingestion> {
		const [ingestion] = (await lode.reader.status()).ingestions;
		if (!ingestion) throw new Error("there is no ingestion");
		return ingestion;
	}

	/** Through every port and in every row: nothing tells of the seq but its own line in the catalog. */
	async function expectNoTrace(lode: LodeInstance, { seq, source }: Ingestion): Promise<void> {
		const { catalog, graph, vectors, artifacts } = lode.ports;
		const nothing = { added: { count: 0 }, retired: { count: 0 } };
		expect(await graph.staged(seq, source)).toMatchObject(nothing);
		expect(await vectors.staged(seq, source)).toMatchObject(nothing);
		expect(await catalog.changedEntries(seq, "added", undefined, 10)).toEqual([]);
		expect(await catalog.changedEntries(seq, "retired", undefined, 10)).toEqual([]);
		expect(await artifacts.stagedRoot(seq)).toBeUndefined();
		expect(tracesOf(lode.home, seq)).toEqual([]);
		expect(await catalog.openSeqs()).toEqual([]);
		for (const store of [catalog, graph, vectors]) expect(await store.check()).toEqual([]);
	}

	async function expectParked(
		lode: LodeInstance,
		commit: string,
		{ code, message }: { code: string; message: RegExp },
	): Promise<Ingestion> {
		await expect(lode.ingest(repository.path, commit)).rejects.toMatchObject({
			name: "LodeError",
			code,
			message: expect.stringMatching(message),
			next: expect.stringMatching(/./),
		});
		const status = await lode.reader.status();
		expect(status.parked).toBe(1);
		const ingestion = await latest(lode);
		expect(ingestion).toMatchObject({
			status: "parked",
			commit,
			failure: { code, message: expect.stringMatching(message), next: expect.stringMatching(/./) },
		});
		await expectNoTrace(lode, ingestion);
		return ingestion;
	}

	async function expectRetried(lode: LodeInstance, parked: Ingestion, stores: unknown): Promise<void> {
		const { retried, failed } = await lode.commander.retry(parked.id, {});
		expect(failed).toEqual([]);
		expect(retried).toMatchObject([{ outcome: "published", commit: parked.commit, files: { failed: 0 } }]);
		expect((await lode.verified()).stores).toEqual(stores);
		expect((await lode.reader.status()).parked).toBe(0);
		// The retry took a number of its own: the old one stays without a trace.
		await expectNoTrace(lode, parked);
	}

	test.each(FAULTS)("$name: no trace, parked, and a retry succeeds", async (fault) => {
		const at = new Switch();
		const lode = await opened((ports) => fault.wrap(ports, at));

		const first = await expectParked(lode, commits[0], fault);
		await expect(lode.reader.verify({})).rejects.toMatchObject({ code: "NOTHING_PUBLISHED" });
		expect(at.hits).toBeGreaterThan(0);
		at.on = false;
		await expectRetried(lode, first, calm[0]);

		at.on = true;
		at.hits = 0;
		const second = await expectParked(lode, commits[1], fault);
		expect(at.hits).toBeGreaterThan(0);
		expect((await lode.verified()).stores).toEqual(calm[0]);
		at.on = false;
		await expectRetried(lode, second, calm[1]);
	});

	test("a store that is away a few times parks nothing", async () => {
		const away = { graph: 2, vectors: 2, catalog: 2, artifacts: 2, root: 2, link: 2, discard: 0 };
		const throwing = (name: keyof typeof away) => {
			if (away[name]-- > 0) throw new LodeError("STORE_UNAVAILABLE", `${name} is away`);
		};
		const lode = await opened((ports) => ({
			...ports,
			graph: replacing(ports.graph, {
				async stage(seq, records) {
					await ports.graph.stage(seq, records);
					throwing("graph");
				},
				async candidates(...given) {
					throwing("link");
					return ports.graph.candidates(...given);
				},
			}),
			vectors: replacing(ports.vectors, {
				async stage(seq, records) {
					throwing("vectors");
					await ports.vectors.stage(seq, records);
				},
			}),
			catalog: replacing(ports.catalog, {
				async recordBatch(seq, record) {
					await ports.catalog.recordBatch(seq, record);
					throwing("catalog");
				},
			}),
			artifacts: replacing(ports.artifacts, {
				async put(objects) {
					throwing("artifacts");
					return ports.artifacts.put(objects);
				},
				async stageRoot(seq, root) {
					await ports.artifacts.stageRoot(seq, root);
					throwing("root");
				},
			}),
		}));
		expect(await lode.ingest(repository.path, commits[0])).toMatchObject({ outcome: "published" });
		expect(Object.values(away).every((left) => left <= 0)).toBe(true);
		expect((await lode.verified()).stores).toEqual(calm[0]);
		expect(await lode.reader.status()).toMatchObject({ parked: 0, ingestions: [{ status: "published" }] });
	});

	test.each<[string, ErrorCode]>([
		["is away", "STORE_UNAVAILABLE"],
		["has no room", "DISK_FULL"],
		["says that it is damaged", "STORE_CORRUPT"],
	])("a compensation is repeated until it works, while a store %s", async (_, code) => {
		const left = { graph: 4, vectors: 4, artifacts: 4, abort: 3, release: 3 };
		const failing = (name: keyof typeof left) => {
			if (left[name]-- > 0) throw new LodeError(code, `${name} cannot discard now`);
		};
		const broken = new Switch();
		let lode: LodeInstance | undefined;
		const seen: number[][] = [];
		lode = await opened((ports) => ({
			...ports,
			graph: replacing(ports.graph, {
				async stage(seq, records) {
					await ports.graph.stage(seq, records);
					if (broken.strikes()) throw new LodeError("STORE_CORRUPT", "the graph broke", { next: "mend it" });
				},
				async discard(seq) {
					// Not gone yet: no reader may take it for published.
					seen.push((await lode?.ports.catalog.openSeqs()) ?? []);
					failing("graph");
					await ports.graph.discard(seq);
				},
			}),
			vectors: replacing(ports.vectors, {
				async discard(seq) {
					failing("vectors");
					await ports.vectors.discard(seq);
				},
			}),
			artifacts: replacing(ports.artifacts, {
				async discard(seq) {
					failing("artifacts");
					await ports.artifacts.discard(seq);
				},
			}),
			catalog: replacing(ports.catalog, {
				async abort(seq, failure) {
					failing("abort");
					return ports.catalog.abort(seq, failure);
				},
				async release(seq, status) {
					failing("release");
					return ports.catalog.release(seq, status);
				},
			}),
		}));
		const parked = await expectParked(lode, commits[0], { code: "STORE_CORRUPT", message: /graph broke/ });
		expect(Object.values(left).every((count) => count <= 0)).toBe(true);
		expect(seen).toHaveLength(5);
		expect(seen.every((seqs) => seqs.includes(parked.seq))).toBe(true);
		broken.on = false;
		await expectRetried(lode, parked, calm[0]);
	});

	test("a repository that disappears once it was fetched is ingested all the same; before that, it is parked", async () => {
		const own = await createRepository();
		await own.commit({ files: { "a.ts": module(1, "one"), "b.md": "# B\n\nText.\n" } });
		let when: "before" | "after" | "never" = "before";
		const lode = await opened((ports) => ({
			...ports,
			sources: {
				of(kind) {
					const adapter = ports.sources.of(kind);
					return replacing<SourceAdapter>(adapter, {
						async prepare(...given) {
							if (when === "before") await rename(own.path, `${own.path}-away`);
							await adapter.prepare(...given);
							if (when === "after") await own.vanish();
						},
					});
				},
			},
		}));
		try {
			await expect(lode.ingest(own.path)).rejects.toMatchObject({
				code: "SOURCE_NOT_FOUND",
			});
			const parked = await latest(lode);
			expect(parked).toMatchObject({ status: "parked", failure: { code: "SOURCE_NOT_FOUND" } });
			await expectNoTrace(lode, parked);
			await rename(`${own.path}-away`, own.path);
			when = "never";
			expect(await lode.commander.retry(parked.id, {})).toMatchObject({ retried: [{ outcome: "published" }] });
			await own.commit({ files: { "a.ts": module(1, "two"), "c.md": "# C\n" }, deletes: ["b.md"] });
			when = "after";
			expect(await lode.ingest(own.path)).toMatchObject({
				outcome: "published",
				files: { added: 1, changed: 1, removed: 1, failed: 0 },
			});
			await lode.verified();
		} finally {
			await own.remove();
		}
	});

	test("nothing can be written for the seq any more, in any store", async () => {
		const broken = new Switch();
		const fault = FAULTS.find(({ name }) => name === "publish fails") as (typeof FAULTS)[number];
		const lode = await opened((ports) => fault.wrap(ports, broken));
		broken.on = false;
		const first = await lode.ingest(repository.path, commits[0]);
		broken.on = true;
		const { seq, source } = await expectParked(lode, commits[1], fault);

		const { catalog, graph, vectors, artifacts } = lode.ports;
		const before = await catalog.snapshot({ by: "number", number: first.snapshot as number });
		const origins = ["file:src/m3.ts"];
		const records = await graph.records(before, source, "file:src/m3.ts");
		const chunks = await vectors.records(before, source, "file:src/m3.ts");
		const root = await artifacts.root(before, source);
		if (!root || records.length === 0 || chunks.length === 0) throw new Error("there should be records");
		const late: Record<string, () => Promise<unknown>> = {
			"graph.stage": () => graph.stage(seq, records),
			"graph.retire": () => graph.retire(seq, source, origins),
			"vectors.stage": () => vectors.stage(seq, chunks),
			"vectors.retire": () => vectors.retire(seq, source, origins),
			"artifacts.stageRoot": () => artifacts.stageRoot(seq, root),
			"catalog.recordBatch": () => catalog.recordBatch(seq, { batch: "late", retired: origins, entries: [] }),
			"catalog.publish": () =>
				catalog.publish(seq, {
					files: { added: 0, changed: 0, removed: 0, failed: 0 },
					entities: 0,
					chunks: 0,
					embedded: 0,
					reused: 0,
				}),
		};
		for (const [name, write] of Object.entries(late))
			await expect(write(), name).rejects.toMatchObject({ code: "SEQ_CLOSED" });
		expect(tracesOf(lode.home, seq)).toEqual([]);
		expect((await lode.verified()).stores).toEqual(calm[0]);
	});

	/** An instance whose vector store waits, in its first write, for `release`; `reached` resolves then. */
	async function waiting() {
		let reach = () => {};
		let release = () => {};
		const reached = new Promise<void>((resolve) => {
			reach = resolve;
		});
		const gate = new Promise<void>((resolve) => {
			release = resolve;
		});
		const written: Promise<void>[] = [];
		let armed = true;
		const lode = await opened((ports) => ({
			...ports,
			vectors: replacing(ports.vectors, {
				async stage(seq, records) {
					if (!armed) return ports.vectors.stage(seq, records);
					armed = false;
					reach();
					const write = gate.then(() => ports.vectors.stage(seq, records));
					written.push(write);
					await write;
				},
			}),
		}));
		return { lode, reached, release: () => release(), late: () => written[0] as Promise<void> };
	}

	test("a cancelled ingestion leaves no trace, and a retry succeeds", async () => {
		const { lode, reached, release } = await waiting();
		const ingesting = lode.ingest(repository.path, commits[0]);
		ingesting.catch(() => undefined);
		await reached;
		const running = await latest(lode);
		expect(running.status).toBe("staging");
		const cancelling = lode.commander.cancel(running.id);
		const handle = environment.client.workflow.getHandle(running.workflowId, running.runId);
		const requested = async () =>
			(await handle.fetchHistory()).events?.some((event) => event.workflowExecutionCancelRequestedEventAttributes);
		while (!(await requested())) await new Promise((resolve) => setTimeout(resolve, 20));
		release();
		expect(await cancelling).toMatchObject({
			ingestions: [{ id: running.id, status: "cancelled", failure: { code: "CANCELLED" } }],
		});
		await expect(ingesting).rejects.toMatchObject({ code: "CANCELLED" });
		await expectNoTrace(lode, running);
		await expectRetried(lode, running, calm[0]);
	});

	test("an ingestion whose workflow was terminated is discarded by the next one, and its late write refused", async () => {
		const { lode, reached, release, late } = await waiting();
		const ingesting = lode.ingest(repository.path, commits[0]);
		ingesting.catch(() => undefined);
		await reached;
		const left = await latest(lode);
		await environment.client.workflow.getHandle(left.workflowId, left.runId).terminate("by the test");
		await expect(ingesting).rejects.toMatchObject({ name: "LodeError" });
		expect(tracesOf(lode.home, left.seq)).not.toEqual([]);

		const again: IngestReport = await lode.ingest(repository.path, commits[0]);
		expect(again.outcome).toBe("published");
		expect((await lode.reader.status(left.id)).ingestions).toMatchObject([{ status: "abandoned" }]);
		await expectNoTrace(lode, left);
		release();
		await expect(late()).rejects.toMatchObject({ code: "SEQ_CLOSED" });
		await expectNoTrace(lode, left);
		expect((await lode.verified()).stores).toEqual(calm[0]);
	});
});
