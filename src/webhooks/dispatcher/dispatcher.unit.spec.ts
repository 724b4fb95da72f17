import { afterEach, describe, expect, it } from "vitest";
import { temporaryLedger } from "../ledger/ledger.fixture.js";
import type { Ledger } from "../ledger/ledger.js";
import { Dispatcher, type DispatchPorts } from "./dispatcher.js";
import type { KnownSource } from "./sources-by-repository.js";

/** Real: the ledger on the disk. Stands in: what sources there are, and Temporal. */
describe("the dispatcher", () => {
	const place = temporaryLedger();
	const running: Dispatcher[] = [];
	afterEach(async () => {
		for (const dispatcher of running.splice(0)) await dispatcher.stop();
	});

	const sources: readonly KnownSource[] = Array.from({ length: 40 }, (_, n) => ({
		...{ id: `source-${n}`, address: `https://git.example/team/r${n}.git`, branch: "main" },
	}));

	/** `each` webhooks for every one of `count` repositories, in turn. */
	async function filled(count: number, each: number): Promise<Ledger> {
		const ledger = await place.open();
		const notices = Array.from({ length: count * each }, (_, n) => ({
			...{ sender: "generic" as const, key: `k${n}`, event: "moved" },
			...{ repository: [`git@git.example:team/r${n % count}`], branch: "main" },
		}));
		await Promise.all(notices.map((one) => ledger.accept(one)));
		return ledger;
	}

	function dispatch(ledger: Ledger, ports: Partial<DispatchPorts>): Dispatcher {
		const all: DispatchPorts = {
			sources: async () => sources,
			hint: async () => undefined,
			unwanted: async () => undefined,
			...ports,
		};
		const dispatcher = new Dispatcher(ledger, all, () => undefined);
		running.push(dispatcher);
		dispatcher.start();
		return dispatcher;
	}

	const drained = (ledger: Ledger) => expect.poll(() => ledger.state().waiting, { timeout: 20_000 }).toBe(0);

	it("tells a source once for all that waits for it, sixteen sources at a time at most", async () => {
		const told: string[] = [];
		let now = 0;
		let most = 0;
		const ledger = await filled(40, 25);
		dispatch(ledger, {
			async hint(source) {
				told.push(source);
				now += 1;
				most = Math.max(most, now);
				await new Promise((resolve) => setImmediate(resolve));
				now -= 1;
			},
		});
		await drained(ledger);
		expect(told.toSorted()).toEqual(sources.map(({ id }) => id).toSorted());
		expect(most).toBe(16);
		expect(ledger.state().parked).toBe(0);
	});

	it("settles nothing before all were told, and begins with no other source after a failure", async () => {
		const ledger = await filled(40, 2);
		let away = true;
		const tries: string[][] = [];
		const dispatcher = dispatch(ledger, {
			async sources() {
				tries.push([]);
				return sources;
			},
			async hint(source) {
				tries.at(-1)?.push(source);
				if (away) throw new Error("away");
			},
		});
		await expect.poll(() => dispatcher.state().failing?.attempts ?? 0, { timeout: 20_000 }).toBeGreaterThan(1);
		expect(ledger.state()).toMatchObject({ waiting: 80, parked: 0 });
		for (const tried of tries) expect(tried.length).toBeLessThanOrEqual(16);
		away = false;
		await drained(ledger);
		expect(new Set(tries.at(-1)).size).toBe(40);
		expect(dispatcher.state().failing).toBeUndefined();
	});

	it("parks together what nobody follows, and tells who is followed nevertheless", async () => {
		const ledger = await filled(2, 500);
		const told: string[] = [];
		dispatch(ledger, {
			sources: async () => sources.slice(0, 1),
			hint: async (source) => void told.push(source),
		});
		await drained(ledger);
		expect(told).toEqual(["source-0"]);
		const parked = ledger.parked();
		expect(parked).toHaveLength(500);
		expect(parked[0]?.reason).toBe("no source follows git@git.example:team/r1 at main");
	});
});
