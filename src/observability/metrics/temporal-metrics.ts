import getPort from "get-port";
import { serverPorts } from "../../domain/server-ports.js";
import type { Metrics } from "./metrics.js";

const HOST = "127.0.0.1";
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
	const bindAddress = `${HOST}:${await getPort({ host: HOST, port: serverPorts() })}`;
	metrics.include(async () => {
		const answer = await fetch(`http://${bindAddress}/metrics`, { signal: AbortSignal.timeout(READ_MS) });
		return answer.ok ? answer.text() : "";
	});
	return {
		prometheus: { bindAddress, unitSuffix: true, countersTotalSuffix: true, useSecondsForDurations: true },
	};
}
