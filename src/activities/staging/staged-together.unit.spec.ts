import { MockActivityEnvironment } from "@temporalio/testing";
import { describe, expect, test } from "vitest";
import { LodeError } from "../../domain/errors.js";
import { linkedTogether, stagedTogether } from "./staged-together.js";

const batch = { seq: 1, source: "s-1", index: 0 };

function faked(failing: Record<string, () => void> = {}) {
	const calls: string[] = [];
	const step = (name: string) => async (of: { index: number; again?: true }) => {
		calls.push(`${name} ${of.index}${of.again ? " again" : ""}`);
		failing[name]?.();
	};
	const graph = step("graph");
	const staged = stagedTogether({
		stageGraph: async (of) => {
			await graph(of);
			return { entities: 5 };
		},
		stageVectors: step("vectors"),
		recordBatch: step("manifest"),
	});
	return { calls, stage: within(staged.stageBatches) };
}

type Stage = ReturnType<typeof stagedTogether>["stageBatches"];
/** As attempts of one activity, unless it is said of which. */
const within =
	(run: Stage) =>
	(batches: Parameters<Stage>[0], activityId = "1") =>
		new MockActivityEnvironment({ activityId }).run(run, batches) as ReturnType<Stage>;

const failure = (code: "STORE_UNAVAILABLE" | "SEQ_CLOSED") => () => {
	throw new LodeError(code, "injected");
};

describe("stageBatches", () => {
	test("writes all of each batch and counts its entities", async () => {
		const { calls, stage } = faked();
		expect(await stage([batch, { ...batch, index: 1 }])).toEqual({ entities: 10 });
		expect(calls.sort()).toEqual(["graph 0", "graph 1", "manifest 0", "manifest 1", "vectors 0", "vectors 1"]);
	});

	test("writes what is there only once, whatever failed beside it, and counts it all the same", async () => {
		let away = 2;
		const { calls, stage } = faked({ vectors: () => away-- > 0 && failure("STORE_UNAVAILABLE")() });
		await expect(stage([batch])).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
		await expect(stage([batch])).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
		expect(await stage([batch])).toEqual({ entities: 5 });
		expect(calls.sort()).toEqual(["graph 0", "manifest 0", "vectors 0", "vectors 0", "vectors 0"]);
	});

	test("writes everything again of what a store lost", async () => {
		let away = 1;
		const { calls, stage } = faked({ vectors: () => away-- > 0 && failure("STORE_UNAVAILABLE")() });
		await expect(stage([batch])).rejects.toThrow();
		await stage([{ ...batch, again: true }], "2");
		expect(calls.filter((call) => call === "graph 0 again")).toHaveLength(1);
		// And again, after a first attempt that another worker went on with.
		away = 1;
		await expect(stage([{ ...batch, again: true }], "3")).rejects.toThrow();
		await stage([{ ...batch, again: true }], "4");
		expect(calls.filter((call) => call === "graph 0 again")).toHaveLength(3);
	});

	test("does not believe an attempt that goes on while the next one writes anew", async () => {
		let finish = () => {};
		let attempts = 0;
		const stage = within(
			stagedTogether({
				stageGraph: async () => ({ entities: 5 }),
				stageVectors: () => {
					attempts += 1;
					if (attempts === 1) return new Promise((resolve) => (finish = resolve));
					return attempts === 2 ? failure("STORE_UNAVAILABLE")() : Promise.resolve();
				},
				recordBatch: async () => {},
			}).stageBatches,
		);
		const first = stage([batch]);
		const second = stage([batch]);
		await expect(second).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
		// What it wrote was taken back by the second attempt.
		finish();
		await first;
		await stage([batch]);
		expect(attempts).toBe(3);
	});

	test("tells that a disk is full before it tells that another store is away", async () => {
		const full = () => {
			throw new LodeError("DISK_FULL", "injected");
		};
		const { stage } = faked({ graph: failure("STORE_UNAVAILABLE"), manifest: full });
		await expect(stage([batch])).rejects.toMatchObject({ code: "DISK_FULL" });
	});

	test("ends when all have ended, and tells what repeating does not mend", async () => {
		let writing = true;
		const { stage } = faked({ graph: failure("STORE_UNAVAILABLE"), vectors: failure("SEQ_CLOSED") });
		await expect(stage([batch])).rejects.toMatchObject({ code: "SEQ_CLOSED" });
		const slow = stagedTogether({
			stageGraph: async () => failure("STORE_UNAVAILABLE")() as never,
			stageVectors: async () => {
				await new Promise((resolve) => setTimeout(resolve, 20));
				writing = false;
			},
			recordBatch: async () => {},
		});
		await expect(within(slow.stageBatches)([batch])).rejects.toThrow();
		expect(writing).toBe(false);
	});
});

test("linkAndList ends when both have ended", async () => {
	let listing = true;
	const { linkAndList } = linkedTogether({
		linkNames: async () => failure("SEQ_CLOSED")() as never,
		stageManifest: async () => {
			await new Promise((resolve) => setTimeout(resolve, 20));
			listing = false;
		},
	});
	await expect(linkAndList(1)).rejects.toMatchObject({ code: "SEQ_CLOSED" });
	expect(listing).toBe(false);
});
