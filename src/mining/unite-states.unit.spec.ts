import { describe, expect, it } from "vitest";
import type { EntityState } from "../domain/entities.js";
import { uniteStates } from "./unite-states.js";

const state = (key: string, more: Partial<EntityState>): EntityState => ({
	key,
	kind: "file",
	name: key,
	props: {},
	edges: [],
	provides: [],
	...more,
});

describe("uniteStates", () => {
	it("unites states of one key: first properties win, edges and names are a set", () => {
		const united = uniteStates([
			state("b", { props: { x: 1, y: 1 }, edges: [{ kind: "DEFINES", to: "z" }], provides: [{ name: "n", rank: 2 }] }),
			state("a", {}),
			state("b", {
				name: "other",
				props: { x: 2, z: 3 },
				edges: [
					{ kind: "DEFINES", to: "z" },
					{ kind: "CALLS", to: "q" },
				],
				provides: [{ name: "n", rank: 1 }],
			}),
		]);
		expect(united).toEqual([
			state("a", {}),
			state("b", {
				props: { x: 1, y: 1, z: 3 },
				edges: [
					{ kind: "CALLS", to: "q" },
					{ kind: "DEFINES", to: "z" },
				],
				provides: [{ name: "n", rank: 1 }],
			}),
		]);
	});

	it("makes text fit for every store, and no property a prototype", () => {
		const props = JSON.parse('{"__proto__": {"polluted": true}, "a": ["\\ud800", "x\\u0000"], "n": 1}');
		const [united] = uniteStates([state("k\ud800", { name: "\0", props })]);
		expect(united).toEqual(state("k\ufffd", { name: "\ufffd", props: { a: ["\ufffd", "x\ufffd"], n: 1 } }));
		expect(Object.getPrototypeOf(united?.props)).toBe(Object.prototype);
	});
});
