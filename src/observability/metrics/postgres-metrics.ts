import type { Metrics } from "./metrics.js";

/** Of a pool of connections, as far as it is measured. */
export interface MeasuredPool {
	connections(): Promise<{ readonly busy: number; readonly idle: number; readonly waiting: number }>;
	/** Of all that the installation has there. Bytes. */
	size(): Promise<number>;
}

/** Pages may be asked for often. Milliseconds. */
const SIZE_EVERY_MS = 60_000;

export function measurePostgres(pool: MeasuredPool, metrics: Metrics): void {
	metrics.gauge("postgresConnections", async (set) => {
		for (const [state, count] of Object.entries(await pool.connections())) set(count, { state });
	});
	let known: { readonly at: number; readonly bytes: number } | undefined;
	metrics.gauge("postgresBytes", async (set) => {
		if (known === undefined || performance.now() - known.at > SIZE_EVERY_MS) {
			known = { at: performance.now(), bytes: await pool.size() };
		}
		set(known.bytes);
	});
}
