import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LodeError } from "../domain/errors.js";
import { CONFIG_FILE, configEnvironment, loadConfig, setPath } from "./config.js";
import { setSetting } from "./config-file.js";
import { enginesOf, SECRETS_OF_PLACES } from "./requirements.js";
import { redact, Secret } from "./secret.js";
import { findSetting } from "./settings.js";

let cwd: string;
beforeEach(() => {
	cwd = mkdtempSync(join(tmpdir(), "lode-config-"));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

function load(env: Record<string, string> = {}, flags: Record<string, string> = {}) {
	return loadConfig({ cwd, env, flags });
}

function problem(action: () => unknown): LodeError {
	try {
		action();
	} catch (error) {
		if (error instanceof LodeError) return error;
		throw error;
	}
	throw new Error("nothing was thrown");
}

/** Empty where nothing is thrown. */
function problemMessage(action: () => unknown): string {
	try {
		action();
		return "";
	} catch (error) {
		return error instanceof Error ? error.message : String(error);
	}
}

const write = (content: unknown, folder = cwd) => {
	mkdirSync(folder, { recursive: true });
	writeFileSync(join(folder, CONFIG_FILE), typeof content === "string" ? content : JSON.stringify(content));
};

describe("loadConfig", () => {
	it("has defaults for everything that is needed", () => {
		const { config, origins, file } = load();
		expect(config.home).toBe(join(cwd, ".lode"));
		expect(config.profile).toBe("embedded");
		expect(config.temporal).toEqual({ namespace: "default", taskQueue: "lode" });
		expect(config.chunks).toEqual({ size: 1_200, overlap: 150 });
		expect(config.limits.maxFileBytes).toBe(64 * 1024 * 1024);
		expect(config.gc.graceSeconds).toBe(3_600);
		expect(config.worker.threads).toBeGreaterThanOrEqual(1);
		expect(config.worker.threads).toBeLessThanOrEqual(4);
		expect(origins.LODE_HOME).toBe("default");
		expect(file).toBe(join(cwd, CONFIG_FILE));
	});

	it("prefers flags to the environment and the environment to the file", () => {
		write({ chunks: { size: 500 }, log: { level: "warn" }, gc: { graceSeconds: 7 } });
		const { config, origins } = load({ LODE_CHUNK_SIZE: "600", LODE_LOG_LEVEL: "error" }, { LODE_LOG_LEVEL: "debug" });
		expect([config.chunks.size, config.log.level, config.gc.graceSeconds]).toEqual([600, "debug", 7]);
		expect([origins.LODE_CHUNK_SIZE, origins.LODE_LOG_LEVEL, origins.LODE_GC_GRACE]).toEqual([
			"environment",
			"flag",
			"file",
		]);
	});

	it("reads the file of the current folder, else that of the home", () => {
		const home = join(cwd, "data");
		write({ chunks: { size: 700 } }, home);
		expect(load({ LODE_HOME: home }).config.chunks.size).toBe(700);
		expect(load({ LODE_HOME: home }).file).toBe(join(home, CONFIG_FILE));
		write({ chunks: { size: 800 } });
		expect(load({ LODE_HOME: home }).config.chunks.size).toBe(800);
	});

	it("treats an empty variable as unset", () => {
		expect(load({ LODE_HOME: "", LODE_CHUNK_SIZE: "  " }).config.chunks.size).toBe(1_200);
	});

	it("lists every problem by setting name and never by value", () => {
		write({ worker: { threads: "hunter2-file" }, nonsense: 1, embedding: { apiKey: "sk-from-file" } });
		const error = problem(() =>
			load({
				LODE_CHUNK_SIZE: "hunter2-size",
				LODE_EMBEDDING_PROVIDER: "hunter2-provider",
				LODE_EMBEDDING_BASE_URL: "https://user:hunter2@example.org/v1",
				TEMPORAL_ADDRESS: "hunter2 address",
			}),
		);
		expect(error.code).toBe("CONFIG_INVALID");
		for (const name of [
			"LODE_CHUNK_SIZE",
			"LODE_EMBEDDING_PROVIDER",
			"LODE_EMBEDDING_BASE_URL",
			"TEMPORAL_ADDRESS",
			"LODE_WORKER_THREADS",
			"nonsense",
			"LODE_EMBEDDING_API_KEY",
		]) {
			expect(error.message).toContain(name);
		}
		expect(JSON.stringify([error.message, error.next])).not.toMatch(/hunter2|sk-from-file/);
	});

	it("does not quote a broken file", () => {
		write('{"embedding": {"apiKey": "sk-secret"');
		const error = problem(() => load());
		expect(error.code).toBe("CONFIG_INVALID");
		expect(inspect(error)).not.toContain("sk-secret");
	});

	it("names everything that the chosen engines need and lack, at once", () => {
		const { message } = problem(() => load({ LODE_PROFILE: "servers", LODE_VECTORS: "sqlite" }));
		const needed = ["LODE_POSTGRES_URL", "LODE_DGRAPH_ADDRESS", "LODE_S3_ENDPOINT", "LODE_S3_SECRET_ACCESS_KEY"];
		for (const name of [...needed, "TEMPORAL_ADDRESS"]) expect(message).toContain(`${name}: is needed where`);
		expect(message).not.toContain("WEAVIATE");
		expect(problem(() => load({ LODE_ARTIFACTS: "s3" })).message).toContain("LODE_S3_ENDPOINT: is needed where");
		expect(problem(() => load({ LODE_LAKEFS_ENDPOINT: "http://127.0.0.1:1" })).message).toContain(
			"LODE_LAKEFS_SECRET_ACCESS_KEY: is needed where LODE_LAKEFS_ENDPOINT is set",
		);
		expect(problem(() => load({ LODE_PROFILE: "cloud" })).message).toContain("must be one of embedded, servers");
	});

	it("lets each port have an engine of its own", () => {
		const s3 = {
			LODE_S3_ENDPOINT: "http://127.0.0.1:9000",
			LODE_S3_ACCESS_KEY_ID: "key-id",
			LODE_S3_SECRET_ACCESS_KEY: "s3cret-value",
		};
		const engines = enginesOf(load({ LODE_ARTIFACTS: "s3", ...s3 }).config);
		expect(engines).toEqual({
			catalog: "sqlite",
			graph: "sqlite",
			vectors: "sqlite",
			artifacts: "s3",
			temporal: "embedded",
		});
	});

	it("takes no password in an address and shows none", () => {
		const url = "postgres://lode:hunter2hunter2@127.0.0.1:5432/lode";
		const { message } = problem(() => load({ LODE_POSTGRES_URL: url }));
		expect(message).toContain("LODE_POSTGRES_URL: must not hold a password: use LODE_POSTGRES_PASSWORD");
		expect(message).not.toContain("hunter2");
	});

	it.each(SECRETS_OF_PLACES)(
		"does not send secrets of the environment to %s of a folder's file (%s)",
		(place, secret) => {
			const values: Record<string, string> = {
				LODE_EMBEDDING_BASE_URL: "http://127.0.0.1:9",
				TEMPORAL_ADDRESS: "127.0.0.1:9",
				LODE_POSTGRES_URL: "postgres://lode@127.0.0.1:9/lode",
				LODE_DGRAPH_ADDRESS: "127.0.0.1:9",
				LODE_WEAVIATE_URL: "http://127.0.0.1:9",
				LODE_WEAVIATE_GRPC_ADDRESS: "127.0.0.1:9",
				LODE_S3_ENDPOINT: "http://127.0.0.1:9",
				LODE_LAKEFS_ENDPOINT: "http://127.0.0.1:9",
				OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9",
			};
			const content = {};
			setPath(content, findSetting(place)?.key as string, values[place]);
			write(content);
			const env = { [secret]: "s3cret-value" };
			expect(problem(() => load(env)).message).toContain(
				`${place}: must come from the environment too when ${secret} does`,
			);
			const both = problemMessage(() => load({ ...env, [place]: values[place] as string }));
			expect(both).not.toContain("must come from the environment too");
		},
	);

	it("names the overlap when it is not smaller than the size", () => {
		expect(problem(() => load({ LODE_CHUNK_SIZE: "200", LODE_CHUNK_OVERLAP: "200" })).message).toContain(
			"LODE_CHUNK_OVERLAP",
		);
	});

	it("does not send the environment's key to an endpoint that the folder's file names", () => {
		write({ embedding: { baseUrl: "https://elsewhere.example/v1" } });
		const key = { LODE_EMBEDDING_API_KEY: "sk-0123456789" };
		expect(problem(() => load(key)).message).toContain("LODE_EMBEDDING_BASE_URL");
		const own = { ...key, LODE_EMBEDDING_BASE_URL: "https://mine.example/v1/" };
		expect(load(own).config.embedding.baseUrl).toBe("https://mine.example/v1");
		expect(load().config.embedding.baseUrl).toBe("https://elsewhere.example/v1");
	});

	it("takes no prototype keys from a file", () => {
		write('{"__proto__": {"polluted": true}, "constructor": {"prototype": {}}}');
		expect(problem(() => load()).code).toBe("CONFIG_INVALID");
		expect(({} as Record<string, unknown>).polluted).toBeUndefined();
	});

	it("is frozen", () => {
		const { config } = load();
		expect(() => Object.assign(config.chunks, { size: 1 })).toThrow(TypeError);
		expect(() => Object.assign(config, { home: "/" })).toThrow(TypeError);
	});

	it("survives the way through a child's environment", () => {
		write({ chunks: { size: 900 }, retention: { maxVersions: 3 } });
		const { config } = load({ LODE_EMBEDDING_API_KEY: "sk-0123456789", LODE_HOME: "elsewhere" });
		const env = configEnvironment(config);
		const child = loadConfig({ cwd: tmpdir(), env, flags: {} }).config;
		expect({ ...child, embedding: null }).toEqual({ ...config, embedding: null });
		expect(child.embedding.apiKey?.reveal()).toBe("sk-0123456789");
	});
});

describe("Secret", () => {
	it("shows itself in no way but reveal", () => {
		const { config } = load({ LODE_EMBEDDING_API_KEY: "sk-0123456789" });
		const shown = [
			`${config.embedding.apiKey}`,
			JSON.stringify(config),
			inspect(config, { depth: 9, showHidden: true }),
			String(config.embedding.apiKey),
		].join();
		expect(shown).not.toContain("0123456789");
		expect(shown).toContain("[secret]");
		expect(config.embedding.apiKey?.reveal()).toBe("sk-0123456789");
	});

	it("is taken out of other people's messages", () => {
		new Secret("sk-abcdefgh");
		expect(redact("401 for key sk-abcdefgh")).toBe("401 for key [secret]");
	});
});

describe("setSetting", () => {
	const content = () => JSON.parse(readFileSync(join(cwd, CONFIG_FILE), "utf8"));

	it("writes by name or key, numbers as numbers, and takes out what is empty", () => {
		setSetting(load(), "LODE_CHUNK_SIZE", "900");
		setSetting(load(), "embedding.provider", "lexical");
		expect(content()).toEqual({ chunks: { size: 900 }, embedding: { provider: "lexical" } });
		setSetting(load(), "LODE_CHUNK_SIZE", "");
		expect(load().config.chunks.size).toBe(1_200);
	});

	it("validates with what is in the file already", () => {
		setSetting(load(), "LODE_CHUNK_SIZE", "5000");
		setSetting(load(), "LODE_CHUNK_OVERLAP", "1300");
		expect(problem(() => setSetting(load(), "LODE_CHUNK_OVERLAP", "many")).message).toContain("LODE_CHUNK_OVERLAP");
		expect(content()).toEqual({ chunks: { size: 5_000, overlap: 1_300 } });
	});

	it("refuses secrets and says where they belong", () => {
		const error = problem(() => setSetting(load(), "LODE_EMBEDDING_API_KEY", "sk-0123456789"));
		expect(error.next).toContain("environment");
		expect(inspect(error)).not.toContain("0123456789");
	});

	it("knows no other names", () => {
		expect(problem(() => setSetting(load(), "__proto__.x", "1")).code).toBe("USAGE");
	});
});
