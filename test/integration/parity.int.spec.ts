import type { TestWorkflowEnvironment } from "@temporalio/testing";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Ports } from "../../src/activities/ports.js";
import { LodeError } from "../../src/domain/errors.js";
import { type HistoryStep, writeHistory } from "../support/generated-history.js";
import { LodeInstance } from "../support/lode-instance.js";
import { seededRandom } from "../support/seeded-random.js";
import { temporalEnvironment } from "../support/temporal-environment.js";

const small = fc.nat({ max: 59 });
const variant = fc.nat({ max: 8 });
const step: fc.Arbitrary<HistoryStep> = fc.oneof(
	fc.record({ do: fc.constant("add" as const), file: small, variant }),
	fc.record({ do: fc.constant("edit" as const), pick: small, variant }),
	fc.record({ do: fc.constant("rename" as const), pick: small, to: fc.nat({ max: 2 }) }),
	fc.record({ do: fc.constant("delete" as const), pick: small }),
	fc.record({ do: fc.constant("revert" as const), to: small }),
	fc.record({ do: fc.constant("forcePush" as const), onto: small, file: small, variant }),
);

/** Fails about one call in eight of every store's writes before it, after it, or twice over: what a crash or a lost answer leaves. */
function flaky(ports: Ports, seed: number): Ports {
	const random = seededRandom(seed);
	const wrap = <T extends object>(store: T, methods: readonly (keyof T)[]): T =>
		new Proxy(store, {
			get(target, name, receiver) {
				const value = Reflect.get(target, name, receiver) as unknown;
				if (typeof value !== "function") return value;
				if (!methods.includes(name as keyof T)) return value.bind(target) as unknown;
				return async (...args: unknown[]) => {
					const roll = random();
					if (roll < 0.06) throw new LodeError("STORE_UNAVAILABLE", "injected before the write");
					const result: unknown = await value.apply(target, args);
					if (roll < 0.12) throw new LodeError("STORE_UNAVAILABLE", "injected after the write");
					return result;
				};
			},
		});
	return {
		...ports,
		graph: wrap(ports.graph, ["stage", "retire"]),
		vectors: wrap(ports.vectors, ["stage", "retire"]),
		artifacts: wrap(ports.artifacts, ["put", "putDerived", "stageRoot"]),
		catalog: wrap(ports.catalog, ["recordBatch", "publish", "begin"]),
	};
}

/** Real: Temporal server, worker, all stores, git. Faults: injected at the ports of one instance. */
describe("digests", () => {
	let environment: TestWorkflowEnvironment;
	beforeAll(async () => {
		environment = await temporalEnvironment();
	});
	afterAll(() => environment?.teardown());

	async function digestsOf(path: string, commits: readonly string[], faults?: number) {
		const instance = await LodeInstance.open(
			environment,
			faults === undefined ? {} : { ports: (ports) => flaky(ports, faults) },
		);
		try {
			for (const commit of commits) await instance.ingest(path, commit);
			return (await instance.verified()).stores;
		} finally {
			await instance.close();
		}
	}

	test("one after the other, directly, and with failing stores give the same, for any history", async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.array(fc.record({ file: small, variant }), { minLength: 1, maxLength: 12 }),
				fc.array(step, { minLength: 1, maxLength: 5 }),
				fc.nat(),
				async (initial, steps, seed) => {
					const history = await writeHistory(initial, steps);
					try {
						const incremental = await digestsOf(history.path, history.commits);
						const direct = await digestsOf(history.path, history.commits.slice(-1));
						expect(incremental).toEqual(direct);
						expect(await digestsOf(history.path, history.commits, seed)).toEqual(direct);
					} finally {
						await history.remove();
					}
				},
			),
			{ numRuns: Number(process.env.LODE_TEST_RUNS ?? 3), endOnFailure: true },
		);
	}, 300_000);
});
