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
	return { calls, stage: staged.stageBatches };
}

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
		await stage([{ ...batch, again: true }]);
		await stage([batch]);
		await stage([batch]);
		expect(calls.filter((call) => call === "graph 0 again")).toHaveLength(1);
		expect(calls.filter((call) => call === "graph 0")).toHaveLength(2);
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
		await expect(slow.stageBatches([batch])).rejects.toThrow();
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
