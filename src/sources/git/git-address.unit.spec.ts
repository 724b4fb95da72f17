import { describe, expect, it } from "vitest";
import { errorCode } from "../../domain/errors.js";
import { looksRemote, parseRemote } from "./git-address.js";

function failure(target: string): { code: string | undefined; text: string } {
	try {
		parseRemote(target);
		return { code: undefined, text: "" };
	} catch (error) {
		const { message, next } = error as { message: string; next?: string };
		return { code: errorCode(error), text: `${message} ${next}` };
	}
}

describe("git addresses", () => {
	it.each([
		["https://GitHub.com/encode/httpx.git", "https://github.com/encode/httpx.git"],
		["HTTPS://github.com:443/encode/httpx/", "https://github.com/encode/httpx"],
		["http://localhost:3000/a/b", "http://localhost:3000/a/b"],
		["ssh://git@GitHub.com:22/encode/httpx.git", "ssh://git@github.com/encode/httpx.git"],
		["ssh://git@host.example:2222/~me/x", "ssh://git@host.example:2222/~me/x"],
		["git+ssh://git@host.example/x", "ssh://git@host.example/x"],
		["git://host.example:9418/x.git", "git://host.example/x.git"],
		["git@GitHub.com:encode/httpx.git", "git@github.com:encode/httpx.git"],
		["host.example:some/path", "host.example:some/path"],
	])("%s becomes %s", (target, address) => {
		expect(parseRemote(target)?.address).toBe(address);
		expect(looksRemote(target)).toBe(true);
		// Canonical: what was resolved once resolves to itself.
		expect(parseRemote(address)?.address).toBe(address);
	});

	it.each(["/srv/x", "./x:y", "../x", "C:\\work\\x", "C:/work/x", "x", "file:///srv/x"])("%s is a path", (target) => {
		expect(parseRemote(target)).toBeUndefined();
		expect(looksRemote(target)).toBe(false);
	});

	it.each([
		"https://user:hunter2@host.example/x.git",
		"https://hunter2@host.example/x.git",
		"http://:hunter2@host.example/x",
		"ssh://git:hunter2@host.example/x",
		"git://me:hunter2@host.example/x",
		"user:hunter2@host.example:x",
	])("refuses credentials in %s without repeating them", (target) => {
		const { code, text } = failure(target);
		expect(code).toBe("CREDENTIALS_IN_URL");
		expect(text).not.toContain("hunter2");
		expect(text).toContain("credential helper");
	});

	it.each([
		["-uupload-pack=touch x"],
		["--upload-pack=x"],
		["ext::sh -c touch% x"],
		["fd::3"],
		["s3://bucket/x"],
		["https://host.example"],
		["https://host.example/x?private_token=hunter2"],
		["https://host.example/x#hunter2"],
		["https:///x"],
		["ssh://-oProxyCommand=x/y"],
		["ssh://-oProxyCommand=x@host/y"],
		["a\nb"],
		[""],
		["x".repeat(5_000)],
	])("refuses %j", (target) => {
		const { code, text } = failure(target);
		expect(code).toBe("SOURCE_NOT_FOUND");
		expect(text).not.toContain("hunter2");
	});
});
