import type { Setting } from "./setting.js";
import { flag, httpUrl, integer, list, object, oneOf, text } from "./setting-values.js";

/** What decides who may ask is from the environment only: a lode.config.json may come with a repository. */
export const API_SETTINGS: readonly Setting[] = [
	{ name: "LODE_API_HOST", key: "api.host", describe: "address that the API listens on" },
	{ name: "LODE_API_PORT", key: "api.port", describe: "port that the API listens on" },
	{
		name: "LODE_API_AUTHENTICATION",
		key: "api.authentication",
		describe:
			"auto: everybody has to show a key or a token once there was a key, where an issuer is set, and beyond this machine; required: always; off: never",
		environmentOnly: true,
	},
	{
		name: "LODE_API_ALLOW_ANONYMOUS",
		key: "api.allowAnonymous",
		describe: "true: the API may listen beyond this machine, though it asks nobody who they are",
		environmentOnly: true,
	},
	{ name: "LODE_API_EXPLORER", key: "api.explorer", describe: "true: the API serves a page to try GraphQL on" },
	{
		name: "LODE_API_RATE",
		key: "api.requestsPerMinute",
		describe: "requests a minute of one key or token, and of one address that shows none that is valid",
	},
	{
		name: "LODE_API_CORS_ORIGINS",
		key: "api.corsOrigins",
		describe: "origins whose pages may use the API, separated by commas",
		environmentOnly: true,
	},
	{
		name: "LODE_API_LOCAL_PATHS",
		key: "api.localPaths",
		describe: "true: admins with a key or a token may name folders and repositories of the server's own machine",
		environmentOnly: true,
	},
	{
		name: "LODE_OIDC_ISSUER",
		key: "oidc.issuer",
		describe: "issuer of tokens (OpenID Connect) that the API and lode mcp --http accept",
		environmentOnly: true,
	},
	{
		name: "LODE_OIDC_AUDIENCE",
		key: "oidc.audience",
		describe: "what a token has to be meant for (aud)",
		environmentOnly: true,
	},
	{
		name: "LODE_OIDC_ROLES_CLAIM",
		key: "oidc.rolesClaim",
		describe: "claim of a token that holds its roles; dots lead into objects",
		environmentOnly: true,
	},
	{
		name: "LODE_REMOTE_GUARD",
		key: "remotes.guard",
		describe:
			"api: repositories named over the API by key or token lie at public addresses; always: all remote ones do, whoever named them, and the embedding endpoint too; off: anywhere",
		environmentOnly: true,
	},
	{
		name: "LODE_REMOTE_ALLOW",
		key: "remotes.allow",
		describe: "hosts and address ranges that are as good as public ones, separated by commas",
		environmentOnly: true,
	},
];

const origin = text.regex(/^https?:\/\/[^/\s@?#]+$/, "must be origins, e.g. https://app.example.org");

export const apiShape = {
	api: object({
		host: text.default("127.0.0.1"),
		port: integer(0, 65_535).default(8_480),
		authentication: oneOf(["auto", "required", "off"]).default("auto"),
		allowAnonymous: flag.default(false),
		explorer: flag.default(false),
		requestsPerMinute: integer(1, 10_000_000).default(6_000),
		corsOrigins: list
			.refine(
				(origins) => origins.every((one) => origin.safeParse(one).success),
				"must be origins, e.g. https://app.example.org",
			)
			.optional(),
		localPaths: flag.default(false),
	}).prefault({}),
	oidc: object({
		issuer: httpUrl("none")
			.refine((url) => /^(https:|http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:|\/|$))/.test(url), "must be an https URL")
			.optional(),
		audience: text.optional(),
		rolesClaim: text.default("lode_roles"),
	})
		.refine(({ issuer, audience }) => (issuer === undefined) === (audience === undefined), {
			error: "is needed together with LODE_OIDC_ISSUER",
			path: ["audience"],
		})
		.prefault({}),
	remotes: object({
		guard: oneOf(["api", "always", "off"]).default("api"),
		allow: list.optional(),
	}).prefault({}),
};
