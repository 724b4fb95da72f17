import type { SqlToken } from "./sql-lexer.js";

/** What names look like and which words cannot be names: shared by the readers of queries and of definitions. */

/**
 * Begins a name that a template left in the SQL: a private-use character, which counts as a letter and stands in no sensible
 * source text.
 */
export const PLACEHOLDER = "\uE000";

/** For each bracket the index of its partner, -1 for other tokens; undefined where brackets do not pair. */
export function matchBrackets(tokens: readonly SqlToken[]): Int32Array | undefined {
	const partner = new Int32Array(tokens.length).fill(-1);
	const open: number[] = [];
	for (let index = 0; index < tokens.length; index += 1) {
		const { upper, kind } = tokens[index] as SqlToken;
		if (kind !== "symbol") continue;
		if (upper === "(" || upper === "[") open.push(index);
		else if (upper === ")" || upper === "]") {
			const start = open.pop();
			if (start === undefined || (tokens[start]?.upper === "(") !== (upper === ")")) return undefined;
			partner[start] = index;
			partner[index] = start;
		}
	}
	return open.length === 0 ? partner : undefined;
}

/** Splits tokens at the commas that stand outside brackets and outside the angle brackets of `STRUCT<a INT64, b STRING>`. */
export function splitAtCommas(
	tokens: readonly SqlToken[],
	partner: Int32Array,
	from: number,
	to: number,
): [number, number][] {
	const parts: [number, number][] = [];
	let start = from;
	let angles = 0;
	for (let index = from; index < to; index += 1) {
		const upper = tokens[index]?.upper;
		const match = partner[index] ?? -1;
		if (match > index) index = match;
		else if (upper === "<" && (angles > 0 || GENERIC_TYPES.has(tokens[index - 1]?.upper ?? ""))) angles += 1;
		else if (upper === ">" && angles > 0) angles -= 1;
		else if (upper === "," && angles === 0) {
			parts.push([start, index]);
			start = index + 1;
		}
	}
	if (start < to) parts.push([start, to]);
	return parts;
}

export interface QualifiedName {
	/** As written, without quotes; a part that was not quoted is folded by the caller's rule. */
	readonly parts: readonly string[];
	readonly next: number;
}

/** `a`, `a.b`, `"A"."b"`, `` `project.dataset.table` ``; undefined where no name stands. */
export function readName(
	tokens: readonly SqlToken[],
	from: number,
	to: number,
	fold: (word: string) => string,
): QualifiedName | undefined {
	const parts: string[] = [];
	let index = from;
	while (index < to) {
		const token = tokens[index] as SqlToken;
		if (token.kind === "word") parts.push(fold(token.text));
		// BigQuery quotes whole paths.
		else if (token.kind === "quoted" && token.text !== "") {
			parts.push(...(/^[\w-]+(?:\.[\w-]+){1,3}$/.test(token.text) ? token.text.split(".") : [token.text]));
		} else break;
		index += 1;
		if (tokens[index]?.upper !== "." || index + 1 >= to) break;
		index += 1;
	}
	return parts.length === 0 ? undefined : { parts, next: index };
}

const GENERIC_TYPES = new Set(["ARRAY", "STRUCT", "MAP", "RECORD", "TABLE", "ROW"]);

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** Ends the list of columns of a SELECT, or one of its later clauses. */
export const CLAUSES = words(
	"FROM WHERE GROUP HAVING QUALIFY WINDOW ORDER LIMIT OFFSET FETCH INTO CLUSTER DISTRIBUTE SORT FOR",
);

/** Words that stand in expressions without naming a column. */
export const EXPRESSION_WORDS = words(`
	ALL AND ANY ARRAY AS ASC AT BETWEEN BY CASE CAST COLLATE CROSS CURRENT CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP DESC
	DISTINCT ELSE END ESCAPE EXISTS EXTRACT FALSE FILTER FIRST FOLLOWING FOR FROM GROUP GROUPS IGNORE ILIKE IN INTERVAL IS LAST LATERAL
	LIKE LOCALTIME LOCALTIMESTAMP NOT NULL NULLS OF OR ORDER OVER PARTITION PRECEDING RANGE REGEXP RESPECT RLIKE ROW ROWS SELECT
	SEPARATOR SIMILAR SOME STRUCT THEN TO TRUE TRY_CAST UNBOUNDED USING WHEN WHERE WITHIN WITHOUT XOR ZONE`);

/** Words that end a table of FROM instead of being its alias. */
export const FACTOR_ENDS = words(`
	ANTI ASOF CROSS FULL INNER JOIN LATERAL LEFT MATCH_CONDITION NATURAL ON OUTER PIVOT POSITIONAL RIGHT SEMI STRAIGHT_JOIN TABLESAMPLE
	SAMPLE UNPIVOT USING WITH UNION INTERSECT EXCEPT MINUS WHERE GROUP HAVING QUALIFY WINDOW ORDER LIMIT OFFSET FETCH FOR SET
	MATCH_RECOGNIZE USE FORCE IGNORE RETURNING CONNECT START WHEN`);

/** Parts of dates, which date functions take as bare words: `date_trunc(month, day)`. */
export const DATE_PARTS = words(`
	YEAR YEARS QUARTER QUARTERS MONTH MONTHS WEEK WEEKS ISOWEEK ISOYEAR DAY DAYS HOUR HOURS MINUTE MINUTES SECOND SECONDS MILLISECOND
	MILLISECONDS MICROSECOND MICROSECONDS NANOSECOND DOW DOY EPOCH DAYOFWEEK DAYOFYEAR DATE TIME`);
