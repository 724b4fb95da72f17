import type { Skip } from "../../domain/mined-file.js";
import type { Extraction, Extractor, FileInput, Region } from "../extractor.js";
import { stateDbtDocs } from "./dbt/dbt-docs.js";
import { isDbtDocs, isDbtPackages, isDbtProject, isDbtProperties, isDbtSeed, isDbtSql } from "./dbt/dbt-files.js";
import { stateDbtModel } from "./dbt/dbt-model.js";
import { stateDbtPackages, stateDbtProject } from "./dbt/dbt-project.js";
import { stateDbtProperties } from "./dbt/dbt-properties.js";
import { stateDbtSeed } from "./dbt/dbt-seed.js";
import { StateSet } from "./state-set.js";

interface Result {
	readonly regions?: Region[];
	readonly skips: Skip[];
}
interface Part {
	readonly matches: (input: FileInput) => boolean;
	readonly state: (input: FileInput, states: StateSet) => Result | Promise<Result>;
}

/** The kinds of file of a dbt project; a file is of one kind at most. */
const PARTS: readonly Part[] = [
	{ matches: isDbtSql, state: stateDbtModel },
	{ matches: isDbtProperties, state: (input, states) => ({ skips: stateDbtProperties(input, states) }) },
	{ matches: isDbtProject, state: (input, states) => ({ skips: stateDbtProject(input, states) }) },
	{ matches: isDbtPackages, state: (input, states) => ({ skips: stateDbtPackages(input, states) }) },
	{ matches: isDbtSeed, state: async (input, states) => ({ skips: await stateDbtSeed(input, states) }) },
	{
		matches: isDbtDocs,
		state: (input, states) => {
			stateDbtDocs(input, states);
			return { skips: [] };
		},
	},
];

/**
 * dbt projects: models with `ref()` and `source()` lineage and columns, properties files with descriptions, tests and the business
 * entities behind keys, seeds, docs blocks, the project and its packages.
 */
export const dbtExtractor: Extractor = {
	name: "dbt",
	version: 1,
	matches: (input) => PARTS.some((part) => part.matches(input)),
	async extract(input): Promise<Extraction> {
		const states = new StateSet();
		const result = await PARTS.find((part) => part.matches(input))?.state(input, states);
		return { states: states.build(), regions: result?.regions ?? [], skips: result?.skips ?? [] };
	},
};
