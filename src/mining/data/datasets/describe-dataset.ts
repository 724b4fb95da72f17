import type { Skip } from "../../../domain/mined-file.js";
import { storableText } from "../../storable-text.js";
import { DuckDbRefusal, DuckDbTimeout, type FileQuery, literal, withDuckDbFile } from "./duckdb-reader.js";

export type DatasetFormat = "csv" | "tsv" | "jsonl" | "parquet";

export interface DatasetColumn {
	readonly name: string;
	/** DuckDB's name of the type, at most 500 characters. */
	readonly type: string;
	/** Undefined for columns after the first 200, and where DuckDB could not compute it within its bounds. */
	readonly statistics?: ColumnStatistics;
}

/** Over all rows of the file. */
export interface ColumnStatistics {
	readonly nullCount: number;
	/** An estimate (HyperLogLog), the same for the same values. */
	readonly distinctCount: number;
	/** As DuckDB writes the value, at most 200 characters. Undefined for nested and binary types, and where all values are null. */
	readonly min?: string;
	readonly max?: string;
	/** Of numbers. */
	readonly mean?: number;
}

export interface DatasetDescription {
	/** At most 10,000, in the order of the file. */
	readonly columns: readonly DatasetColumn[];
	readonly columnCount: number;
	/** Undefined where the file could not be read. */
	readonly rowCount?: number;
	readonly skip?: Skip;
}

