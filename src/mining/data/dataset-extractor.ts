import { posix } from "node:path";
import { columnKey, datasetKey } from "../../domain/keys.js";
import type { Extraction, Extractor } from "../extractor.js";
import { type DatasetFormat, describeDataset } from "./datasets/describe-dataset.js";
import { StateSet } from "./state-set.js";

const FORMATS: ReadonlyMap<string, DatasetFormat> = new Map([
	[".csv", "csv"],
	[".tsv", "tsv"],
	[".jsonl", "jsonl"],
	[".ndjson", "jsonl"],
	[".parquet", "parquet"],
]);

const formatOf = (path: string): DatasetFormat | undefined => FORMATS.get(posix.extname(path).toLowerCase());

/** CSV, TSV, JSON lines and Parquet files as datasets with columns, DuckDB's types, statistics and the number of rows. */
export const datasetExtractor: Extractor = {
	name: "dataset",
	version: 2,
	matches: (input) => formatOf(input.path) !== undefined,
	async extract(input): Promise<Extraction> {
		const { source, path, bytes } = input;
		const format = formatOf(path);
		if (format === undefined) return { states: [], regions: [], skips: [] };
		const { columns, columnCount, rowCount, skip } = await describeDataset(format, bytes);
		const states = new StateSet();
		const dataset = states.state(datasetKey(source, path), "dataset", posix.basename(path));
		dataset.prop("path", path).prop("format", format).prop("rowCount", rowCount);
		if (rowCount !== undefined) dataset.prop("columnCount", columnCount);
		for (const { name, type, statistics } of columns) {
			const column = states.state(columnKey(dataset.key, name), "column", name).prop("type", type);
			for (const [statistic, value] of Object.entries(statistics ?? {})) column.prop(statistic, value);
			dataset.edge("HAS_COLUMN", column.key);
		}
		states.file(input).edge("DEFINES", dataset.key);
		return { states: states.build(), regions: [], skips: skip === undefined ? [] : [skip] };
	},
};
