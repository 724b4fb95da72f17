import type { Command } from "commander";
import type { LodeKeys } from "../../services/security/handle-keys.js";
import type { Cli, Invocation } from "../cli.js";
import { wholeNumber } from "../parse.js";

interface CreateOptions {
	readonly role: readonly string[];
	readonly expires?: string;
	readonly requestsPerDay?: number;
}

/** Who may use the API from elsewhere: `key create`, `list`, `revoke`. */
export function registerKey(program: Command, cli: Cli): void {
	const key = program
		.command("key")
		.helpGroup("Keep in order:")
		.summary("API keys: make, list and revoke them")
		.description(
			"API keys, for programs that use the API or MCP over HTTP. Once there was one, everybody has to show one.",
		);
	const create = key
		.command("create")
		.summary("make an API key, and show it once")
		.description("Makes an API key and prints it. Lode keeps a hash of it only: nobody can show it again.")
		.argument("<name>", "what it is for")
		.requiredOption(
			"--role <role>",
			"viewer, editor or admin, of all sources, or of one as viewer:SOURCE; may be repeated",
			(value: string, previous: string[] = []) => [...previous, value],
		)
		.option("--expires <when>", "e.g. 90d, 12h or 2027-01-31; never where omitted")
		.option("--requests-per-day <n>", "as many at most, from midnight to midnight (UTC)", wholeNumber(1, 1_000_000_000))
		.addHelpText(
			"after",
			"\nExamples:\n  $ lode key create deploys --role editor\n  $ lode key create docs-bot --role viewer:shop --expires 90d\n\n--json prints {secret, key: {id, name, roles, createdAt, createdBy, expiresAt, revokedAt, requestsPerDay, lastUsedOn}}.",
		);
	cli.action(create, async (invocation, name: string, { role: roles, expires, requestsPerDay }: CreateOptions) => {
		const made = await withKeys(invocation, (keys) => keys.create({ name, roles, expires, requestsPerDay }));
		await invocation.result(made, () => made.secret);
		if (!invocation.json) invocation.note(`Key ${made.key.id}. It is shown this once: keep it where secrets are kept.`);
	});

	const list = key
		.command("list")
		.summary("list API keys")
		.description("Lists API keys, also revoked and expired ones, without what they are.")
		.addHelpText(
			"after",
			"\nExample:\n  $ lode key list --json\n\n--json prints {keys: [...]}, each as lode key create prints it.",
		);
	cli.action(list, async (invocation) => {
		const keys = await withKeys(invocation, (all) => all.list());
		await invocation.result({ keys }, async () => (await import("../format-keys.js")).keysText(keys));
	});

	const revoke = key
		.command("revoke")
		.summary("refuse an API key from now on")
		.description("Refuses an API key from now on, for good.")
		.argument("<id>", "see lode key list")
		.addHelpText("after", "\nExample:\n  $ lode key revoke 4f0c2d1e8b7a\n\n--json prints {key: {...}}.");
	cli.action(revoke, async (invocation, id: string) => {
		const revoked = await withKeys(invocation, (keys) => keys.revoke(id));
		await invocation.result({ key: revoked }, () => `Revoked ${revoked.id} (${revoked.name})`);
	});
}

async function withKeys<T>(invocation: Invocation, use: (keys: LodeKeys) => Promise<T>): Promise<T> {
	const keys = await invocation.dependencies.openKeys(await invocation.config());
	try {
		return await use(keys);
	} finally {
		await keys.close();
	}
}
