import type { Setting } from "./setting.js";
import { integer, object, secret, text } from "./setting-values.js";

const of = (sender: string, key: string): Setting => ({
	name: `LODE_WEBHOOK_SECRET_${sender.toUpperCase()}`,
	key: `webhooks.secrets.${key}`,
	describe: `shared with ${sender}: its webhooks are taken where this is set`,
	secret: true,
});

export const WEBHOOK_SETTINGS: readonly Setting[] = [
	{ name: "LODE_WEBHOOK_HOST", key: "webhooks.host", describe: "address that the webhook gateway listens on" },
	{ name: "LODE_WEBHOOK_PORT", key: "webhooks.port", describe: "port that the webhook gateway listens on" },
	of("lakeFS", "lakefs"),
	of("GitHub", "github"),
	of("GitLab", "gitlab"),
	of("Gitea", "gitea"),
	of("Generic", "generic"),
	{
		name: "LODE_WEBHOOK_LEDGER_BYTES",
		key: "webhooks.ledgerBytes",
		describe: "what the ledger of webhooks may take on the disk",
	},
	{
		name: "LODE_WEBHOOK_RATE",
		key: "webhooks.requestsPerMinute",
		describe: "webhooks of one address a minute",
	},
];

const MEBIBYTE = 1024 * 1024;

export const webhookShape = {
	webhooks: object({
		host: text.default("127.0.0.1"),
		port: integer(0, 65_535).default(8_481),
		secrets: object({
			lakefs: secret.optional(),
			github: secret.optional(),
			gitlab: secret.optional(),
			gitea: secret.optional(),
			generic: secret.optional(),
		}).prefault({}),
		ledgerBytes: integer(MEBIBYTE, 1024 * 1024 * MEBIBYTE).default(1024 * MEBIBYTE),
		requestsPerMinute: integer(1, 10_000_000).default(6_000),
	}).prefault({}),
};
