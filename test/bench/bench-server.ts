import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pLimit from "p-limit";
import { Fleet } from "../servers/fleet.js";
import { startServer } from "../servers/processes.js";
import type { ServerAddresses, ServerName } from "../servers/server.js";

/** A server of the bench's own on this machine, with data that is deleted afterwards. */
export async function withServer<N extends ServerName, T>(
	name: N,
	work: (addresses: ServerAddresses[N]) => Promise<T>,
): Promise<T> {
	const fleet = new Fleet(mkdtempSync(join(tmpdir(), "lode-bench-server-")));
	fleet.create();
	const stop = () => void fleet.destroyAll().finally(() => process.exit(130));
	process.once("SIGINT", stop).once("SIGTERM", stop);
	try {
		const { addresses } = await startServer(name, fleet.dataFolder(name), {}, (server) => fleet.write(name, server));
		return await work(addresses);
	} finally {
		process.off("SIGINT", stop).off("SIGTERM", stop);
		await fleet.destroyAll();
	}
}

/** Batches of work done so many at a time, as a worker does: things a second. */
export async function rate<T>(
	batches: readonly (readonly T[])[],
	atOnce: number,
	work: (batch: readonly T[], index: number) => Promise<unknown>,
): Promise<number> {
	const limit = pLimit(atOnce);
	const started = performance.now();
	await Promise.all(batches.map((batch, index) => limit(() => work(batch, index))));
	const seconds = (performance.now() - started) / 1_000;
	return batches.reduce((sum, batch) => sum + batch.length, 0) / seconds;
}

export function batchesOf<T>(items: readonly T[], size: number): T[][] {
	return Array.from({ length: Math.ceil(items.length / size) }, (_, at) => items.slice(at * size, (at + 1) * size));
}

/** Milliseconds of each call, one after the other; the first `warm` are not counted. */
export async function latencies<T>(
	items: readonly T[],
	work: (item: T) => Promise<unknown>,
	warm = 5,
): Promise<number[]> {
	const series: number[] = [];
	for (const [at, item] of items.entries()) {
		const started = performance.now();
		await work(item);
		if (at >= warm) series.push(performance.now() - started);
	}
	return series;
}
