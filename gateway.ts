import { runServer } from "./src/api/run-server.js";
import { createGateway } from "./src/api/webhooks/create-gateway.js";
import { Metrics } from "./src/observability/metrics/metrics.js";
import { offerMetrics } from "./src/observability/metrics/metrics-server.js";
import { ownFolder } from "./src/runtime/single-owner.js";
import { ledgerFolder } from "./src/webhooks/ledger/segment-files.js";
import { dispatchPorts } from "./src/wiring.js";

/** Starts the webhook gateway. Prints `{"ready":true,"url":…}` on standard output when it accepts; its log goes to standard error. */
await runServer("LODE_WEBHOOK_HOST and LODE_WEBHOOK_PORT", "lode-gateway", async (config, log) => {
	const { webhooks, home } = config;
	const folder = ledgerFolder(home);
	// Two would write over each other.
	const giveUp = await ownFolder(folder, "the gateway");
	const metrics = config.metrics.gatewayPort === undefined ? undefined : new Metrics();
	const page = await offerMetrics(metrics, { host: config.metrics.host, port: config.metrics.gatewayPort }, log);
	const server = await createGateway({
		...webhooks,
		ledger: { folder, maxBytes: webhooks.ledgerBytes },
		dispatch: dispatchPorts(config, metrics),
		log,
		metrics,
	});
	return {
		url: server.url,
		async close() {
			await server.close();
			await page?.close();
			await giveUp();
		},
	};
});