const MAX_COLUMNS = 10_000;
const MAX_NAME = 300;
const MAX_TYPE = 500;
/** Each column costs several aggregates over the whole file. */
const MAX_PROFILED = 200;
const MAX_VALUE = 200;
const NUMERIC = /^(?:U?(?:TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL\b.*)$/;
/** Types whose order means nothing to a reader, or whose text may be as large as the file. */
const UNORDERED = /^(?:STRUCT|MAP|UNION|BLOB|BIT|JSON|VARIANT|GEOMETRY)\b|\[\d*\]$/;
const MAX_JSON_DEPTH = 100;
/** The first line is the header. Left to itself DuckDB takes a later one when the rows do not fit the first: a broken file, not a preamble. */
const CSV_OPTIONS = "header = true, skip = 0, sample_size = -1";
const EMPTY: DatasetDescription = { columns: [], columnCount: 0, rowCount: 0 };

const remembered = new WeakMap<Uint8Array, Map<DatasetFormat, Promise<DatasetDescription>>>();

/** Columns, types and number of rows of a file. Two extractors ask for a seed: it is read once. Rejects only where the machine fails. */
export function describeDataset(format: DatasetFormat, bytes: Uint8Array): Promise<DatasetDescription> {
	let formats = remembered.get(bytes);
	if (formats === undefined) {
		formats = new Map();
		remembered.set(bytes, formats);
	}
	let description = formats.get(format);
	if (description === undefined) {
		description = describe(format, bytes);
		formats.set(format, description);
		description.catch(() => formats.delete(format));
	}
	return description;
}

async function describe(format: DatasetFormat, bytes: Uint8Array): Promise<DatasetDescription> {
	if (isBlank(bytes)) return EMPTY;
	const refusal = format === "parquet" ? undefined : format === "jsonl" ? refuseJson(bytes) : refuseDelimited(bytes);
	if (refusal !== undefined) return unread(refusal);
	try {
		return await withDuckDbFile(bytes, async (query) => {
			if (format === "parquet") return measure(query, "read_parquet($FILE)");
			if (format === "jsonl") {
				return measure(query, "read_json($FILE, format = 'newline_delimited', sample_size = -1, maximum_depth = 8)");
			}
			// A header in quotes may hold any character: then one column is one column.
			return describeDelimited(query, format === "tsv" ? "\t" : undefined, bytes[0] !== 0x22);
		});
	} catch (error) {
		const skip = skipOf(error);
		if (skip === undefined) throw error;
		return unread(skip);
	}
}

async function describeDelimited(
	query: FileQuery,
	fixed: string | undefined,
	suspicious: boolean,
): Promise<DatasetDescription> {
	const reader = (delimiter: string | undefined) =>
		`read_csv($FILE, ${CSV_OPTIONS}${delimiter === undefined ? "" : `, delim = ${literal(delimiter)}`})`;
	let delimiter = fixed;
	let description = await measure(query, reader(delimiter));
	// Rows of different length make DuckDB take whole lines for one column. With the delimiter named it says what is wrong.
	const whole = description.columns.length === 1 ? /[,;\t|]/.exec(description.columns[0]?.name ?? "")?.[0] : undefined;
	if (fixed === undefined && suspicious && whole !== undefined) {
		delimiter = whole;
		description = await measure(query, reader(delimiter));
	}
	return { ...description, columns: await exactNames(query, description.columns, delimiter) };
}

/** DuckDB numbers names that repeat (`id, ID` gives `ID_1`) and names empty ones; the file's own names count here. */
async function exactNames(
	query: FileQuery,
	columns: readonly DatasetColumn[],
	delimiter: string | undefined,
): Promise<readonly DatasetColumn[]> {
	if (!columns.some(({ name }) => /_\d+$/.test(name))) return columns;
	const forced = delimiter === undefined ? "" : `, delim = ${literal(delimiter)}`;
	const [dialect] = await query(`SELECT Delimiter AS d, Quote AS q FROM sniff_csv($FILE, ${CSV_OPTIONS}${forced})`);
	const { d, q } = dialect ?? {};
	if (typeof d !== "string" || typeof q !== "string") return columns;
	const quote = q === "(empty)" ? "" : q;
	const [header] = await query(
		`SELECT * FROM read_csv($FILE, header = false, all_varchar = true, delim = ${literal(d)}, quote = ${literal(quote)}, skip = 0) LIMIT 1`,
	);
	const names = Object.values(header ?? {});
	if (names.length !== columns.length) return columns;
	const taken = new Set<string>();
	return columns.map((column, index) => {
		const own = typeof names[index] === "string" ? names[index].trim().slice(0, MAX_NAME) : "";
		const name = own === "" || taken.has(own) ? column.name : own;
		taken.add(name);
		return { ...column, name };
	});
}

async function measure(query: FileQuery, reader: string): Promise<DatasetDescription> {
	const described = await query(`DESCRIBE SELECT * FROM ${reader}`);
	const named = described.map((row) => ({ name: String(row.column_name), type: String(row.column_type) }));
	const { rowCount, statistics } = await profile(query, reader, named.slice(0, MAX_PROFILED));
	const columns = named.slice(0, MAX_COLUMNS).map(({ name, type }, index) => ({
		name: name.slice(0, MAX_NAME),
		type: type.slice(0, MAX_TYPE),
		statistics: statistics[index],
	}));
	const skip = described.length > MAX_COLUMNS ? tooManyColumns() : undefined;
	return { columns, columnCount: described.length, rowCount, skip };
}

/** Rows and statistics in one pass over the file. */
async function profile(
	query: FileQuery,
	reader: string,
	columns: readonly DatasetColumn[],
): Promise<{ rowCount: number; statistics: readonly ColumnStatistics[] }> {
	const aggregates = columns.flatMap(({ name, type }, index) => {
		const column = `"${name.replaceAll('"', '""')}"`;
		const bound = (which: string) => `left(${which}(${column})::VARCHAR, ${MAX_VALUE}) AS ${which}${index}`;
		return [
			`count(${column}) AS filled${index}`,
			`approx_count_distinct(${column}) AS distinct${index}`,
			...(UNORDERED.test(type) ? [] : [bound("min"), bound("max")]),
			...(NUMERIC.test(type) ? [`avg(${column})::DOUBLE AS mean${index}`] : []),
		];
	});
	try {
		const [row = {}] = await query(`SELECT ${["count(*) AS rows", ...aggregates].join(", ")} FROM ${reader}`);
		const rowCount = Number(row.rows);
		return { rowCount, statistics: columns.map((_, index) => statisticsOf(row, index, rowCount)) };
	} catch (error) {
		if (!(error instanceof DuckDbRefusal)) throw error;
		// A file whose rows can be counted is a dataset, whatever its values do to an aggregate.
		const [counted] = await query(`SELECT count(*) AS rows FROM ${reader}`);
		return { rowCount: Number(counted?.rows ?? 0), statistics: [] };
	}
}

function statisticsOf(row: Record<string, unknown>, index: number, rowCount: number): ColumnStatistics {
	const text = (value: unknown) => (typeof value === "string" ? storableText(value) : undefined);
	const mean = row[`mean${index}`];
	return {
		nullCount: rowCount - Number(row[`filled${index}`]),
		// The estimate may exceed what there can be.
		distinctCount: Math.min(Number(row[`distinct${index}`]), Number(row[`filled${index}`])),
		min: text(row[`min${index}`]),
		max: text(row[`max${index}`]),
		mean: typeof mean === "number" && Number.isFinite(mean) ? mean : undefined,
	};
}

function unread(skip: Skip): DatasetDescription {
	return { columns: [], columnCount: 0, skip };
}

function skipOf(error: unknown): Skip | undefined {
	if (error instanceof DuckDbTimeout) return { reason: "timeout", detail: "DuckDB took longer than 10 s" };
	if (!(error instanceof DuckDbRefusal)) return undefined;
	const line = error.message.split("\n", 1)[0] ?? "";
	if (/out of memory/i.test(line)) return { reason: "too_large", detail: "DuckDB needs more than 256 MB for it" };
	return { reason: "parse", detail: line.trim().slice(0, 300) };
}

function isBlank(bytes: Uint8Array): boolean {
	for (const byte of bytes) {
		if (byte !== 0x20 && (byte < 0x09 || byte > 0x0d) && byte !== 0xef && byte !== 0xbb && byte !== 0xbf) return false;
	}
	return true;
}

/** A line with more separators than columns are allowed would cost DuckDB its memory before it can say so. */
function refuseDelimited(bytes: Uint8Array): Skip | undefined {
	const counts = [0, 0, 0, 0];
	for (const byte of bytes) {
		if (byte === 0x0a || byte === 0x0d) break;
		const kind = byte === 0x2c ? 0 : byte === 0x3b ? 1 : byte === 0x09 ? 2 : byte === 0x7c ? 3 : -1;
		if (kind !== -1) counts[kind] = (counts[kind] ?? 0) + 1;
	}
	return Math.max(...counts) >= MAX_COLUMNS ? tooManyColumns() : undefined;
}

/** Depth and number of keys of each line, before a library recurses into it. */
function refuseJson(bytes: Uint8Array): Skip | undefined {
	let depth = 0;
	let keys = 0;
	let quoted = false;
	for (let at = 0; at < bytes.length; at += 1) {
		const byte = bytes[at];
		if (byte === 0x0a) {
			depth = 0;
			keys = 0;
			quoted = false;
		} else if (quoted) {
			if (byte === 0x5c) at += 1;
			else if (byte === 0x22) quoted = false;
		} else if (byte === 0x22) quoted = true;
		else if (byte === 0x3a) keys += 1;
		else if (byte === 0x7b || byte === 0x5b) depth += 1;
		else if (byte === 0x7d || byte === 0x5d) depth -= 1;
		if (depth > MAX_JSON_DEPTH) return { reason: "nesting", detail: `nested deeper than ${MAX_JSON_DEPTH} levels` };
		if (keys > MAX_COLUMNS) return tooManyColumns();
	}
	return undefined;
}

function tooManyColumns(): Skip {
	return { reason: "too_large", detail: `more than ${MAX_COLUMNS} columns` };
}
