import type { Command } from "commander";
import { LodeError } from "../../domain/errors.js";
import type { GroupChangeReport, GroupOptions } from "../../services/groups/change-groups.js";
import type { LodeCommander } from "../../services/lode.js";
import type { ReindexProgress } from "../../services/reports.js";
import type { Cli, Invocation } from "../cli.js";
import { addFieldOptions, type FieldOptions, fieldsOf, saysNothing } from "../group-fields.js";
import { canAsk } from "../group-prompts.js";
import type { Progress } from "../progress.js";

const JSON_SHAPE = "{id, source, name, path, include, exclude, grouping, rules, indexing, retention, state, serves}";
const CHANGE_SHAPE = `--json prints ${JSON_SHAPE.slice(0, -1)},\nreindex: {outcome, workflowId, ingestion, snapshot, embedded, reused} or null}.`;

type Waiting = { readonly wait: boolean };

/** What of a source is indexed and how: `group create`, `list`, `show`, `update`, `delete`. */
export function registerGroup(program: Command, cli: Cli): void {
	const group = program
		.command("group")
		.helpGroup("Bring in:")
		.summary("what of a source is indexed, and how")
		.description(
			"Groups of a source: a folder and globs, the embedding model and the size of chunks, and what stays queryable. Every source has a " +
				"group default. A change is indexed in the background; readers see the old index until all of it is there.",
		);

	const create = addFieldOptions(group.command("create"))
		.summary("index a part of a source in its own way")
		.description(
			"Creates a group beside those that the source has, and waits until it can be searched. On a terminal it asks for what is missing " +
				"where SOURCE, NAME or all options are left out.",
		)
		.argument("[source]", "see lode sources")
		.argument("[name]", "lower-case letters, digits and dashes")
		.addHelpText(
			"after",
			`\nExamples:\n  $ lode group create shop docs --path docs --include "**/*.md" --chunk-size 600\n  $ lode group create\n\n${CHANGE_SHAPE}`,
		);
	cli.action(
		create,
		async (invocation, source: string | undefined, name: string | undefined, options: FieldOptions & Waiting) => {
			let wanted = { source, name, fields: fieldsOf(options) };
			if (
				(source === undefined || name === undefined || saysNothing(wanted.fields)) &&
				canAsk(invocation.io, invocation.json)
			) {
				const { askForGroup } = await import("../group-prompts.js");
				wanted = await askForGroup(invocation.io, wanted, await invocation.withReader((reader) => reader.sources()));
			}
			const { source: where, name: called, fields } = wanted;
			if (where === undefined || called === undefined) {
				throw new LodeError("USAGE", "a source and a name are needed", { next: "See lode group create --help" });
			}
			await change(invocation, options, (commander, waiting) => commander.createGroup(where, called, fields, waiting));
		},
	);

	const list = group
		.command("list")
		.summary("the groups of a source, or of all")
		.description("Lists groups, and whether the index has what they say.")
		.argument("[source]", "see lode sources")
		.addHelpText("after", `\nExample:\n  $ lode group list shop --json\n\n--json prints {groups: [${JSON_SHAPE}]}.`);
	cli.action(list, async (invocation, source: string | undefined) => {
		const groups = await invocation.withReader((reader) => reader.groups(source));
		await invocation.result({ groups }, async () => (await import("../format-groups.js")).groupsText(groups));
	});

	const show = group
		.command("show")
		.summary("one group")
		.description("Shows a group; while it is re-indexed also what the index has until then (serves).")
		.argument("<source>", "see lode sources")
		.argument("<name>", "see lode group list")
		.addHelpText("after", `\nExample:\n  $ lode group show shop default\n\n--json prints ${JSON_SHAPE}.`);
	cli.action(show, async (invocation, source: string, name: string) => {
		const report = await invocation.withReader((reader) => reader.group(source, name));
		await invocation.result(report, async () => (await import("../format-groups.js")).groupText(report));
	});

	const update = addFieldOptions(group.command("update"))
		.summary("change a group")
		.description("Changes what is given of a group and leaves the rest; waits until the index has it.")
		.argument("<source>", "see lode sources")
		.argument("<name>", "see lode group list")
		.addHelpText(
			"after",
			`\nExamples:\n  $ lode group update shop default --model configured\n  $ lode group update shop docs --exclude "drafts/**" --no-wait\n\n${CHANGE_SHAPE}`,
		);
	cli.action(update, async (invocation, source: string, name: string, options: FieldOptions & Waiting) => {
		const fields = fieldsOf(options);
		await change(invocation, options, (commander, waiting) => commander.updateGroup(source, name, fields, waiting));
	});

	const remove = group
		.command("delete")
		.summary("take a group out of the index")
		.description("Deletes a group, not default; its chunks stay readable in earlier snapshots. Asks first.")
		.argument("<source>", "see lode sources")
		.argument("<name>", "see lode group list")
		.option("-y, --yes", "do not ask")
		.option("--no-wait", "return once the re-index is accepted: it is done by `lode dev`")
		.addHelpText("after", `\nExample:\n  $ lode group delete shop docs --yes\n\n${CHANGE_SHAPE}`);
	cli.action(
		remove,
		async (invocation, source: string, name: string, options: Waiting & { readonly yes?: boolean }) => {
			if (!options.yes) {
				if (!canAsk(invocation.io, invocation.json)) {
					throw new LodeError("USAGE", "nobody can be asked here", { next: "say --yes" });
				}
				const { confirmed } = await import("../group-prompts.js");
				if (!(await confirmed(invocation.io, `Delete the group ${name} of ${source}?`))) {
					throw new LodeError("CANCELLED", "nothing was changed");
				}
			}
			await change(invocation, options, (commander, waiting) => commander.deleteGroup(source, name, waiting));
		},
	);
}

async function change(
	invocation: Invocation,
	{ wait }: Waiting,
	make: (commander: LodeCommander, options: GroupOptions) => Promise<GroupChangeReport>,
): Promise<void> {
	const report = await invocation.withCommander("the re-index", (commander, progress, signal) =>
		make(commander, { noWait: !wait, onProgress: (state) => show(progress, state), signal }),
	);
	await invocation.result(report, async () => (await import("../format-groups.js")).changedText(report));
}

function show(progress: Progress, { stage, ...state }: ReindexProgress): void {
	progress.update({
		...state,
		stage: stage === "switching" ? "publish" : stage === "done" ? "done" : "files",
		chunks: state.embedded + state.reused,
		detail: stage === "switching" ? "" : "for the new index; the old one answers until then",
	});
}
