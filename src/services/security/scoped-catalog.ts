import { errorCode, LodeError } from "../../domain/errors.js";
import type { Snapshot } from "../../domain/snapshot.js";
import type { Catalog, SnapshotSelector } from "../../stores/catalog/catalog.port.js";
import { onlyThese } from "./only-these.js";

/**
 * The catalog as somebody sees it who may see these sources and no other: the others do not exist, nor do the snapshots that they published. What
 * the sources had in a snapshot of another one, they had in their own last one before it.
 */
export function scopedCatalog(catalog: Catalog, visible: ReadonlySet<string>): Catalog {
	const sees = (source: string): boolean => visible.has(source);
	const within = (sources: readonly string[] | undefined): string[] => (sources ?? [...visible]).filter(sees);

	async function snapshot(selector: SnapshotSelector, sources?: readonly string[]): Promise<Snapshot> {
		const number =
			selector.by === "commit" ? await numberOfCommit(selector.commit, selector.source) : await numberOf(selector);
		return catalog.snapshot({ by: "number", number }, within(sources));
	}

	/** Of the last snapshot that a visible source published by then. */
	async function numberOf(selector: Exclude<SnapshotSelector, { by: "commit" }>): Promise<number> {
		const then = await catalog.snapshot(selector, []);
		const heads = await catalog.heads(then, [...visible]);
		const number = [...heads.values()].reduce((last, head) => Math.max(last, head.snapshot), 0);
		// A number that is another source's says nothing, not even that it is one.
		if (selector.by === "number" && number !== selector.number) {
			throw notFound(`There is no snapshot ${selector.number}`);
		}
		if (number > 0) return number;
		if (selector.by === "time") throw notFound(`Nothing was published at ${selector.time} or before`);
		throw new LodeError("NOTHING_PUBLISHED", "Nothing has been published yet", { next: "Run `lode ingest` first." });
	}

	async function numberOfCommit(commit: string, wanted: string | undefined): Promise<number> {
		const found: Snapshot[] = [];
		for (const source of within(wanted === undefined ? undefined : [wanted])) {
			try {
				found.push(await catalog.snapshot({ by: "commit", commit, source }, []));
			} catch (error) {
				if (errorCode(error) !== "SNAPSHOT_NOT_FOUND" && errorCode(error) !== "NOTHING_PUBLISHED") throw error;
			}
		}
		const number = Math.max(0, ...found.map((one) => one.number));
		if (number > 0) return number;
		throw notFound(`Commit ${commit} was not published`);
	}

	return onlyThese<Catalog>("catalog", {
		source: async (id) => (sees(id) ? catalog.source(id) : undefined),
		sources: async () => (await catalog.sources()).filter(({ id }) => sees(id)),
		groups: async (source) => (sees(source) ? catalog.groups(source) : []),
		async ingestion(id) {
			const ingestion = await catalog.ingestion(id);
			return ingestion !== undefined && sees(ingestion.source) ? ingestion : undefined;
		},
		async ingestions({ source, ...filter }) {
			const found = await Promise.all(
				within(source === undefined ? undefined : [source]).map((one) =>
					catalog.ingestions({ ...filter, source: one }),
				),
			);
			return found
				.flat()
				.sort((a, b) => b.seq - a.seq)
				.slice(0, filter.limit);
		},
		snapshot,
		snapshots: async (source, limit) => (sees(source) ? catalog.snapshots(source, limit) : []),
		head: async (then, source) => (sees(source) ? catalog.head(then, source) : undefined),
		heads: (then, sources) => catalog.heads(then, sources.filter(sees)),
		entries: async (then, source, after, limit) => (sees(source) ? catalog.entries(then, source, after, limit) : []),
		entriesOf: async (then, source, origins) => (sees(source) ? catalog.entriesOf(then, source, origins) : []),
	});
}

const notFound = (message: string): LodeError =>
	new LodeError("SNAPSHOT_NOT_FOUND", message, { next: "See `lode status` for what was published." });
