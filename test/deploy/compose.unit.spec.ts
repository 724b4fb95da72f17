import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { loadConfig } from "../../src/config/config.js";
import { SETTINGS } from "../../src/config/settings.js";
import { SERVERS } from "../servers/definitions/table.js";
import type { ServerName } from "../servers/server.js";
import { SERVER_VERSIONS } from "../servers/versions.js";
import { composeFile, ROOT } from "./deploy-files.js";

const { services, volumes } = composeFile();
const OURS = ["api", "gateway", "worker", "migrate"];
const others = Object.entries(services).filter(([name]) => !OURS.includes(name));
const tagOf = (name: string): string => services[name]?.image?.split(":").at(-1) ?? "";

/** The environment and arguments with which a server is started natively for the tests. */
async function native(name: ServerName, options = {}) {
	const programs = Object.fromEntries(SERVERS[name].programs.map((program) => [program, program]));
	// What is prepared is never started: Postgres alone would make its data at once.
	const { processes } = await SERVERS[name].prepare(programs, "/nowhere", options);
	return Object.fromEntries(processes.map((process) => [process.name, process]));
}

describe("docker-compose.yml", () => {
	test("has every server of the profile, and each at the version that the tests run against", () => {
		expect(Object.keys(services).sort()).toEqual(
			[
				...OURS,
				"postgres",
				"temporal",
				"temporal-ui",
				"dgraph-zero",
				"dgraph-alpha",
				"weaviate",
				"minio",
				"lakefs",
				"prometheus",
				// Where the profile observability is asked for.
				"grafana",
				"jaeger",
			].sort(),
		);
		const { temporal, postgres, dgraph, weaviate, minio, lakefs } = SERVER_VERSIONS;
		expect(services.temporal?.image).toBe(`temporalio/auto-setup:${temporal.server}`);
		expect(services["temporal-ui"]?.image).toBe(`temporalio/ui:${temporal.ui}`);
		expect(tagOf("postgres")).toMatch(new RegExp(`^${postgres.major}\\.\\d+-`));
		for (const part of ["dgraph-zero", "dgraph-alpha"]) {
			expect(services[part]?.image).toMatch(new RegExp(`^dgraph/dgraph:v${dgraph.major}\\.\\d+\\.\\d+$`));
		}
		expect(tagOf("weaviate")).toBe(weaviate.version.replace(/^v/, ""));
		expect(services.minio).toMatchObject({ build: { args: { MINIO_VERSION: minio.version } } });
		expect(tagOf("minio")).toBe(minio.version);
		expect(tagOf("lakefs")).toMatch(new RegExp(`^${lakefs.major}\\.\\d+\\.\\d+$`));
	});

	test("pins every image to one version", () => {
		for (const { image } of Object.values(services)) {
			expect(image).toMatch(/:v?\d+\.\d+\.\d+(?:-[\w.-]+)?$|:15\.\d+-bookworm$/);
		}
	});

	test("starts Weaviate, MinIO and lakeFS with the variables that the tests use", async () => {
		/** Where they lie, listen and who may come in: these differ between a machine and a network of containers. And what spares tests a wait. */
		const places = /PATH|PORT|ADDR|HOME|HOSTNAME|BOOTSTRAP|KEY|PASSWORD|USER|PROFILING|LISTEN|REPOSITORY_CACHE/;
		const pairs: [string, Record<string, string>][] = [
			["weaviate", { ...(await native("weaviate", { apiKey: true })).weaviate?.env }],
			["minio", { ...(await native("minio")).minio?.env }],
			["lakefs", { ...(await native("lakefs")).lakefs?.env }],
		];
		for (const [name, env] of pairs) {
			const compared = Object.entries(env).filter(([variable]) => !places.test(variable));
			expect(compared.length).toBeGreaterThanOrEqual(2);
			expect(services[name]?.environment).toMatchObject(Object.fromEntries(compared));
			const present = Object.keys(services[name]?.environment ?? {});
			const needed = Object.keys(env).filter((variable) => /KEY|PASSWORD|ROOT_USER|_PATH$/.test(variable));
			expect(present).toEqual(expect.arrayContaining(needed));
		}
	});

	test("starts Dgraph with the options that the tests use", async () => {
		const started = await native("dgraph");
		for (const part of ["zero", "alpha"]) {
			/** Ports are moved natively; in a network of containers nobody else has them. */
			const flags = (args: readonly string[]) =>
				args.filter((arg) => arg.startsWith("--")).map((arg) => arg.replace(/=.*/, ""));
			const nativeFlags = flags(started[part]?.args ?? []).filter((flag) => !/bindall|port_offset/.test(flag));
			const compose = services[`dgraph-${part}`]?.command ?? [];
			expect(
				flags(compose)
					.filter((flag) => flag !== "--security")
					.sort(),
			).toEqual(nativeFlags.sort());
			for (const value of ["reports=false;", ...(part === "alpha" ? ["size-mb=512;"] : [])]) {
				expect(started[part]?.args).toContain(value);
				expect(compose).toContain(value);
			}
		}
	});

	test("gives Lode settings that exist and are valid", () => {
		const names = new Set(SETTINGS.map(({ name }) => name));
		for (const name of OURS) {
			const { environment = {} } = services[name] ?? {};
			expect(Object.keys(environment).filter((variable) => !names.has(variable))).toEqual([]);
			const { config } = loadConfig({ env: { ...environment }, cwd: "/" });
			expect(config.profile).toBe("servers");
			for (const [server, address] of [
				["postgres", config.postgres.url],
				["dgraph-alpha", `x://${config.dgraph.address}`],
				["weaviate", config.weaviate.url],
				["minio", config.s3.endpoint],
				["lakefs", config.lakefs.endpoint],
				["temporal", `x://${config.temporal.address}`],
			]) {
				expect(new URL(address as string).hostname).toBe(server);
			}
		}
	});

	test("publishes on this machine only, and holds no secret that is not for development", () => {
		for (const { ports = [] } of Object.values(services)) {
			for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
		}
		const published = Object.values(services).flatMap(({ ports = [] }) => ports.map((port) => port.split(":")[1]));
		expect(new Set(published).size).toBe(published.length);
		const text = readFileSync(join(ROOT, "docker-compose.yml"), "utf8");
		for (const line of text
			.split("\n")
			.filter((one) => /(PASSWORD|SECRET|_KEY|_PWD|_KEYS|ROOT_USER|KEY_ID): /.test(one))) {
			expect(line).toMatch(/: \$\{[A-Z0-9_]+:-(?:AKIA)?development/i);
		}
	});

	test("waits for health: every server has a check, and what depends on it waits for that", () => {
		for (const [name, { healthcheck }] of others) {
			if (name !== "temporal-ui") expect([name, healthcheck?.test[0]]).toEqual([name, "CMD"]);
		}
		expect(services.api?.healthcheck).toBeDefined();
		for (const [name, { depends_on = {} }] of Object.entries(services)) {
			for (const [server, { condition }] of Object.entries(depends_on)) {
				const completed = server === "migrate";
				expect([name, condition]).toEqual([name, completed ? "service_completed_successfully" : "service_healthy"]);
				if (!completed) expect(services[server]?.healthcheck).toBeDefined();
			}
		}
		expect(Object.keys(services.migrate?.depends_on ?? {}).sort()).toEqual(
			["postgres", "dgraph-alpha", "weaviate", "minio", "temporal"].sort(),
		);
	});

	test("keeps data in volumes that are declared, and mounts files that exist", () => {
		const used = new Set<string>();
		for (const [name, { volumes: mounts = [] }] of Object.entries(services)) {
			for (const mount of mounts) {
				const [from = ""] = mount.split(":");
				if (from.startsWith("./")) expect([name, existsSync(join(ROOT, from))]).toEqual([name, true]);
				else used.add(from);
			}
		}
		expect([...used].sort()).toEqual(Object.keys(volumes).sort());
		for (const name of ["postgres", "dgraph-zero", "dgraph-alpha", "weaviate", "minio", "lakefs", "prometheus"]) {
			expect([name, services[name]?.volumes?.some((mount) => !mount.startsWith("./"))]).toEqual([name, true]);
		}
	});

	test("runs our own containers without rights that they do not need", () => {
		for (const name of OURS) {
			expect(services[name]).toMatchObject({ read_only: true, cap_drop: ["ALL"] });
		}
	});

	test("Prometheus asks servers that are there, at ports that they have", () => {
		const { scrape_configs } = parse(readFileSync(join(ROOT, "deploy/prometheus/prometheus.yml"), "utf8")) as {
			scrape_configs: {
				job_name: string;
				static_configs?: { targets: string[] }[];
				dns_sd_configs?: { names: string[]; port: number }[];
			}[];
		};
		const targets = scrape_configs.flatMap(({ static_configs = [], dns_sd_configs = [] }) => [
			...static_configs.flatMap((one) => one.targets),
			...dns_sd_configs.flatMap(({ names, port }) => names.map((name) => `${name}:${port}`)),
		]);
		for (const target of targets) {
			const [host = ""] = target.split(":");
			expect([target, host === "localhost" || host in services]).toEqual([target, true]);
		}
		const { gateway, worker } = services;
		expect(targets).toContain(`gateway:${gateway?.environment?.LODE_METRICS_GATEWAY_PORT}`);
		expect(targets).toContain(`worker:${worker?.environment?.LODE_METRICS_WORKER_PORT}`);
		expect(targets).toContain("api:8480");
		expect(services.temporal?.environment?.PROMETHEUS_ENDPOINT).toBe("0.0.0.0:9090");
		expect(services.weaviate?.environment?.PROMETHEUS_MONITORING_ENABLED).toBe("true");
		expect(services.minio?.environment?.MINIO_PROMETHEUS_AUTH_TYPE).toBe("public");
	});
});
