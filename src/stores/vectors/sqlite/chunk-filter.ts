import picomatch from "picomatch";
import { COMMIT_KIND } from "../../../domain/mined-file.js";
import type { Snapshot } from "../../../domain/snapshot.js";
import type { SqliteDatabase } from "../../sqlite/sqlite-database.js";
import { snapshotParameters, visible } from "../../sqlite/visibility.js";
import { pathMatcher } from "../path-matcher.js";
import type { SearchFilter } from "../vectors.port.js";

export interface FilterSql {
	/**
	 * `chunk c` for a statement that goes through all that the filter lets pass: by the index that begins with the source where sources are
	 * given. SQLite would take the one of `added_at`, which nearly every chunk passes, or make one of its own for a single question.
	 */
	readonly through: string;
	/** A condition over `chunk c`. */
	readonly where: string;
	readonly parameters: Record<string, string | number>;
}

/** All of a search's filters as one condition, so that they apply before anything is ranked. Undefined: nothing can match. */
export function chunkFilter(database: SqliteDatabase, filter: SearchFilter): FilterSql | undefined {
	const conditions = [visible("c", filter.snapshot)];
	const parameters: Record<string, string | number> = snapshotParameters(filter.snapshot);
	const oneOf = (column: string, parameter: string, ids: readonly number[]): boolean => {
		if (ids.length === 1) {
			conditions.push(`c.${column} = :${parameter}`);
			parameters[parameter] = ids[0] as number;
		} else {
			conditions.push(`c.${column} IN (SELECT value FROM json_each(:${parameter}))`);
			parameters[parameter] = JSON.stringify(ids);
		}
		return ids.length > 0;
	};
	const named: readonly (readonly [string, string, readonly string[] | undefined])[] = [
		["source_id", "sources", filter.sources],
		["group_id", "groups", filter.group === undefined ? undefined : [filter.group]],
		["kind_id", "kinds", filter.kinds],
		["language_id", "languages", filter.languages],
	];
	for (const [column, parameter, names] of named) {
		if (names !== undefined && !oneOf(column, parameter, nameIds(database, names))) return undefined;
	}
	if (filter.kinds === undefined) {
		const commits = nameIds(database, [COMMIT_KIND])[0];
		if (commits !== undefined) {
			conditions.push("c.kind_id <> :commits");
			parameters.commits = commits;
		}
	}
	if (filter.model !== undefined) {
		conditions.push("c.model_id = (SELECT id FROM model WHERE text = :filterModel)");
		parameters.filterModel = filter.model;
	}
	if (filter.after !== undefined) conditions.push(`NOT ${known("c.added_at", filter.after)}`);
	if (filter.upTo !== undefined) conditions.push(known("c.added_at", filter.upTo));
	if (filter.path !== undefined && !oneOf("path_id", "paths", matchingPaths(database, filter.path))) return undefined;
	const through = `chunk c ${filter.sources === undefined ? "NOT INDEXED" : "INDEXED BY chunk_identity"}`;
	return { through, where: conditions.join(" AND "), parameters };
}

/** `isCommitted` of domain/snapshot.ts with the numbers in the text: the visible snapshot has the parameters. */
function known(column: string, { seq, excluding }: Snapshot): string {
	const numbers = excluding.map((each) => Math.trunc(each)).join(", ");
	return `(${column} <= ${Math.trunc(seq)}${numbers === "" ? "" : ` AND ${column} NOT IN (${numbers})`})`;
}

export function nameIds(database: SqliteDatabase, names: readonly string[]): number[] {
	return database
		.prepare("SELECT id FROM name WHERE text IN (SELECT value FROM json_each(?)) ORDER BY id")
		.all<{ id: number }>([JSON.stringify(names)])
		.map((row) => row.id);
}

export function matchingPaths(database: SqliteDatabase, glob: string): number[] {
	const isMatch = pathMatcher(glob);
	const { base, isGlob, negated } = picomatch.scan(glob);
	// The literal beginning of the glob spares the paths of other folders: '0' follows '/'.
	const within = isGlob && !negated && base !== "" && base !== "." && !/[\\/]$/.test(base);
	const rows = within
		? database
				.prepare("SELECT id, text FROM path WHERE text = :base OR (text >= :from AND text < :to)")
				.iterate<{ id: number; text: string }>({ base, from: `${base}/`, to: `${base}0` })
		: database.prepare("SELECT id, text FROM path").iterate<{ id: number; text: string }>();
	const ids: number[] = [];
	for (const row of rows) if (isMatch(row.text)) ids.push(row.id);
	return ids;
}
