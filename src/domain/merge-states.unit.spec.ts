import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type MergeableState, mergeStates } from "./merge-states.js";

const state = (origin: string, rest: Partial<MergeableState> = {}): MergeableState => ({
	key: "symbol:s:a#f",
	kind: "symbol",
	name: "f",
	props: {},
	source: "s",
	origin,
	...rest,
});

describe("merging the states of an entity", () => {
	it("takes kind, name and each property from the first origin that has it", () => {
		const merged = mergeStates([
			state("file:b", { kind: "data_model", name: "late", props: { a: 2, b: 2 } }),
			state("file:a", { kind: "dataset", name: "early", props: { a: 1 } }),
		]);
		expect(merged).toEqual({
			key: "symbol:s:a#f",
			kind: "dataset",
			name: "early",
			props: { a: 1, b: 2 },
			sources: ["s"],
			origins: ["file:a", "file:b"],
		});
	});

	it("orders origins by bytes and, where two sources share one, by source", () => {
		const merged = mergeStates([
			state("file:😀", { name: "last" }),
			state("file:\uff5e", { source: "t", name: "second" }),
			state("file:\uff5e", { source: "s", name: "first" }),
		]);
		expect(merged).toMatchObject({ name: "first", sources: ["s", "t"], origins: ["file:\uff5e", "file:😀"] });
	});

	it("names a hundred origins at most", () => {
		const origins = Array.from({ length: 250 }, (_, n) => `file:${String(n).padStart(3, "0")}`);
		expect(mergeStates(origins.map((origin) => state(origin))).origins).toEqual(origins.slice(0, 100));
	});

	it("keeps properties with the names of built-in ones", () => {
		const props = JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1}');
		const merged = mergeStates([state("file:a", { props })]);
		expect(Object.keys(merged.props).sort()).toEqual(["__proto__", "constructor"]);
		expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
	});

	it("does not depend on the order of the states", () => {
		const one = fc.record({
			origin: fc.constantFrom("file:a", "file:b", "file:c"),
			source: fc.constantFrom("s", "t"),
			name: fc.constantFrom("f", "g"),
			props: fc.dictionary(fc.constantFrom("x", "y", "z"), fc.nat(3)),
		});
		const states = fc.uniqueArray(one, { minLength: 1, selector: (s) => `${s.source} ${s.origin}` });
		fc.assert(
			fc.property(
				states.chain((list) =>
					fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length, maxLength: list.length })),
				),
				([list, shuffled]) => {
					const merge = (some: typeof list) => mergeStates(some.map(({ origin, ...rest }) => state(origin, rest)));
					expect(merge(shuffled)).toEqual(merge(list));
				},
			),
		);
	});
});
