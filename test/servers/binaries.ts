import { accessSync, constants, existsSync, readdirSync, statSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { delimiter, dirname, isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";
import envPaths from "env-paths";
import { cacheFolder } from "../../temporal/server/find.js";
import { SERVER_VERSIONS } from "./versions.js";

/** Paths of programs by name; those that are missing are left out. */
export type Binaries = Readonly<Record<string, string | undefined>>;

/** Writes dgraph and lakefs into a folder, on machines that have it beside the checkout. */
export const UNPACK = fileURLToPath(new URL("../../../shared/servers/unpack", import.meta.url));

export const cacheBase = (): string => process.env.LODE_CACHE_DIR ?? envPaths("lode", { suffix: "" }).cache;

/** Where `servers:install` puts what it made. */
export function installFolder(program: string): string {
	const version = { minio: SERVER_VERSIONS.minio.version, weaviate: SERVER_VERSIONS.weaviate.version }[program];
	return join(cacheBase(), "bin", version === undefined ? "shared-servers" : `${program}-${version}`);
}

/** Where `servers:up` keeps data and writes down what runs. Not below a home: Postgres may run as a user who cannot get in there. */
export const upFolder = (): string => join(tmpdir(), `lode-servers-up-${userInfo().uid}`);

/** What a program may be called. */
const ALIASES: Readonly<Record<string, readonly string[]>> = { weaviate: ["weaviate", "weaviate-server"] };

function isProgram(file: string): boolean {
	try {
		accessSync(file, constants.X_OK);
		return statSync(file).isFile();
	} catch {
		return false;
	}
}

/** Debian keeps the server's programs beside those that it puts on PATH. Newest first. */
function postgresFolders(): string[] {
	const root = "/usr/lib/postgresql";
	if (!existsSync(root)) return [];
	const versions = readdirSync(root).sort((a, b) => Number(b) - Number(a));
	return versions.map((version) => join(root, version, "bin"));
}

function foldersOf(program: string): string[] {
	const onPath = (process.env.PATH ?? "").split(delimiter).filter(isAbsolute);
	const named = process.env.LODE_SERVER_BINARIES;
	const folders = [...onPath, ...(named ? [named] : []), installFolder(program)];
	if (program === "temporal") folders.push(cacheFolder({ cacheDir: process.env.LODE_CACHE_DIR }));
	if (program === "postgres" || program === "initdb") folders.push(...postgresFolders());
	return folders;
}

/** PATH first, then the folder of LODE_SERVER_BINARIES, then Lode's cache, then where the system's packages lie. */
export function findProgram(program: string): string | undefined {
	for (const folder of foldersOf(program)) {
		for (const name of ALIASES[program] ?? [program]) {
			const file = join(folder, name);
			if (isProgram(file)) return file;
		}
	}
	return undefined;
}

/** `postgres` on PATH may be a link: its neighbours lie where the link leads. */
export function findBinaries(programs: readonly string[]): Binaries {
	return Object.fromEntries(programs.map((program) => [program, findProgram(program)]));
}

export const canUnpack = (): boolean => existsSync(UNPACK) && existsSync(join(dirname(UNPACK), "dgraph.zst"));
