import type { Command } from "commander";
import type { Cli } from "../cli.js";

export function registerMigrate(program: Command, cli: Cli): void {
	const command = program
		.command("migrate")
		.helpGroup("Set up:")
		.summary("create or upgrade what Lode keeps on its servers")
		.description(
			"Brings the schema of every configured server to this version: tables, collections, buckets, the Temporal namespace and its search attributes. Repeatable; run it once before a new version is rolled out. Files of the embedded profile are upgraded when they are opened.",
		)
		.addHelpText("after", "\nExample:\n  $ lode migrate\n\n--json prints {migrated: [{server, done}]}.");
	cli.action(command, async (invocation) => {
		const config = await invocation.config();
		const migrated = await cli.dependencies.migrateServers(config, invocation.note);
		await invocation.result({ migrated }, async () => {
			if (migrated.length === 0) return "No server is configured: the embedded profile needs no migration.";
			const { table } = await import("../format.js");
			return table(
				["server", "done"],
				migrated.map(({ server, done }) => [server, done]),
			);
		});
	});
}
