import { setTimeout as sleep } from "node:timers/promises";
import type { TestWorkflowEnvironment } from "@temporalio/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LodeError } from "../../src/domain/errors.js";
import { ApiInstance } from "../support/api-instance.js";
import { replacing, Switch } from "../support/faulty-ports.js";
import { LodeInstance } from "../support/lode-instance.js";
import { createShop, type Shop } from "../support/shop-repository.js";
import { temporalEnvironment } from "../support/temporal-environment.js";

/** Real: Temporal server, worker, all stores, git, the API. Injected: what graph and vectors refuse. */
describe("an ingestion that failed and cannot be undone yet", () => {
	let environment: TestWorkflowEnvironment;
	let shop: Shop;
	let lode: LodeInstance;
	let api: ApiInstance;
	const broken = new Switch();
	const away = new Switch();

	beforeAll(async () => {
		environment = await temporalEnvironment();
		shop = await createShop();
		lode = await LodeInstance.open(environment, {
			ports: (ports) => ({
				...ports,
				graph: replacing(ports.graph, {
					async stage(seq, records) {
						await ports.graph.stage(seq, records);
						if (broken.strikes()) throw new LodeError("STORE_CORRUPT", "the graph broke", { next: "mend it" });
					},
				}),
				vectors: replacing(ports.vectors, {
					async discard(seq) {
						if (away.strikes()) throw new LodeError("STORE_UNAVAILABLE", "the vectors are away");
						await ports.vectors.discard(seq);
					},
				}),
			}),
		});
		api = await ApiInstance.open(lode);
	});
	afterAll(async () => {
		await api?.close();
		await lode?.close();
		await shop?.remove();
		await environment?.teardown();
	});

	async function until<T>(ask: () => Promise<T>, enough: (answer: T) => boolean): Promise<T> {
		for (;;) {
			const answer = await ask();
			if (enough(answer)) return answer;
			await sleep(50);
		}
	}

	test("is retried when it is undone, by whoever asked meanwhile; a command tells what it waits for", async () => {
		const ingesting = lode.ingest(shop.path);
		ingesting.catch(() => undefined);
		const latest = async () => (await lode.reader.status()).ingestions[0];
		const { id } = (await until(latest, (ingestion) => ingestion?.status === "aborted")) as { id: string };

		const stages: string[] = [];
		const onProgress = ({ stage }: { stage: string }) => stages.push(stage);
		const all = lode.commander.retry(undefined, { onProgress });
		await until(
			async () => stages,
			([stage]) => stage === "discard",
		);
		const one = lode.commander.retry(id, {});
		const accepted = await fetch(`${api.url}/api/v1/ingestions/${id}/retry`, { method: "POST" });
		const { command_id: command } = (await accepted.json()) as { command_id: string };
		// biome-ignore lint/suspicious/noExplicitAny: an answer's form is OpenAPI's.
		const asked = async (): Promise<any> => (await fetch(`${api.url}/api/v1/commands/${command}`)).json();
		expect(await until(asked, ({ progress }) => progress !== null)).toMatchObject({
			status: "PENDING",
			progress: {
				stage: "waiting",
				detail: `ingestion ${id} is still being undone (STORE_CORRUPT: the graph broke): it is tried again when that is done`,
			},
		});

		broken.on = false;
		away.on = false;
		expect(await all).toMatchObject({ retried: [{ outcome: "published", snapshot: 1 }], failed: [] });
		expect(await one).toMatchObject({ retried: [{ outcome: "unchanged", snapshot: 1 }], failed: [] });
		expect(await until(asked, ({ status }) => status === "SUCCEEDED")).toMatchObject({ result: { snapshot: 1 } });
		expect((await lode.reader.status(id)).ingestions).toMatchObject([{ status: "parked" }]);
		expect((await lode.reader.status()).parked).toBe(0);
	});
});
