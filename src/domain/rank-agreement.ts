/** How much two ranked lists of ids without doubles have in common. */
export interface RankAgreement {
	/** What is in both as a share of what is in either (Jaccard), 0..1; two empty lists agree. */
	readonly overlap: number;
	/**
	 * Spearman's rank correlation of what is in both, by its order there: 1 - 6 Σd² / (n (n² - 1)), with d the difference of an id's two ranks;
	 * -1..1. Null where fewer than two are in both.
	 */
	readonly correlation: number | null;
}

export function rankAgreement(before: readonly string[], after: readonly string[]): RankAgreement {
	const later = new Set(after);
	const common = before.filter((id) => later.has(id));
	const either = before.length + after.length - common.length;
	const overlap = either === 0 ? 1 : common.length / either;
	const n = common.length;
	if (n < 2) return { overlap, correlation: null };
	const inCommon = new Set(common);
	const rank = new Map(after.filter((id) => inCommon.has(id)).map((id, at) => [id, at]));
	const squares = common.reduce((sum, id, at) => sum + (at - (rank.get(id) ?? at)) ** 2, 0);
	return { overlap, correlation: 1 - (6 * squares) / (n * (n * n - 1)) };
}
