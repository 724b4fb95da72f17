import { describe, expect, test } from "vitest";
import { numberedAt, parseAt, parseSince } from "./at.js";

describe("--at", () => {
	test.each([
		[undefined, { by: "latest" }],
		["latest", { by: "latest" }],
		["12", { by: "number", number: 12 }],
		["snapshot:12", { by: "number", number: 12 }],
		[numberedAt(999_999), { by: "number", number: 999_999 }],
		[numberedAt(1_000_000), { by: "number", number: 1_000_000 }],
		["1000000", { by: "commit", commit: "1000000", source: "s" }],
		["1a2b3c4", { by: "commit", commit: "1a2b3c4", source: "s" }],
		["1A2B3C4D", { by: "commit", commit: "1a2b3c4d", source: "s" }],
		["2026-01-31", { by: "time", time: "2026-01-31T23:59:59.999Z" }],
		["2026-01-31T12:00", { by: "time", time: "2026-01-31T12:00:00.000Z" }],
		["2026-01-31T12:00:00+02:00", { by: "time", time: "2026-01-31T10:00:00.000Z" }],
	])("%s", (at, expected) => {
		expect(parseAt(at, "s")).toEqual(expected);
	});

	test.each(["yesterday", "abc", "2026-13-01", "-1", "1.5", "snapshot:", "snapshot:x", "snapshot: 1", ""])(
		"refuses %s",
		(at) => {
			expect(() => parseAt(at)).toThrow(expect.objectContaining({ code: "USAGE" }));
		},
	);
});

describe("--since", () => {
	test.each([
		["2026-01-31", "2026-01-31T00:00:00.000Z"],
		["2026-01-31T12:00", "2026-01-31T12:00:00.000Z"],
		["2026-01-31T12:00:00+02:00", "2026-01-31T10:00:00.000Z"],
	])("%s", (since, expected) => {
		expect(parseSince(since)).toBe(expected);
	});

	test.each(["yesterday", "12", "1a2b3c4", "2026-13-01", ""])("refuses %s", (since) => {
		expect(() => parseSince(since)).toThrow(expect.objectContaining({ code: "USAGE" }));
	});
});
