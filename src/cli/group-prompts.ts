import { LodeError } from "../domain/errors.js";
import type { GroupFields } from "../domain/group-input.js";
import { checkField } from "../domain/group-input.js";
import type { SourceReport } from "../services/reports.js";
import type { CliIo } from "./io.js";

type Prompts = typeof import("@inquirer/prompts");

/** Whether somebody is there to be asked. */
export const canAsk = (io: CliIo, json: boolean): boolean =>
	!json && io.stdin?.isTTY === true && io.stderr.isTTY === true;

export interface Asked {
	readonly source: string;
	readonly name: string;
	readonly fields: GroupFields;
}

/** Asks for what the command line does not say. @throws CANCELLED on Ctrl-C */
export function askForGroup(
	io: CliIo,
	given: { readonly source?: string; readonly name?: string; readonly fields: GroupFields },
	sources: readonly SourceReport[],
): Promise<Asked> {
	return asking(io, async ({ input, select, number }, context) => {
		const text = async (message: string, field: string, initial = "") =>
			(
				await input(
					{
						message,
						default: initial === "" ? undefined : initial,
						validate: (value) => checkField(field, value) ?? true,
					},
					context,
				)
			).trim();
		const list = async (message: string, field: string, initial = "") => {
			const value = await input(
				{
					message,
					default: initial === "" ? undefined : initial,
					validate: (words) =>
						words.split(/\s+/).flatMap((word) => (word === "" ? [] : (checkField(field, word) ?? [])))[0] ?? true,
				},
				context,
			);
			return value.split(/\s+/).filter((word) => word !== "");
		};
		const { fields } = given;
		const choices = sources.map(({ id, address, branch }) => ({ value: id, name: `${id}  ${address} ${branch}` }));
		const source = given.source ?? (await select({ message: "Source", choices }, context));
		const name = given.name ?? (await text("Name of the group", "name"));
		const path = fields.path ?? (await text("Folder of the source (empty: all of it)", "path"));
		const include = fields.include ?? (await list("Files to take in (globs, separated by blanks)", "include", "**"));
		const exclude = fields.exclude ?? (await list("Files to leave out (globs; empty: none)", "exclude"));
		const model = fields.indexing?.model ?? (await text("Embedding model", "model", "configured"));
		const chunkSize =
			fields.indexing?.chunkSize ??
			(await number({ message: "Characters of a chunk (empty: as configured)", min: 200, max: 20_000 }, context));
		return {
			source,
			name,
			fields: { ...fields, path, include, exclude, indexing: { ...fields.indexing, model, chunkSize } },
		};
	});
}

/** @throws CANCELLED on Ctrl-C */
export function confirmed(io: CliIo, message: string): Promise<boolean> {
	return asking(io, ({ confirm }, context) => confirm({ message, default: false }, context));
}

async function asking<T>(
	io: CliIo,
	ask: (prompts: Prompts, context: { input?: NodeJS.ReadableStream; output: NodeJS.WritableStream }) => Promise<T>,
): Promise<T> {
	// Loaded here: no other command needs it.
	const prompts = await import("@inquirer/prompts");
	try {
		return await ask(prompts, { input: io.stdin, output: io.stderr });
	} catch (error) {
		if ((error as Error).name === "ExitPromptError") throw new LodeError("CANCELLED", "nothing was changed");
		throw error;
	}
}
