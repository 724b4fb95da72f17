import type { Command } from "commander";
import { ERROR_CODES } from "../../domain/errors.js";
import type { Cli } from "../cli.js";

export function registerRebuild(program: Command, cli: Cli): void {
	const command = program
		.command("rebuild")
		.helpGroup("Keep in order:")
		.summary("make the catalog and the stores again from the archive alone")
		.description(
			"Restores the catalog from the events and change sets in the archive, discards what the archive does not know, fills graph and vectors anew where they are not what was published, and verifies all of it. Stop everything else of Lode first. Commits after the last archived event are ingested again when Lode starts.",
		)
		.option("--replace", "also where the catalog is not empty: what it holds is deleted")
		.option("--read-models", "fill graph and vectors anew also where they are intact")
		.addHelpText(
			"after",
			`
Examples:
  $ lode rebuild
  $ lode rebuild --replace --read-models

Exits with 5 when something is damaged all the same.
--json prints {ok, events, sources, entries, restaged, discarded, nextSeq, snapshot, stores, problems}.`,
		);
	cli.action(command, async (invocation, { replace, readModels }: { replace?: boolean; readModels?: boolean }) => {
		const report = await cli.dependencies.rebuild(await invocation.config(), {
			replace: replace === true,
			readModels: readModels === true,
			onProgress: (done) => invocation.note(done),
		});
		await invocation.result(report, async () => (await import("../format.js")).rebuildText(report));
		if (!report.ok) invocation.exitCode = ERROR_CODES.VERIFICATION_FAILED.exit;
	});
}
