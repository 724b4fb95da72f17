import { existsSync } from "node:fs";
import { isAbsolute, resolve } from "node:path";
import type { Command } from "commander";
import type { Cli } from "../cli.js";

/** The worker may run in another folder: a path is made absolute here. URLs and `host:path` stay. */
function absoluteTarget(target: string, cwd: string): string {
	if (isAbsolute(target)) return target;
	const path = resolve(cwd, target);
	return target.startsWith(".") || existsSync(path) ? path : target;
}

export function registerIngest(program: Command, cli: Cli): void {
	const command = program
		.command("ingest")
		.helpGroup("Bring in:")
		.summary("ingest a commit of a repository, or a folder")
		.description(
			"Ingests the commit that TARGET's head, or REF, has now, and waits until it can be searched. Starts Temporal and a worker for " +
				"its duration when `lode dev` does not run. A repeat with nothing new does nothing.",
		)
		.argument("<target>", "a path, a URL that git clones, or lakefs://REPOSITORY[/BRANCH]")
		.option("--ref <ref>", "a branch, tag or commit instead of the head")
		.option("--no-wait", "return once the work is accepted: it is done by `lode dev`")
		.addHelpText(
			"after",
			`
Examples:
  $ lode ingest .
  $ lode ingest https://github.com/encode/httpx --ref master
  $ lode ingest ../shop --no-wait
  $ lode ingest lakefs://lake/main

--json prints {ingestion, source, commit, snapshot, outcome, files: {added, changed, removed, failed}, entities,
chunks, embedded, reused, durationMs, workflowId, runId}.`,
		);
	cli.action(command, async (invocation, target: string, options: { ref?: string; wait: boolean }) => {
		const report = await invocation.withCommander(`the ingestion of ${target}`, (commander, progress, signal) =>
			commander.ingest(absoluteTarget(target, invocation.io.cwd), {
				ref: options.ref,
				noWait: !options.wait,
				onProgress: progress.update,
				signal,
			}),
		);
		await invocation.result(report, async () => (await import("../format.js")).ingestText(report));
	});
}
