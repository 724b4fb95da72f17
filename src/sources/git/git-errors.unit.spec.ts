import { describe, expect, it } from "vitest";
import { gitFailure, redact } from "./git-errors.js";

describe("git's messages", () => {
	it.each([
		[
			"fatal: '/srv/x' does not appear to be a git repository\nfatal: Could not read from remote repository.",
			"SOURCE_NOT_FOUND",
		],
		["fatal: not a git repository (or any of the parent directories): .git", "SOURCE_NOT_FOUND"],
		["remote: Repository not found.\nfatal: repository 'https://github.com/a/b/' not found", "SOURCE_NOT_FOUND"],
		["ERROR: Repository not found.\nfatal: Could not read from remote repository.", "SOURCE_NOT_FOUND"],
		["fatal: remote error: access denied or repository not exported: /x", "SOURCE_NOT_FOUND"],
		["remote: The project you were looking for could not be found", "SOURCE_NOT_FOUND"],
		["fatal: could not read Username for 'https://github.com': terminal prompts disabled", "PERMISSION_DENIED"],
		["remote: Invalid username or password.\nfatal: Authentication failed for 'https://x/'", "PERMISSION_DENIED"],
		[
			"git@github.com: Permission denied (publickey).\nfatal: Could not read from remote repository.",
			"PERMISSION_DENIED",
		],
		["Host key verification failed.\nfatal: Could not read from remote repository.", "PERMISSION_DENIED"],
		["fatal: unable to access 'https://x/': The requested URL returned error: 403", "PERMISSION_DENIED"],
		["fatal: cannot change to '/root/x': Permission denied", "PERMISSION_DENIED"],
		["fatal: detected dubious ownership in repository at '/srv/x'", "PERMISSION_DENIED"],
		["fatal: unable to access 'https://x/': Could not resolve host: x", "SOURCE_UNAVAILABLE"],
		[
			"ssh: Could not resolve hostname x: Name or service not known\nfatal: Could not read from remote repository.",
			"SOURCE_UNAVAILABLE",
		],
		["fatal: unable to connect to 127.0.0.1:\n127.0.0.1[0: 127.0.0.1]: errno=Connection refused", "SOURCE_UNAVAILABLE"],
		[
			"fetch-pack: unexpected disconnect while reading sideband packet\nfatal: early EOF\nfatal: fetch-pack: invalid index-pack output",
			"SOURCE_UNAVAILABLE",
		],
		["error: RPC failed; HTTP 502 curl 22 The requested URL returned error: 502", "SOURCE_UNAVAILABLE"],
		["fatal: write error: No space left on device\nfatal: fetch-pack: invalid index-pack output", "DISK_FULL"],
		["error: unable to write file /home/x/objects/ab/cd: No space left on device", "DISK_FULL"],
		[
			"error: inflate: data stream error (incorrect header check)\nfatal: loose object ab (stored in x) is corrupt",
			"REPOSITORY_UNREADABLE",
		],
		[
			"remote: aborting due to possible repository corruption on the remote side.\nfatal: early EOF",
			"REPOSITORY_UNREADABLE",
		],
		["error: Repository lacks these prerequisite commits:\nerror: abc", "REPOSITORY_UNREADABLE"],
		["fatal: remote error: upload-pack: not our ref 1111", "COMMIT_NOT_FOUND"],
		["error: Server does not allow request for unadvertised object 1111", "COMMIT_NOT_FOUND"],
		["fatal: Unable to create '/h/mirror.git/packed-refs.lock': File exists.", "SOURCE_BUSY"],
		["fatal: transport 'file' not allowed", "SOURCE_NOT_FOUND"],
		["fatal: something that nobody has seen before", "SOURCE_UNAVAILABLE"],
	])("%j is %s", (stderr, code) => {
		expect(gitFailure("Fetching", stderr, "SOURCE_UNAVAILABLE").code).toBe(code);
	});

	it("say what to do about another user's repository", () => {
		const error = gitFailure("Fetching", "fatal: detected dubious ownership in repository at '/srv/x'", "INTERNAL");
		expect(error.next).toContain("safe.directory");
	});

	it("lose secrets and terminal control on the way", () => {
		const stderr = "fatal: unable to access 'https://me:hunter2@host/x': \u001b[31m no token=abcd1234";
		const { message } = gitFailure("Fetching", stderr, "SOURCE_UNAVAILABLE", ["abcd1234"]);
		expect(message).not.toMatch(/hunter2|abcd1234|\p{Cc}/u);
		expect(message).toContain("https://***@host/x");
		expect(redact("Authorization: Basic aHVudGVyMg==")).not.toContain("aHVudGVyMg");
		expect(redact("x".repeat(100_000)).length).toBeLessThan(1_000);
	});
});
