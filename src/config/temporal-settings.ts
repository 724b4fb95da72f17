import type { Setting } from "./setting.js";
import { flag, hostPort, oneOf, secret, text } from "./setting-values.js";

/** Names that Temporal's own tools use for the same. */
export const TEMPORAL_SETTINGS: readonly Setting[] = [
	{
		name: "LODE_TEMPORAL",
		key: "temporal.server",
		describe: "embedded: Lode starts a server where TEMPORAL_ADDRESS is unset; cluster: it never does",
	},
	{ name: "TEMPORAL_ADDRESS", key: "temporal.address", describe: "host:port of a Temporal server to use" },
	{ name: "TEMPORAL_NAMESPACE", key: "temporal.namespace", describe: "Temporal namespace" },
	{ name: "TEMPORAL_TASK_QUEUE", key: "temporal.taskQueue", describe: "task queue of this installation's workers" },
	{ name: "TEMPORAL_API_KEY", key: "temporal.apiKey", describe: "API key of the namespace", secret: true },
	{ name: "TEMPORAL_TLS", key: "temporal.tls", describe: "true: TLS; implied by an API key or a certificate" },
	{ name: "TEMPORAL_TLS_SERVER_NAME", key: "temporal.tlsServerName", describe: "name in the server's certificate" },
	{ name: "TEMPORAL_TLS_SERVER_CA_CERT_PATH", key: "temporal.tlsCaFile", describe: "PEM file of the server's CA" },
	{ name: "TEMPORAL_TLS_CLIENT_CERT_PATH", key: "temporal.tlsCertFile", describe: "PEM file of Lode's certificate" },
	{ name: "TEMPORAL_TLS_CLIENT_KEY_PATH", key: "temporal.tlsKeyFile", describe: "PEM file of that certificate's key" },
	{ name: "TEMPORAL_UI_URL", key: "temporal.uiUrl", describe: "where people reach that server's Web UI" },
];

export const temporalShape = {
	server: oneOf(["embedded", "cluster"]).optional(),
	address: hostPort.optional(),
	namespace: text.regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, "must be letters, digits, dots and dashes").default("default"),
	taskQueue: text
		.regex(/^[A-Za-z0-9][A-Za-z0-9_./-]*$/, "must be letters, digits, dots, slashes and dashes")
		.default("lode"),
	apiKey: secret.optional(),
	tls: flag.optional(),
	tlsServerName: text.optional(),
	tlsCaFile: text.optional(),
	tlsCertFile: text.optional(),
	tlsKeyFile: text.optional(),
	uiUrl: text.regex(/^https?:\/\/[^\s@]+$/, "must be an http or https URL without credentials").optional(),
};
