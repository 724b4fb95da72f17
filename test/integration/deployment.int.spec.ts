import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { describe, expect, test } from "vitest";
import { KUBERNETES, ROOT } from "../deploy/deploy-files.js";
import { hasDeployTool, runTool } from "../deploy/deploy-tools.js";
import { findProgram } from "../servers/binaries.js";
import { SERVER_VERSIONS } from "../servers/versions.js";
import { hasServer, ownServer } from "../support/servers.js";

// Real: docker-compose and kubernetes-validate, the programs that the tests run, Postgres. No container engine and no cluster is asked.
describe.runIf(hasDeployTool("docker-compose"))("docker-compose config", () => {
	const config = (file: string) =>
		runTool("docker-compose", ["--project-directory", ROOT, "-f", file, "config", "--quiet"]);

	test("accepts docker-compose.yml, and refuses one with a mistake", () => {
		const { status, stderr } = config(join(ROOT, "docker-compose.yml"));
		expect([stderr, status]).toEqual(["", 0]);
		const folder = mkdtempSync(join(tmpdir(), "lode-compose-"));
		try {
			const text = readFileSync(join(ROOT, "docker-compose.yml"), "utf8");
			const planted = join(folder, "docker-compose.yml");
			for (const [from, to] of [
				["healthcheck:", "helthcheck:"],
				["condition: service_healthy", "condition: service_heathy"],
				["  lakefs:\n    #", "  lakefs:\n    depends_on: [nobody]\n    #"],
			] as const) {
				expect(text).toContain(from);
				writeFileSync(planted, text.replace(from, to));
				expect(config(planted).status).not.toBe(0);
			}
		} finally {
			rmSync(folder, { recursive: true });
		}
	});
});

describe.runIf(hasDeployTool("kubernetes-validate"))("kubernetes-validate", () => {
	const validate = (folder: string) => {
		const files = ["api", "config", "migrate", "namespace", "network-policy", "service-account", "worker"];
		return runTool("kubernetes-validate", ["--strict", ...files.map((file) => join(folder, `${file}.yaml`))]);
	};

	test("accepts every manifest, and refuses one with a mistake", () => {
		const { status, stdout, stderr } = validate(KUBERNETES);
		expect([status, stderr]).toEqual([0, ""]);
		expect(stdout.match(/passed for resource/g)?.length).toBe(11);
		const folder = mkdtempSync(join(tmpdir(), "lode-kubernetes-"));
		try {
			cpSync(KUBERNETES, folder, { recursive: true });
			const text = readFileSync(join(folder, "api.yaml"), "utf8");
			writeFileSync(join(folder, "api.yaml"), text.replace("readinessProbe:", "readynessProbe:"));
			const refused = validate(folder);
			expect(refused.status).not.toBe(0);
			expect(refused.stdout + refused.stderr).toContain("readynessProbe");
		} finally {
			rmSync(folder, { recursive: true });
		}
	});
});

describe("the programs that the tests run", () => {
	const said = (program: string, ...args: string[]) =>
		execFileSync(findProgram(program) as string, args, { encoding: "utf8" });
	/** What Go's linker wrote into it: the module of the main program and its version. */
	const built = (program: string) => {
		const lines = execFileSync("go", ["version", "-m", findProgram(program) as string], { encoding: "utf8" });
		const [, path] = /^\tpath\t(\S+)/m.exec(lines) ?? [];
		const [, module, version] = /^\tmod\t(\S+)\t(\S+)/m.exec(lines) ?? [];
		return { path, module, version };
	};

	test.runIf(hasServer("temporal"))("Temporal", () => {
		const { server, ui } = SERVER_VERSIONS.temporal;
		expect(said("temporal", "--version")).toContain(`(Server ${server}, UI ${ui})`);
	});

	test.runIf(hasServer("postgres"))("Postgres", () => {
		expect(said("postgres", "--version")).toMatch(new RegExp(` ${SERVER_VERSIONS.postgres.major}\\.\\d+`));
	});

	test.runIf(hasServer("weaviate"))("Weaviate", () => {
		const { module, version } = SERVER_VERSIONS.weaviate;
		expect(built("weaviate")).toMatchObject({ path: module, version });
	});

	test.runIf(hasServer("minio"))("MinIO", () => {
		const { module, version } = SERVER_VERSIONS.minio;
		expect(built("minio")).toMatchObject({ module, version });
	});

	// Built from a checkout: the module's path tells the major version, and its version is `(devel)`.
	test.runIf(hasServer("dgraph"))("Dgraph", () => {
		expect(built("dgraph").module).toBe(SERVER_VERSIONS.dgraph.module);
	});

	test.runIf(hasServer("lakefs"))("lakeFS", () => {
		expect(built("lakefs").module).toBe(SERVER_VERSIONS.lakefs.module);
	});
});

describe.runIf(hasServer("postgres"))("deploy/postgres/init.sh", () => {
	test("makes databases of their own for Lode and Temporal, whatever the passwords are", async () => {
		const server = await ownServer("postgres");
		try {
			const url = new URL(server.addresses.url);
			// The image's superuser is called postgres.
			const first = new Client({ connectionString: url.toString() });
			await first.connect();
			await first.query(`CREATE ROLE postgres SUPERUSER LOGIN PASSWORD '${url.password}'`);
			await first.end();
			const admin = new Client({
				host: url.hostname,
				port: Number(url.port),
				user: "postgres",
				database: "postgres",
				password: url.password,
			});
			await admin.connect();
			await admin.query(`ALTER ROLE "${url.username}" RENAME TO another`);
			await admin.end();
			const password = `it's "${randomBytes(4).toString("hex")}" \\ $x`;
			execFileSync("sh", [join(ROOT, "deploy/postgres/init.sh")], {
				stdio: ["ignore", "ignore", "pipe"],
				env: {
					PATH: process.env.PATH,
					PGHOST: url.hostname,
					PGPORT: url.port,
					PGPASSWORD: url.password,
					POSTGRES_USER: "postgres",
					LODE_PASSWORD: password,
					TEMPORAL_PASSWORD: "other",
				},
			});
			for (const [user, database, secret] of [
				["lode", "lode", password],
				["temporal", "temporal", "other"],
				["temporal", "temporal_visibility", "other"],
			] as const) {
				const client = new Client({ host: url.hostname, port: Number(url.port), user, database, password: secret });
				await client.connect();
				await client.query("CREATE TABLE public.made (id int)");
				// Temporal's visibility schema wants it.
				if (user === "temporal") await client.query("CREATE EXTENSION btree_gin");
				await client.end();
			}
		} finally {
			await server.destroy();
		}
	});
});
