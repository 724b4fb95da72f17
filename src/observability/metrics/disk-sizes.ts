import { opendir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Engines } from "../../config/requirements.js";

/** A walk through the archive may have a million files to look at: it is made in the background, and seldom. Milliseconds. */
const WALK_EVERY_MS = 5 * 60_000;

/** What the embedded engines take on the disk, by store. Bytes; engines on servers say it themselves. */
export function diskSizes(home: string, engines: Engines): () => Promise<Readonly<Record<string, number>>> {
	const databases: [string, string][] = [
		...(engines.catalog === "sqlite"
			? ([
					["catalog", "catalog.db"],
					["embeddings", "embeddings.db"],
				] as [string, string][])
			: []),
		...(engines.graph === "sqlite" ? ([["graph", "graph.db"]] as [string, string][]) : []),
		...(engines.vectors === "sqlite" ? ([["vectors", "vectors.db"]] as [string, string][]) : []),
	];
	let artifacts: number | undefined;
	let walked = Number.NEGATIVE_INFINITY;
	let walking = false;

	function walkAgain(): void {
		if (engines.artifacts !== "folder" || walking || performance.now() - walked < WALK_EVERY_MS) return;
		walking = true;
		folderSize(join(home, "artifacts"))
			.then((bytes) => {
				artifacts = bytes;
			})
			.catch(() => undefined)
			.finally(() => {
				walking = false;
				walked = performance.now();
			});
	}

	return async () => {
		walkAgain();
		const sizes: Record<string, number> = {};
		for (const [store, file] of databases) sizes[store] = await databaseSize(join(home, file));
		if (artifacts !== undefined) sizes.artifacts = artifacts;
		return sizes;
	};
}

const sizeOf = (path: string): Promise<number> =>
	stat(path).then(
		({ size }) => size,
		() => 0,
	);

/** With what waits in its log. */
const databaseSize = async (path: string): Promise<number> => (await sizeOf(path)) + (await sizeOf(`${path}-wal`));

async function folderSize(path: string): Promise<number> {
	let bytes = 0;
	for await (const entry of await opendir(path, { recursive: true })) {
		if (entry.isFile()) bytes += await sizeOf(join(entry.parentPath, entry.name));
	}
	return bytes;
}
