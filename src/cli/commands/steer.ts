import type { Command } from "commander";
import { ERROR_CODES } from "../../domain/errors.js";
import type { Cli } from "../cli.js";

/** What changes the course of ingestions and sources: `retry`, `cancel`, `remove`, `gc`. */
export function registerSteer(program: Command, cli: Cli): void {
	const retry = program
		.command("retry")
		.helpGroup("Bring in:")
		.summary("try parked ingestions again")
		.description("Tries one parked ingestion again, or all of them, and waits for it.")
		.argument("[ingestion]", "see lode status")
		.addHelpText(
			"after",
			"\nExamples:\n  $ lode retry\n  $ lode retry ing-12\n\n--json prints {retried: [...], failed: [{ingestion, failure}]}.",
		);
	cli.action(retry, async (invocation, ingestion: string | undefined) => {
		const report = await invocation.withCommander("the retry", (commander, progress, signal) =>
			commander.retry(ingestion, { onProgress: progress.update, signal }),
		);
		await invocation.result(report, async () => {
			const { ingestText } = await import("../format.js");
			const failed = report.failed.map(({ ingestion: id, failure: { code, message, next } }) =>
				code === "SOURCE_BUSY"
					? `Not yet: ${message}${next ? `\n  ${next}` : ""}`
					: `Failed again: ${id}: ${code}: ${message}`,
			);
			const lines = [...report.retried.map(ingestText), ...failed];
			return lines.length === 0 ? "Nothing is parked." : lines.join("\n");
		});
		if (report.failed.length > 0) invocation.exitCode = ERROR_CODES.INGESTION_FAILED.exit;
	});

	const cancel = program
		.command("cancel")
		.helpGroup("Bring in:")
		.summary("stop an ingestion and discard what it staged")
		.description("Stops an ingestion. Nothing of it was ever visible; what it staged is discarded.")
		.argument("<ingestion>", "see lode status")
		.addHelpText("after", "\nExample:\n  $ lode cancel ing-12\n\n--json prints what lode status prints.");
	cli.action(cancel, async (invocation, ingestion: string) => {
		const report = await invocation.withCommander("the cancellation", (commander) => commander.cancel(ingestion));
		await invocation.result(report, async () => (await import("../format.js")).statusText(report));
	});

	const remove = program
		.command("remove")
		.helpGroup("Keep in order:")
		.summary("delete a source and all that came from it")
		.description("Deletes a source from every store, in every version. Its events stay.")
		.argument("<source>", "see lode sources")
		.addHelpText("after", "\nExample:\n  $ lode remove shop-1f2e3d4c5b6a\n\n--json prints {source, workflowId}.");
	cli.action(remove, async (invocation, source: string) => {
		const report = await invocation.withCommander("the removal", (commander) => commander.remove(source));
		await invocation.result(report, () => `Removed ${report.source}`);
	});

	const gc = program
		.command("gc")
		.helpGroup("Keep in order:")
		.summary("delete versions that retention does not keep")
		.description("Deletes versions that no retention keeps, and bytes that nothing refers to after the grace period.")
		.addHelpText("after", "\nExample:\n  $ lode gc --json\n\n--json prints {records, objects, bytes, horizons}.");
	cli.action(gc, async (invocation) => {
		const report = await invocation.withCommander("the collection", (commander) => commander.collectGarbage());
		await invocation.result(report, () => {
			const records = Object.entries(report.records).map(([store, number]) => `${number} in ${store}`);
			const kept = records.length === 0 ? "no records" : `records: ${records.join(", ")}`;
			return `Deleted ${kept}; ${report.objects} objects (${report.bytes} bytes)`;
		});
	});
}
