import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import type { Cli } from "../cli.js";
import { Interrupts } from "../interrupts.js";
import { wholeNumber } from "../parse.js";

interface ReplayOptions {
	readonly since?: string;
	readonly repository?: string;
	readonly all?: boolean;
}

interface ListOptions {
	readonly stream?: string;
	readonly type?: readonly string[];
	readonly source?: string;
	readonly after?: number;
	readonly limit: number;
	readonly follow?: boolean;
}

const FOLLOW_MS = 500;

/** What happened: `events list`. Webhooks that came and had no effect: `events parked` and `events replay`. */
export function registerEvents(program: Command, cli: Cli): void {
	const events = program
		.command("events")
		.helpGroup("Keep in order:")
		.summary("what happened; webhooks that were parked, and trying them again")
		.description(
			"What happened, as immutable events. And webhooks that came, were written down, and were parked because they can have no effect as things are.",
		);
	const list = events
		.command("list")
		.summary("list what happened, in order")
		.description(
			"Lists events: webhooks received and parked, ingestions started, published, aborted and released, sources, groups and configuration.",
		)
		.option("--stream <name>", "only this stream, e.g. configuration or ingestion-ing-7")
		.option(
			"--type <type>",
			"only this type, e.g. IngestionPublished; may be repeated",
			(value: string, previous: string[] = []) => [...previous, value],
		)
		.option("--source <source>", "only events of this source")
		.option(
			"--after <position>",
			"those after this position, instead of the last ones",
			wholeNumber(0, 999_999_999_999_999),
		)
		.option("--limit <n>", "how many at most, up to 1000", wholeNumber(1, 1_000), 20)
		.option("--follow", "go on with what happens, until Ctrl-C; with --json one envelope a line")
		.addHelpText(
			"after",
			`
Examples:
  $ lode events list --type IngestionPublished
  $ lode events list --after 1200 --limit 1000 --json
  $ lode events list --follow

--json prints {events: [{event_id, event_type, stream_id, version, sequence_number, timestamp, source, data, metadata,
correlation_id, causation_id}]}.`,
		);
	cli.action(list, async (invocation, { follow, after, type: types, ...rest }: ListOptions) => {
		const options = { ...rest, types };
		const { eventsText } = await import("../format.js");
		if (!follow) {
			const found = await invocation.withReader((reader) => reader.events({ ...options, after }));
			await invocation.result({ events: found }, async () => eventsText(found));
			return;
		}
		await invocation.withReader(async (reader) => {
			const interrupts = new Interrupts(invocation.io.signals);
			try {
				let position = after;
				while (!interrupts.signal.aborted) {
					const found = await reader.events({ ...options, after: position });
					for (const event of found) await invocation.result(event, () => eventsText([event]));
					position = found.at(-1)?.sequence_number ?? position ?? 0;
					if (found.length === 0) await Promise.race([sleep(FOLLOW_MS), interrupts.interrupted]);
				}
			} finally {
				interrupts.dispose();
			}
		});
	});

	const parked = events
		.command("parked")
		.summary("list parked webhooks with the reason")
		.description("Lists the webhooks that are parked, those that were parked first first. They are kept for 30 days.")
		.option("--since <time>", "only those parked since then (ISO 8601)")
		.addHelpText(
			"after",
			`
Examples:
  $ lode events parked
  $ lode events parked --since 2026-01-31T12:00:00Z --json

--json prints {parked: [{id, sender, event, repository, branch, commit, receivedAt, parkedAt, reason}], waiting, bytes}.`,
		);
	cli.action(parked, async (invocation, { since }: { since?: string }) => {
		const lode = await cli.dependencies.openEvents(await invocation.config());
		const report = await lode.parked({ since });
		await invocation.result(report, async () => (await import("../format.js")).parkedText(report));
	});

	const replay = events
		.command("replay")
		.summary("have parked webhooks dispatched again")
		.description(
			"Has parked webhooks wait again: all that are named and match. A running gateway dispatches them at once, else it does when it starts.",
		)
		.argument("[receipt...]", "see lode events parked")
		.option("--since <time>", "only those parked since then (ISO 8601)")
		.option("--repository <text>", "only those with this in an address of their repository")
		.option("--all", "all that are parked")
		.addHelpText(
			"after",
			`
Examples:
  $ lode events replay rcp-7 rcp-9
  $ lode events replay --repository git.example.com/shop --since 2026-01-31
  $ lode events replay --all

--json prints {replayed: [...], gateway}.`,
		);
	cli.action(replay, async (invocation, ids: string[], { since, repository, all }: ReplayOptions) => {
		const lode = await cli.dependencies.openEvents(await invocation.config());
		const report = await lode.replay({ ids, since, repository, all });
		await invocation.result(report, async () => (await import("../format.js")).replayText(report));
	});
}
