import { join } from "node:path";
import { runServer } from "./src/api/run-server.js";
import { createGateway } from "./src/api/webhooks/create-gateway.js";
import { dispatchPorts } from "./src/wiring.js";

/** Starts the webhook gateway. Prints `{"ready":true,"url":…}` on standard output when it listens; its log goes to standard error. */
await runServer("LODE_WEBHOOK_HOST and LODE_WEBHOOK_PORT", ({ webhooks, home, ...config }, log) =>
	createGateway({
		...webhooks,
		ledger: { folder: join(home, "ledger"), maxBytes: webhooks.ledgerBytes },
		dispatch: dispatchPorts({ ...config, home, webhooks }),
		log,
	}),
);
