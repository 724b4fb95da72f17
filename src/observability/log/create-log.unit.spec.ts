import { describe, expect, test } from "vitest";
import { Secret } from "../../config/secret.js";
import { createLog } from "./create-log.js";

function logged(line: Record<string, unknown>, format: "json" | "text" = "json"): string {
	const lines: string[] = [];
	createLog({ level: "debug", format }, (written) => lines.push(written))(line);
	expect(lines).toHaveLength(1);
	expect(lines[0]?.endsWith("\n")).toBe(true);
	return lines[0] as string;
}

describe.each(["json", "text"] as const)("a log as %s", (format) => {
	const SECRET = 'plän"ted\\ secret/1';
	new Secret(SECRET);

	test.each([
		["a message", { message: `the server said ${SECRET} is wrong` }],
		["an address, encoded", { message: "x", url: `https://host/a?q=${encodeURIComponent(SECRET)}` }],
		["an error", { message: "x", error: new Error(`no ${SECRET}`).stack }],
		["an error's own text", { message: "x", error: { message: SECRET, cause: { message: SECRET } } }],
		["a header", { message: "x", request: { headers: { "x-whatever": SECRET } } }],
	])("never holds a secret that the process knows: %s", (_, line) => {
		const text = logged({ level: "error", ...line }, format);
		expect(text).toContain("[secret]");
		for (const form of [SECRET, JSON.stringify(SECRET).slice(1, -1), encodeURIComponent(SECRET)])
			expect(text).not.toContain(form);
	});

	test.each([
		["an address", { message: "cannot clone https://somebody:hunter2hunter2@example.org/a.git" }],
		["an address with a token for a user", { message: "https://hunter2hunter2@example.org/a.git" }],
		["a database's address", { message: "postgres://lode:hunter2hunter2@db/lode refused" }],
		["a query", { message: "x", url: "/a?access_token=hunter2hunter2&b=1" }],
		["a signed address", { message: "x", url: "https://s3/b/k?X-Amz-Signature=hunter2hunter2&x=1" }],
		["a header's value", { message: "x", error: "sent authorization: Bearer hunter2hunter2" }],
		["a header's value, whatever its scheme", { message: "x", error: '{"Authorization":"hunter2hunter2"}' }],
		["a token in words", { message: "the token hunter2hunter2 is too old" }],
		["a header", { message: "x", headers: { authorization: "hunter2hunter2" } }],
		["a header of a request", { message: "x", request: { headers: { cookie: "hunter2hunter2" } } }],
		["a field", { message: "x", password: "hunter2hunter2" }],
	])("never holds what looks like one: %s", (_, line) => {
		const text = logged({ level: "warn", ...line }, format);
		expect(text).toContain("[secret]");
		expect(text).not.toContain("hunter2");
	});
});

test("what is no secret stays as it is", () => {
	const words =
		"the token expired, basic authentication failed at https://example.org/a.git?page=2 for git@example.org:a/b";
	expect(JSON.parse(logged({ level: "info", message: words })).message).toBe(words);
});

test("JSON lines have a time, a level and a message, and one field for each that was given", () => {
	const { time, ...line } = JSON.parse(logged({ level: "warn", message: "a thing", code: "X", count: 2 })) as {
		time: string;
	};
	expect(new Date(time).toISOString()).toBe(time);
	expect(line).toEqual({ level: "warn", message: "a thing", code: "X", count: 2 });
});

test("text is for people", () => {
	expect(logged({ level: "info", message: "a\nthing", code: "X", why: "two words" }, "text")).toMatch(
		/^\S+Z INFO {2}a thing code=X why="two words"\n$/,
	);
});

test("what is below the level is not written", () => {
	const lines: string[] = [];
	const log = createLog({ level: "warn", format: "json" }, (line) => lines.push(line));
	log({ level: "info", message: "no" });
	log({ level: "INFO", message: "no" });
	log({ level: "error", message: "yes" });
	expect(lines).toHaveLength(1);
});
