import { columnKey, dataModelKey, datasetKey, nameKey } from "../../../domain/keys.js";
import type { Skip } from "../../../domain/mined-file.js";
import type { FileInput } from "../../extractor.js";
import { describeDataset } from "../datasets/describe-dataset.js";
import type { StateSet } from "../state-set.js";
import { stem } from "./dbt-files.js";

/** A CSV file that dbt loads as a table: a data model of the file's name, made of the dataset that the file is. */
export async function stateDbtSeed(input: FileInput, states: StateSet): Promise<Skip[]> {
	const { source, path } = input;
	const name = stem(path);
	const model = states.state(dataModelKey(source, name), "data_model", name);
	model.prop("path", path).prop("dialect", "dbt").prop("layer", "seed").prop("materialized", "seed");
	model.provides(nameKey(source, "model", "dbt", name), 0);
	model.edge("DERIVES_FROM", datasetKey(source, path));
	states.file(input).edge("DEFINES", model.key);
	const described = await describeDataset("csv", input.bytes);
	for (const column of described.columns) {
		const key = columnKey(model.key, column.name);
		states.state(key, "column", column.name).prop("type", column.type);
		model.edge("HAS_COLUMN", key);
	}
	// What is wrong with the file is recorded by the dataset extractor, which reads it too.
	return [];
}
