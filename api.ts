import { createApi } from "./src/api/create-api.js";
import { runServer } from "./src/api/run-server.js";
import { openApiServices } from "./src/wiring.js";

/** Starts the HTTP API. Prints `{"ready":true,"url":…}` on standard output when it listens; its log goes to standard error. */
await runServer("LODE_API_HOST and LODE_API_PORT", (config, log) =>
	createApi({ ...config.api, open: () => openApiServices(config), log }),
);
