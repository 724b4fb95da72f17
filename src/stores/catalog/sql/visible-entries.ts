import type { ExpressionBuilder } from "kysely";
import type { Snapshot } from "../../../domain/snapshot.js";
import type { CatalogTables } from "./catalog-tables.js";

type EntryExpressions = ExpressionBuilder<CatalogTables, "entry">;

/** The one visibility rule (`isVisible` in domain/snapshot.ts) over `entry`. */
export function visibleIn(snapshot: Snapshot) {
	const { seq, excluding } = snapshot;
	return (eb: EntryExpressions) =>
		excluding.length === 0
			? eb.and([eb("added_at", "<=", seq), eb.or([eb("removed_at", "is", null), eb("removed_at", ">", seq)])])
			: eb.and([
					eb("added_at", "<=", seq),
					eb("added_at", "not in", [...excluding]),
					eb.or([eb("removed_at", "is", null), eb("removed_at", ">", seq), eb("removed_at", "in", [...excluding])]),
				]);
}

/** That an entry of the source went before the snapshot: no reader of it or of a later one can see it. */
export function goneBefore(source: string, snapshot: Snapshot) {
	const { seq, excluding } = snapshot;
	return (eb: EntryExpressions) => {
		const gone = eb.and([eb("source", "=", source), eb("removed_at", "is not", null), eb("removed_at", "<=", seq)]);
		return excluding.length === 0 ? gone : eb.and([gone, eb("removed_at", "not in", [...excluding])]);
	};
}
