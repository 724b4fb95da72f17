import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import type { Cli } from "../cli.js";

export function registerInit(program: Command, cli: Cli): void {
	const command = program
		.command("init")
		.helpGroup("Set up:")
		.summary("create the home and lode.config.json")
		.description("Creates Lode's home and lode.config.json where they are missing. What is there stays.")
		.addHelpText(
			"after",
			"\nExamples:\n  $ lode init\n  $ lode init --home /srv/lode\n\n--json prints {home, file, created}.",
		);
	cli.action(command, async (invocation) => {
		const { loadConfig } = await import("../../config/config.js");
		const { writeConfigFile } = await import("../../config/config-file.js");
		const { config, file, fileExists } = loadConfig(invocation.sources);
		const created: string[] = [];
		if (!existsSync(config.home)) created.push(config.home);
		await mkdir(config.home, { recursive: true });
		// Nobody wants databases in their commits.
		const ignore = join(config.home, ".gitignore");
		if (!existsSync(ignore)) await writeFile(ignore, "*\n");
		if (!fileExists) {
			writeConfigFile(file, { profile: "embedded" });
			created.push(file);
		}
		await invocation.result({ home: config.home, file, created }, () =>
			[
				...(created.length === 0 ? ["Everything is there already."] : created.map((path) => `Created ${path}`)),
				"",
				"Next:",
				"  lode doctor          what is found and what is missing",
				"  lode ingest .        ingest this folder's repository",
				'  lode search "…"      search it',
				"  lode dev             keep Temporal and a worker running",
			].join("\n"),
		);
	});
}
