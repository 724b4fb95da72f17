import type { Command } from "commander";
import { ERROR_CODES } from "../../domain/errors.js";
import type { Cli } from "../cli.js";

/** Comparing what is stored: `verify` with itself, `diff` between two commits. */
export function registerCheck(program: Command, cli: Cli): void {
	const verify = program
		.command("verify")
		.helpGroup("Keep in order:")
		.summary("recompute every digest and name what is damaged")
		.description("Reads all that is visible in a snapshot, recomputes its digests and compares them with the catalog.")
		.option("--source <source>", "only this source")
		.option("--at <when>", "as of a snapshot number, a time (ISO 8601) or a commit")
		.addHelpText(
			"after",
			`
Examples:
  $ lode verify
  $ lode verify --at 12 --json

Exits with 5 when something is damaged.
--json prints {ok, snapshot, stores: {catalog|graph|vectors|artifacts: {count, digest}}, problems}.`,
		);
	cli.action(verify, async (invocation, { source, at }: { source?: string; at?: string }) => {
		const report = await invocation.withReader((reader) =>
			reader.verify({ source, at, onProgress: (done) => invocation.note(done) }),
		);
		await invocation.result(report, async () => (await import("../format.js")).verifyText(report));
		if (!report.ok) invocation.exitCode = ERROR_CODES.VERIFICATION_FAILED.exit;
	});

	const diff = program
		.command("diff")
		.helpGroup("Ask:")
		.summary("what changed in the graph between two commits")
		.description("Entities, symbols and columns added, removed and changed between two ingested commits.")
		.argument("<source>", "see lode sources")
		.argument("<a>", "the older commit; 7 digits of it are enough")
		.argument("<b>", "the newer commit")
		.addHelpText(
			"after",
			"\nExample:\n  $ lode diff shop-1f2e3d4c5b6a 4f0c2d1 9b8a7c6\n\n--json prints {source, from, to, added, removed, changed}.",
		);
	cli.action(diff, async (invocation, source: string, from: string, to: string) => {
		const report = await invocation.withReader((reader) => reader.diff(source, from, to));
		await invocation.result(report, async () => (await import("../format.js")).diffText(report));
	});
}
