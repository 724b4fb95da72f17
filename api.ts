import { createApi } from "./src/api/create-api.js";
import { runServer } from "./src/api/run-server.js";
import { Metrics } from "./src/observability/metrics/metrics.js";
import { openApiServices } from "./src/wiring.js";

const metrics = new Metrics();

/** Starts the HTTP API. Prints `{"ready":true,"url":…}` on standard output when it listens; its log goes to standard error. */
await runServer("LODE_API_HOST and LODE_API_PORT", "lode-api", (config, log) =>
	createApi({ ...config.api, open: () => openApiServices(config, metrics), log, metrics }),
);
