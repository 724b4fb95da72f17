import { codeExtractor } from "./code/code-extractor.js";
import { datasetExtractor } from "./data/dataset-extractor.js";
import { dbtExtractor } from "./data/dbt-extractor.js";
import { packageManifestExtractor } from "./data/package-manifest-extractor.js";
import { sqlExtractor } from "./data/sql-extractor.js";
import type { Extractor } from "./extractor.js";
import { markdownExtractor } from "./markdown/markdown-extractor.js";

/**
 * Every extractor. The order decides where several say something of one file: its chunks follow the regions of the first that
 * gives any, and its properties win.
 */
export const EXTRACTORS: readonly Extractor[] = [
	dbtExtractor,
	sqlExtractor,
	codeExtractor,
	packageManifestExtractor,
	datasetExtractor,
	markdownExtractor,
];
