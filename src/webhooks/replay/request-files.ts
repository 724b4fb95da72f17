import { randomUUID } from "node:crypto";
import { access, lstat, mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { syncFolder } from "../ledger/sync-folder.js";

/** Receipts that wait again, asked for in a file: only the ledger's owner writes the ledger. `{"ids": ["rcp-1", …]}`. */

const SUFFIX = ".json";
/** Far more ids than a ledger holds. Bytes. */
const LARGEST = 64 * 1024 * 1024;
const ID = /^rcp-\d{1,15}$/;

export const requestsFolder = (ledger: string): string => join(ledger, "requests");
/** Where what is no request goes. */
const refusedFolder = (ledger: string): string => join(requestsFolder(ledger), "refused");

/** The folder is the owner's: who asks may be another user. */
export async function makeRequestsFolder(ledger: string): Promise<void> {
	await mkdir(requestsFolder(ledger), { recursive: true, mode: 0o700 });
}

/** What became of a request: the owner deletes those that it took, and sets aside what it cannot read. */
export type RequestOutcome = "pending" | "taken" | "refused";

export interface ReplayRequest {
	outcome(): Promise<RequestOutcome>;
	withdraw(): Promise<void>;
}

/** On the disk when it resolves, and there in one step: the owner never sees half of it. */
export async function writeRequest(ledger: string, ids: readonly string[]): Promise<ReplayRequest> {
	await makeRequestsFolder(ledger);
	const name = `${randomUUID()}${SUFFIX}`;
	const path = join(requestsFolder(ledger), name);
	const fresh = `${path}.part`;
	try {
		const handle = await open(fresh, "wx", 0o600);
		try {
			await handle.writeFile(JSON.stringify({ ids }));
			await handle.sync();
		} finally {
			await handle.close();
		}
		await rename(fresh, path);
	} catch (error) {
		await rm(fresh, { force: true });
		throw error;
	}
	await syncFolder(requestsFolder(ledger));
	return {
		async outcome() {
			if (await isThere(path)) return "pending";
			return (await isThere(join(refusedFolder(ledger), name))) ? "refused" : "taken";
		},
		withdraw: () => rm(path, { force: true }),
	};
}

/** Paths, in a stable order. None where there is no folder. */
export async function requestPaths(ledger: string): Promise<string[]> {
	const folder = requestsFolder(ledger);
	const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
		if (error.code === "ENOENT") return [];
		throw error;
	});
	return names
		.filter((name) => name.endsWith(SUFFIX))
		.sort()
		.map((name) => join(folder, name));
}

/** The ids that it asks for. @throws where it is no request */
export async function readRequest(path: string): Promise<ReadonlySet<string>> {
	const found = await lstat(path);
	// Reading a pipe would never end.
	if (!found.isFile()) throw new Error("it is no file");
	if (found.size > LARGEST) throw new Error(`it is larger than ${LARGEST} bytes`);
	const { ids } = (JSON.parse(await readFile(path, "utf8")) ?? {}) as { ids?: unknown };
	const isId = (id: unknown): id is string => typeof id === "string" && ID.test(id);
	if (!Array.isArray(ids) || !ids.every(isId)) throw new Error("it holds no list of receipt ids");
	return new Set(ids);
}

/** Out of the way, for people to look at. Returns where it is then. */
export async function setAside(ledger: string, path: string): Promise<string> {
	await mkdir(refusedFolder(ledger), { recursive: true, mode: 0o700 });
	const aside = join(refusedFolder(ledger), basename(path));
	await rename(path, aside);
	return aside;
}

const isThere = (path: string): Promise<boolean> =>
	access(path).then(
		() => true,
		(error: NodeJS.ErrnoException) => {
			if (error.code === "ENOENT") return false;
			throw error;
		},
	);
