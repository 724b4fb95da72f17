import type { TestWorkflowEnvironment } from "@temporalio/testing";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { askWaiting } from "../../src/services/ingestion/ask-progress.js";
import type { Waiting } from "../../src/services/reports.js";
import { gatedEmbeddings } from "../support/gated-embeddings.js";
import { tracesOf } from "../support/home-rows.js";
import { LodeInstance } from "../support/lode-instance.js";
import { createShop } from "../support/shop-repository.js";
import { temporalEnvironment } from "../support/temporal-environment.js";

/** Real: Temporal server, worker, all stores, git, HTTP. The endpoint for embeddings is the test's, which holds it up. */
describe("a small commit, while the endpoint for embeddings", () => {
	let environment: TestWorkflowEnvironment;
	const cleanUps: (() => Promise<unknown>)[] = [];

	beforeAll(async () => {
		environment = await temporalEnvironment();
	});
	afterEach(async () => {
		for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
	});
	afterAll(() => environment?.teardown());

	async function opened() {
		const gate = await gatedEmbeddings();
		cleanUps.push(() => gate.close());
		const shop = await createShop();
		cleanUps.push(() => shop.remove());
		const lode = await LodeInstance.open(environment, {
			env: { LODE_EMBEDDING_PROVIDER: "openai", LODE_EMBEDDING_BASE_URL: gate.url, LODE_EMBEDDING_MODEL: "gated" },
		});
		cleanUps.push(() => lode.close());
		// A source that comes for the first time is never small.
		gate.open();
		await lode.ingest(shop.path, shop.commits[0]);
		gate.shut();
		const ingesting = lode.ingest(shop.path, shop.commits[1]);
		ingesting.catch(() => undefined);
		const latest = async () => (await lode.reader.status()).ingestions[0];
		return { gate, lode, ingesting, latest };
	}
	type World = Awaited<ReturnType<typeof opened>>;

	async function expectCancelled({ lode, ingesting, latest }: World): Promise<void> {
		const { id = "", seq = 0 } = (await latest()) ?? {};
		expect(await lode.commander.cancel(id)).toMatchObject({ ingestions: [{ id, status: "cancelled" }] });
		await expect(ingesting).rejects.toMatchObject({ code: "CANCELLED" });
		expect(tracesOf(lode.home, seq)).toEqual([]);
	}

	async function expectRetried({ lode, latest }: World): Promise<void> {
		const { id } = (await latest()) ?? {};
		expect(await lode.commander.retry(id, {})).toMatchObject({ retried: [{ outcome: "published" }] });
		await lode.verified();
	}

	test("does not answer, can be cancelled: nobody waits for its time-outs", async () => {
		const world = await opened();
		await world.gate.asked;
		await expectCancelled(world);
		world.gate.open();
		await expectRetried(world);
	});

	test("asks to wait for an hour, tells in its status what it waits for, and can be cancelled", async () => {
		const world = await opened();
		world.gate.limit(3_600);
		const { gate, latest } = world;
		let waiting: Waiting[] = [];
		while (waiting.length === 0) {
			await new Promise((resolve) => setTimeout(resolve, 50));
			const { workflowId, runId } = (await latest()) ?? {};
			if (workflowId !== undefined) waiting = await askWaiting(environment.client, workflowId, runId);
		}
		expect(waiting).toMatchObject([{ activity: "embedBatch", code: "EMBEDDING_RATE_LIMITED" }]);
		await expectCancelled(world);
		gate.limit(undefined);
		gate.open();
		await expectRetried(world);
	});
});
