import type { Stores } from "../../activities/ports.js";
import { errorCode } from "../../domain/errors.js";
import { ARCHIVE_CONSUMER } from "../../services/archive/archive-events.js";
import { parkedIngestions } from "../../services/reading/create-reader.js";
import { readableSources } from "../../services/recipe.js";
import type { Head, StoreTotals } from "../../stores/catalog/catalog.port.js";
import type { Metrics } from "./metrics.js";

/** Pages may be asked for often, and by many: the stores are asked this often at most. Milliseconds. */
const FRESH_MS = 10_000;
/** Events of one type that are counted at a time: the rest comes with the next page. */
const MOST_EVENTS = 1_000;

/** What changed, by the events that say so. */
const CHANGES: Readonly<Record<string, string>> = {
	SourceAdded: "source",
	SourceRemoved: "source",
	GroupChanged: "group",
	ConfigurationChanged: "configuration",
};

/**
 * How the installation is: read from the stores when the page is asked for, all of it in one reading. Counts and sums over all sources, so that
 * nobody learns of one.
 */
export function measureInstallation(
	{ catalog, events, vectors }: Pick<Stores, "catalog" | "events" | "vectors">,
	sizes: () => Promise<Readonly<Record<string, number>>>,
	metrics: Metrics,
	{ freshMs = FRESH_MS }: { readonly freshMs?: number } = {},
): void {
	const changed = metrics.count("changes");
	const counted = new Map<string, number>();

	async function read() {
		const [sources, open, parked, snapshot, [last], archived] = await Promise.all([
			readableSources(catalog),
			catalog.openSeqs(),
			parkedIngestions(catalog),
			catalog.snapshot({ by: "latest" }, []).catch(none),
			events.latest(1),
			events.checkpoint(ARCHIVE_CONSUMER),
		]);
		const heads = snapshot
			? await catalog.heads(
					snapshot,
					sources.map(({ id }) => id),
				)
			: new Map<string, Head>();
		const records = { catalog: 0, graph: 0, vectors: 0, artifacts: 0 };
		for (const head of heads.values()) {
			for (const store of Object.keys(records) as (keyof StoreTotals)[]) {
				records[store] += head.totals[store].count;
			}
		}
		await countChanges(last?.position ?? 0);
		return {
			sources: sources.length,
			open: open.length,
			parked: parked.length,
			snapshot: snapshot?.number ?? 0,
			lag: Math.max(0, (last?.position ?? 0) - archived),
			records: { ...records, events: last?.position ?? 0 },
			sizes: await sizes(),
		};
	}

	/** From the first page on; what was before it is history. */
	async function countChanges(position: number): Promise<void> {
		for (const [type, subject] of Object.entries(CHANGES)) {
			const from = counted.get(type);
			if (from === undefined) {
				changed({ subject }, 0);
				counted.set(type, position);
				continue;
			}
			const found = await events.readAll(from, MOST_EVENTS, { types: [type] });
			changed({ subject }, found.length);
			counted.set(type, found.length < MOST_EVENTS ? Math.max(from, position) : (found.at(-1)?.position ?? from));
		}
	}

	let fresh: { readonly at: number; readonly state: ReturnType<typeof read> } | undefined;
	const state = () => {
		if (fresh === undefined || performance.now() - fresh.at >= freshMs) {
			fresh = { at: performance.now(), state: read() };
			fresh.state.catch(() => undefined);
		}
		return fresh.state;
	};

	metrics.before(async () => {
		await state();
	});
	metrics.gauge("archiveLag", async (set) => set((await state()).lag));
	metrics.gauge("sources", async (set) => set((await state()).sources));
	metrics.gauge("snapshot", async (set) => set((await state()).snapshot));
	metrics.gauge("openIngestions", async (set) => set((await state()).open));
	metrics.gauge("parkedIngestions", async (set) => set((await state()).parked));
	metrics.gauge("storeRecords", async (set) => {
		for (const [store, count] of Object.entries((await state()).records)) set(count, { store });
	});
	metrics.gauge("indexMemory", async (set) => set(vectors.indexMemory()));
	metrics.gauge("storeSize", async (set) => {
		for (const [store, bytes] of Object.entries((await state()).sizes)) set(bytes, { store });
	});
}

const none = (error: unknown): undefined => {
	if (errorCode(error) === "NOTHING_PUBLISHED") return undefined;
	throw error;
};
