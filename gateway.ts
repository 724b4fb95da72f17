import { runServer } from "./src/api/run-server.js";
import { createGateway } from "./src/api/webhooks/create-gateway.js";
import { ownFolder } from "./src/runtime/single-owner.js";
import { ledgerFolder } from "./src/webhooks/ledger/segment-files.js";
import { dispatchPorts } from "./src/wiring.js";

/** Starts the webhook gateway. Prints `{"ready":true,"url":…}` on standard output when it accepts; its log goes to standard error. */
await runServer("LODE_WEBHOOK_HOST and LODE_WEBHOOK_PORT", async (config, log) => {
	const { webhooks, home } = config;
	const folder = ledgerFolder(home);
	// Two would write over each other.
	const giveUp = await ownFolder(folder, "the gateway");
	const server = await createGateway({
		...webhooks,
		ledger: { folder, maxBytes: webhooks.ledgerBytes },
		dispatch: dispatchPorts(config),
		log,
	});
	return {
		url: server.url,
		async close() {
			await server.close();
			await giveUp();
		},
	};
});
