import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { findTemporal } from "../../temporal/server/find.js";
import { canUnpack, findProgram, installFolder, UNPACK } from "./binaries.js";
import { SERVERS } from "./definitions/table.js";
import type { ServerName } from "./server.js";
import { SERVER_VERSIONS } from "./versions.js";

type Report = (line: string) => void;
const PROGRESS_MS = 10_000;

/** `go install` into an empty folder, then one step to the place: nobody ever starts half a program. Two to four minutes each. */
async function buildWithGo(target: string, built: string, program: string, report: Report): Promise<void> {
	const folder = installFolder(program);
	mkdirSync(folder, { recursive: true });
	const into = mkdtempSync(join(folder, "new-"));
	try {
		report(`Building ${program} with Go (${target}); this takes some minutes, once …`);
		const started = performance.now();
		const env: NodeJS.ProcessEnv = { ...process.env, GOBIN: into, CGO_ENABLED: "0" };
		for (const name of ["GOFLAGS", "GOOS", "GOARCH", "GO111MODULE", "GOWORK"]) delete env[name];
		const go = spawn("go", ["install", target], { env, stdio: ["ignore", "ignore", "inherit"] });
		const progress = setInterval(() => {
			report(`Building ${program}: ${Math.round((performance.now() - started) / 1_000)} s`);
		}, PROGRESS_MS);
		try {
			await new Promise<void>((resolve, reject) => {
				go.once("error", reject);
				go.once("close", (code) => (code === 0 ? resolve() : reject(new Error(`go install ended with code ${code}`))));
			});
		} finally {
			clearInterval(progress);
		}
		renameSync(join(into, built), join(folder, program));
	} finally {
		rmSync(into, { recursive: true, force: true });
	}
}

function unpackShared(report: Report): void {
	if (!canUnpack()) return;
	report(`Unpacking Dgraph and lakeFS from ${UNPACK} …`);
	const { status } = spawnSync(UNPACK, [installFolder("dgraph")], { stdio: "inherit" });
	if (status !== 0) throw new Error(`${UNPACK} ended with code ${status}`);
}

/** From the system's packages, where this user may install them. */
function installPostgres(report: Report): void {
	if (process.getuid?.() !== 0) return;
	report("Installing Postgres from the system's packages …");
	for (const args of [
		["update", "-q"],
		["install", "-y", "-q", "postgresql"],
	]) {
		const { status, error } = spawnSync("apt-get", args, {
			stdio: "inherit",
			env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
		});
		if (error !== undefined || status !== 0) return;
	}
}

const INSTALLERS: Readonly<Record<ServerName, (report: Report) => Promise<void> | void>> = {
	temporal: async (report) => void (await findTemporal({ temporal: {}, cacheDir: process.env.LODE_CACHE_DIR }, report)),
	postgres: installPostgres,
	dgraph: unpackShared,
	lakefs: unpackShared,
	minio: (report) =>
		buildWithGo(`${SERVER_VERSIONS.minio.module}@${SERVER_VERSIONS.minio.version}`, "minio", "minio", report),
	weaviate: (report) =>
		buildWithGo(
			`${SERVER_VERSIONS.weaviate.module}@${SERVER_VERSIONS.weaviate.version}`,
			"weaviate-server",
			"weaviate",
			report,
		),
};

export const isInstalled = (name: ServerName): boolean =>
	SERVERS[name].programs.every((program) => findProgram(program) !== undefined);

/** Gets what is missing, as far as it can; says why where it cannot. Returns what is missing still. */
export async function installServers(names: readonly ServerName[], report: Report): Promise<ServerName[]> {
	for (const name of names) {
		if (isInstalled(name)) continue;
		try {
			await INSTALLERS[name](report);
		} catch (error) {
			report(`${SERVERS[name].title}: ${error instanceof Error ? error.message : String(error)}`);
		}
	}
	return names.filter((name) => !isInstalled(name));
}
