import { createServer } from "node:net";
import type { Metrics } from "./metrics.js";

const READ_MS = 5_000;

/** What of `Runtime.install`'s options has the Temporal SDK serve its own metrics. */
export interface TemporalMetrics {
	readonly prometheus: {
		readonly bindAddress: string;
		readonly unitSuffix: true;
		readonly countersTotalSuffix: true;
		readonly useSecondsForDurations: true;
	};
}

/**
 * The SDK's core measures outside of Node and serves what it measured on a port of its own: a free one of this machine, whose page becomes part of
 * ours.
 */
export async function temporalMetrics(metrics: Metrics): Promise<TemporalMetrics> {
	const bindAddress = `127.0.0.1:${await freePort()}`;
	metrics.include(async () => {
		const answer = await fetch(`http://${bindAddress}/metrics`, { signal: AbortSignal.timeout(READ_MS) });
		return answer.ok ? answer.text() : "";
	});
	return {
		prometheus: { bindAddress, unitSuffix: true, countersTotalSuffix: true, useSecondsForDurations: true },
	};
}

async function freePort(): Promise<number> {
	const server = createServer();
	await new Promise<void>((resolve, reject) => {
		server.once("error", reject);
		server.listen(0, "127.0.0.1", resolve);
	});
	const { port } = server.address() as { port: number };
	await new Promise((resolve) => server.close(resolve));
	return port;
}
