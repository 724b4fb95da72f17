import type { Catalog, OriginEntry } from "../stores/catalog/catalog.port.js";

/** The entries that a seq added or retired, in order of origin, `size` at a time. */
export async function* changedPages(
	catalog: Pick<Catalog, "changedEntries">,
	seq: number,
	which: "added" | "retired",
	size = 1_000,
): AsyncGenerator<OriginEntry[]> {
	let after: string | undefined;
	for (;;) {
		const entries = await catalog.changedEntries(seq, which, after, size);
		const last = entries.at(-1);
		if (!last) return;
		yield entries;
		after = last.origin;
	}
}
