import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson, EMPTY_TALLY, sha256, TallyBuilder, tallyOf } from "./digest.js";

const digests = fc.array(fc.string().map(sha256), { maxLength: 20 });

describe("tallies", () => {
	test("do not depend on order", () => {
		fc.assert(
			fc.property(digests, (all) => {
				expect(tallyOf([...all].reverse())).toEqual(tallyOf(all));
			}),
		);
	});

	test("what was added can be taken out again", () => {
		fc.assert(
			fc.property(digests, digests, (kept, gone) => {
				const both = new TallyBuilder().merge(tallyOf(kept)).merge(tallyOf(gone));
				expect(both.subtract(tallyOf(gone)).build()).toEqual(tallyOf(kept));
			}),
		);
	});

	test("tell a record that is there twice from one that is there once, and two from none", () => {
		const one = sha256("a");
		expect(tallyOf([one, one]).digest).not.toBe(tallyOf([one]).digest);
		expect(tallyOf([one, one]).digest).not.toBe(EMPTY_TALLY.digest);
	});
});

describe("canonical JSON", () => {
	test("is the same for the same value, whatever the order of keys, and reads back", () => {
		fc.assert(
			fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
				const turned = Object.fromEntries(Object.entries(object).reverse());
				expect(canonicalJson(turned as never)).toBe(canonicalJson(object as never));
				expect(JSON.parse(canonicalJson(object as never))).toEqual(JSON.parse(JSON.stringify(object)));
			}),
		);
	});

	test("has the keys of every object in order of their code units, whatever they are called", () => {
		const key = fc.oneof(
			fc.string(),
			fc.constantFrom("10", "9", "1a", "a1", "__proto__", "toJSON", "kind", "to"),
			fc.nat().map(String),
		);
		const { value } = fc.letrec<{ value: unknown }>((tie) => ({
			value: fc.oneof(
				{ maxDepth: 4 },
				fc.string({ unit: "binary" }),
				fc.double(),
				fc.constantFrom(null, true, undefined),
				fc.array(tie("value"), { maxLength: 4 }),
				fc.dictionary(key, tie("value"), { maxKeys: 5 }),
			),
		}));
		fc.assert(
			fc.property(value, (each) => {
				expect(canonicalJson(each as never)).toBe(written(each));
			}),
			{ numRuns: 1_000 },
		);
	});

	test("leaves undefined properties out", () => {
		expect(canonicalJson({ b: 1, a: undefined })).toBe('{"b":1}');
	});
});

/** What canonical JSON is, said once more. */
function written(value: unknown): string {
	if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
	if (Array.isArray(value)) return `[${value.map(written).join(",")}]`;
	const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
	entries.sort(([a], [b]) => (a < b ? -1 : 1));
	return `{${entries.map(([name, inner]) => `${JSON.stringify(name)}:${written(inner)}`).join(",")}}`;
}
