import { describe, expect, it } from "vitest";
import { gitEnvironment } from "./git-environment.js";

function settings(env: NodeJS.ProcessEnv): Map<string, string> {
	const pairs = new Map<string, string>();
	for (let index = 0; index < Number(env.GIT_CONFIG_COUNT); index++) {
		pairs.set(env[`GIT_CONFIG_KEY_${index}`] as string, env[`GIT_CONFIG_VALUE_${index}`] as string);
	}
	return pairs;
}

describe("git's environment", () => {
	const caller = {
		PATH: "/bin",
		GIT_DIR: "/elsewhere/.git",
		GIT_WORK_TREE: "/elsewhere",
		GIT_INDEX_FILE: "/elsewhere/index",
		GIT_TRACE: "1",
		GIT_CONFIG_PARAMETERS: "'core.x=y'",
		GIT_ASKPASS: "/bin/askpass",
		GIT_SSH_COMMAND: "ssh -i key",
		GIT_CONFIG_COUNT: "2",
		GIT_CONFIG_KEY_0: "safe.directory",
		GIT_CONFIG_VALUE_0: "/srv/x",
		GIT_CONFIG_KEY_1: "core.hooksPath",
		GIT_CONFIG_VALUE_1: "/evil",
		LODE_GIT_TOKEN: "hunter2",
		LODE_EMBEDDING_API_KEY: "hunter3",
	};

	it("drops what a hook would have set, and keeps how the user reaches servers", () => {
		const env = gitEnvironment("remote", { caller });
		for (const name of ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_TRACE", "GIT_CONFIG_PARAMETERS"]) {
			expect(env[name]).toBeUndefined();
		}
		expect(env).toMatchObject({
			PATH: "/bin",
			GIT_ASKPASS: "/bin/askpass",
			GIT_SSH_COMMAND: "ssh -i key",
			GIT_TERMINAL_PROMPT: "0",
			LC_ALL: "C",
		});
		expect(settings(env).get("safe.directory")).toBe("/srv/x");
	});

	it("wins over the caller's settings, and reads none of the user's files for local reads", () => {
		expect(settings(gitEnvironment("remote", { caller })).get("core.hooksPath")).toBe("/dev/null");
		const local = gitEnvironment("local", { caller });
		expect(local).toMatchObject({ GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null", GIT_ALLOW_PROTOCOL: "" });
		expect(settings(local).has("safe.directory")).toBe(false);
		expect(settings(local).get("gc.auto")).toBe("0");
	});

	it("gives the token to no host but those that it is meant for, where they are named", () => {
		const has = (httpsAddress: string, hosts: string) =>
			[
				...settings(
					gitEnvironment("remote", { caller: { ...caller, LODE_GIT_TOKEN_HOSTS: hosts }, httpsAddress }),
				).keys(),
			].some((key) => key.endsWith(".extraHeader"));
		expect(has("https://git.example/a.git", "git.example, other.example")).toBe(true);
		expect(has("https://git.example:8443/a.git", "git.example:8443")).toBe(true);
		expect(has("https://evil.example/a.git", "git.example")).toBe(false);
		expect(has("https://git.example.evil.example/a.git", "git.example")).toBe(false);
		expect(has("https://git.example:8443/a.git", "git.example:443")).toBe(false);
	});

	it("gives the token to the https host that it is asked for, and to nothing else", () => {
		const https = settings(gitEnvironment("remote", { caller, httpsAddress: "https://host.example:8443/a/b.git" }));
		const header = `Authorization: Basic ${Buffer.from("x-access-token:hunter2").toString("base64")}`;
		expect(https.get("http.https://host.example:8443/.extraHeader")).toBe(header);
		expect(https.get("http.followRedirects")).toBe("false");
		for (const httpsAddress of [undefined, "http://host.example/a"]) {
			const env = gitEnvironment("remote", { caller, httpsAddress });
			expect(JSON.stringify(env)).not.toMatch(/hunter|aHVudGVy|Authorization/);
		}
	});

	it("hands no other secret of Lode's on", () => {
		const env = gitEnvironment("remote", { caller, httpsAddress: "https://host.example/a" });
		expect(Object.keys(env).filter((name) => name.startsWith("LODE_"))).toEqual([]);
	});
});
