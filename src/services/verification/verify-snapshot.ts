import { EMPTY_TALLY, sameTally, type Tally, TallyBuilder } from "../../domain/digest.js";
import { errorCode } from "../../domain/errors.js";
import type { Snapshot } from "../../domain/snapshot.js";
import { Findings, isDamage, type NamedProblem, type StoreName } from "./findings.js";
import { verifyHistory, verifyRootSources } from "./verify-history.js";
import type { VerifiableStores } from "./verify-object.js";
import { verifySource } from "./verify-source.js";

const STORES = ["catalog", "graph", "vectors", "artifacts"] as const;

export interface SnapshotVerification {
	readonly stores: Record<StoreName, Tally>;
	readonly problems: NamedProblem[];
}

/**
 * Recomputes what is visible of the sources in a snapshot, store by store, from the content itself, and compares it with the
 * manifest in the catalog, origin by origin, and the manifest with the totals that publish wrote down. Then every store checks itself,
 * earlier versions included. Damage is always a problem in the answer, never an error.
 * @throws STORE_UNAVAILABLE, PERMISSION_DENIED
 */
export async function verifySnapshot(
	stores: VerifiableStores,
	snapshot: Snapshot,
	sources: readonly string[],
	progress: (done: string) => void = () => {},
): Promise<SnapshotVerification> {
	const findings = new Findings();
	const sums = {
		catalog: new TallyBuilder(),
		graph: new TallyBuilder(),
		vectors: new TallyBuilder(),
		artifacts: new TallyBuilder(),
	};
	const context = { findings, checked: new Map<string, boolean>(), progress };
	for (const source of sources) {
		await findings.part("catalog", source, `source ${source}`, async () => {
			const totals = await verifySource(stores, snapshot, source, context);
			for (const store of STORES) sums[store].merge(totals.found[store]);
			const head = await stores.catalog.head(snapshot, source);
			if (!head && totals.expected.catalog.count > 0)
				findings.add("catalog", source, "head", "entries are visible, but no ingestion is published");
			for (const store of STORES) {
				if (!head || sameTally(totals.expected[store], head.totals[store])) continue;
				const record = `totals of ${store} in ingestion ${head.ingestion}`;
				findings.add("catalog", source, record, "differ from the sum of its entries");
			}
		});
	}
	for (const source of sources) await verifyHistory(stores, snapshot, source, context);
	await verifyRootSources(stores, findings);
	await checkStores(stores, sources, findings, progress);
	const built = Object.fromEntries(STORES.map((name) => [name, sums[name].build()]));
	return { stores: built as Record<StoreName, Tally>, problems: findings.problems };
}

export const NO_TOTALS: Record<StoreName, Tally> = {
	catalog: EMPTY_TALLY,
	graph: EMPTY_TALLY,
	vectors: EMPTY_TALLY,
	artifacts: EMPTY_TALLY,
};

/** Whether the catalog itself is why it could not name a snapshot: its problems, none where the error stands for itself. */
export async function catalogProblems(
	stores: Pick<VerifiableStores, "catalog">,
	error: unknown,
): Promise<NamedProblem[]> {
	const code = errorCode(error);
	if (!isDamage(error) && !(code !== undefined && LOST.has(code))) return [];
	const findings = new Findings();
	await findings.part("catalog", undefined, "catalog database", async () => {
		for (const { source, record, problem } of await stores.catalog.check())
			findings.add("catalog", source, record, problem);
	});
	return findings.problems;
}

/** What a catalog answers that never had any, or has lost it. */
const LOST: ReadonlySet<string> = new Set(["NOTHING_PUBLISHED", "SNAPSHOT_NOT_FOUND", "SNAPSHOT_EXPIRED"]);

/** What the stores find wrong in themselves. A source that no one knows is one whose name was changed: it counts for all. */
async function checkStores(
	stores: Pick<VerifiableStores, StoreName>,
	sources: readonly string[],
	findings: Findings,
	progress: (done: string) => void,
): Promise<void> {
	const known = new Set((await stores.catalog.sources()).map(({ id }) => id));
	for (const name of STORES) {
		progress(`${name}: checking the engine`);
		await findings.part(name, undefined, `${name} database`, async () => {
			for (const { source, record, problem } of await stores[name].check()) {
				if (source === undefined || sources.includes(source) || !known.has(source))
					findings.add(name, source, record, problem);
			}
		});
	}
}
