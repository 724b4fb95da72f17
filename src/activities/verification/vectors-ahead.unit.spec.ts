import { expect, test } from "vitest";
import { EMPTY_TALLY } from "../../domain/digest.js";
import { VectorsAhead } from "./vectors-ahead.js";

/** Counts how often it is asked what it holds. */
function asking(refusesClosedSeq: boolean, answer = async () => ({ added: EMPTY_TALLY, retired: EMPTY_TALLY })) {
	const asked: number[] = [];
	const staged = (seq: number) => {
		asked.push(seq);
		return answer();
	};
	return { asked, ahead: new VectorsAhead({ capabilities: { refusesClosedSeq }, staged }) };
}

test("an answer serves one verification, of its seq", async () => {
	const { asked, ahead } = asking(true);
	ahead.begin(1, "s");
	expect(await ahead.take(2)).toBeUndefined();
	expect(await ahead.take(1)).toEqual({ added: EMPTY_TALLY, retired: EMPTY_TALLY });
	expect(await ahead.take(1)).toBeUndefined();
	// What is staged again is linked again, and asked for again.
	ahead.begin(1, "s");
	expect(await ahead.take(1)).toBeDefined();
	expect(asked).toEqual([1, 1]);
});

test("a server, which may come back with less than it had, is not asked ahead", async () => {
	const { asked, ahead } = asking(false);
	ahead.begin(1, "s");
	expect(await ahead.take(1)).toBeUndefined();
	expect(asked).toEqual([]);
});

test("a store that fails ahead of verification is asked again by it", async () => {
	const { ahead } = asking(true, () => Promise.reject(new Error("away")));
	ahead.begin(1, "s");
	expect(await ahead.take(1)).toBeUndefined();
});
