import { describe, expect, it } from "vitest";
import { rankAgreement } from "./rank-agreement.js";

describe("rankAgreement", () => {
	it("is whole for equal lists and nothing for lists without a common id", () => {
		expect(rankAgreement(["a", "b", "c"], ["a", "b", "c"])).toEqual({ overlap: 1, correlation: 1 });
		expect(rankAgreement([], [])).toEqual({ overlap: 1, correlation: null });
		expect(rankAgreement(["a"], ["b"])).toEqual({ overlap: 0, correlation: null });
	});

	it("tells the order of what is in both, whatever stands between", () => {
		expect(rankAgreement(["a", "b", "c"], ["c", "b", "a"])).toEqual({ overlap: 1, correlation: -1 });
		expect(rankAgreement(["a", "x", "b"], ["a", "b", "y", "z"])).toEqual({ overlap: 2 / 5, correlation: 1 });
		// Ranks 1 2 3 4 against 2 1 3 4: 1 - 6 * 2 / (4 * 15).
		expect(rankAgreement(["a", "b", "c", "d"], ["b", "a", "c", "d"]).correlation).toBeCloseTo(0.8);
	});
});
