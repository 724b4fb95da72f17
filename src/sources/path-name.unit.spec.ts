import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodePath, encodePath } from "./path-name.js";

/** Random bytes are rarely near what matters: mix in what escapes, separators and half UTF-8 sequences look like. */
const nearby = fc
	.array(
		fc.oneof(
			fc.uint8Array({ maxLength: 4 }),
			fc.constantFrom("\\x5c", "\\x", "\\", "/", ".", "..", "é", "€", "😀", "a").map((text) => Buffer.from(text)),
			fc
				.constantFrom([0xf0, 0x9f, 0x98], [0xed, 0xa0, 0x80], [0xc0, 0xaf], [0xe2, 0x82])
				.map((raw) => Buffer.from(raw)),
		),
		{ maxLength: 8 },
	)
	.map((parts) => Buffer.concat(parts));

describe("path names", () => {
	it("come back as the bytes they were", () => {
		fc.assert(
			fc.property(nearby, (bytes) => Buffer.compare(decodePath(encodePath(bytes)), bytes) === 0),
			{ numRuns: 5_000 },
		);
	});

	it("never become the same text when their bytes differ", () => {
		fc.assert(
			fc.property(nearby, nearby, (a, b) => a.equals(b) === (encodePath(a) === encodePath(b))),
			{ numRuns: 5_000 },
		);
	});

	it("are text without a way out of the folder", () => {
		fc.assert(
			fc.property(nearby, (bytes) => {
				const parts = encodePath(bytes).split("/");
				return !parts.includes("..") && !parts.includes(".");
			}),
		);
	});

	it.each([
		["src/ä.ts", Buffer.from("src/ä.ts")],
		["a\\xff", Buffer.from([0x61, 0xff])],
		["a\\x5cxff", Buffer.from("a\\xff")],
		["\\xed\\xa0\\x80", Buffer.from([0xed, 0xa0, 0x80])],
		["\\xf0\\x9f\\x98/b", Buffer.from([0xf0, 0x9f, 0x98, 0x2f, 0x62])],
		["\\x2e\\x2e/\\x2e/...", Buffer.from(".././...")],
	])("%s", (text, bytes) => {
		expect(encodePath(bytes)).toBe(text);
	});
});
