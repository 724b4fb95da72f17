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

	test("leaves undefined properties out", () => {
		expect(canonicalJson({ b: 1, a: undefined })).toBe('{"b":1}');
	});
});
