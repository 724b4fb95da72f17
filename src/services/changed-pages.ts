import type { Catalog, OriginEntry } from "../stores/catalog/catalog.port.js";

/** The entries that a seq added or retired, in order of origin, `size` at a time. `after`: only those that follow this origin. */
export async function* changedPages(
	catalog: Pick<Catalog, "changedEntries">,
	seq: number,
	which: "added" | "retired",
	{ size = 1_000, after }: { readonly size?: number; readonly after?: string } = {},
): AsyncGenerator<OriginEntry[]> {
	for (let last = after; ; ) {
		const entries = await catalog.changedEntries(seq, which, last, size);
		last = entries.at(-1)?.origin;
		if (last === undefined) return;
		yield entries;
	}
}
