import { sameTally, TallyBuilder } from "../../domain/digest.js";
import { errorCode } from "../../domain/errors.js";
import { minedKeys } from "../../domain/origin-entry.js";
import { isCommitted, type Snapshot } from "../../domain/snapshot.js";
import { readManifest } from "../../stores/artifacts/manifest.js";
import type { Catalog, Ingestion, OriginEntry } from "../../stores/catalog/catalog.port.js";
import type { Findings } from "./findings.js";
import { type VerifiableStores, type VerificationContext, verifyMined, verifyObject } from "./verify-object.js";

const PAGE = 1_000;
const ALL = Number.MAX_SAFE_INTEGER;

/**
 * What is kept of a source for earlier snapshots: the records that later publications retired, and a manifest with whole bytes for
 * every commit that can still be asked for. With what is visible that is everything a store holds of the source. Bytes that nothing
 * refers to are garbage: nobody can be misled by them.
 */
export async function verifyHistory(
	stores: VerifiableStores,
	snapshot: Snapshot,
	source: string,
	context: VerificationContext,
): Promise<void> {
	const { findings, progress } = context;
	progress(`${source}: earlier versions`);
	await findings.part("catalog", source, `history of ${source}`, () =>
		findings.confirmed(async (found) => {
			const publications = await askable(stores.catalog, snapshot, source);
			// The oldest of them retired what no snapshot shows any more: that may be collected already.
			for (const ingestion of publications.slice(0, -1)) {
				await verifyRetired(stores, ingestion, { ...context, findings: found });
				progress(`${source}: what ${ingestion.id} retired`);
			}
		}),
	);
	await findings.part("artifacts", source, `roots of ${source}`, async () => {
		await findings.confirmed((found) => verifyRoots(stores, snapshot, source, found));
		const visited = new Set<string>();
		for (const { seq, root } of await stores.artifacts.roots()) {
			if (root.source !== source) continue;
			const record = `manifest of ${root.commit} (root at seq ${seq})`;
			await findings.part("artifacts", source, record, async () => {
				for await (const { path, object } of readManifest(stores.artifacts, root.object, visited))
					await verifyObject(stores, object, source, `file:${path} at ${root.commit}`, context);
			});
		}
	});
}

/** Roots of sources that the catalog never heard of: their name was changed. */
export async function verifyRootSources(stores: VerifiableStores, findings: Findings): Promise<void> {
	await findings.part("artifacts", undefined, "roots", () =>
		findings.confirmed(async (found) => {
			for (const { seq, root } of await stores.artifacts.roots())
				if ((await stores.catalog.source(root.source)) === undefined)
					found.add("artifacts", root.source, `root at seq ${seq}`, "belongs to a source that is not there");
		}),
	);
}

/** Publications of the source that a snapshot up to this one can ask for, newest first. */
async function askable(catalog: Catalog, snapshot: Snapshot, source: string): Promise<Ingestion[]> {
	const found: Ingestion[] = [];
	for (const { snapshot: published, ingestion } of await catalog.snapshots(source, ALL)) {
		if (!isCommitted(snapshot, ingestion.seq)) continue;
		if (await isExpired(catalog, published.number, source)) break;
		found.push(ingestion);
	}
	return found;
}

async function isExpired(catalog: Catalog, number: number, source: string): Promise<boolean> {
	try {
		await catalog.snapshot({ by: "number", number }, [source]);
		return false;
	} catch (error) {
		if (errorCode(error) === "SNAPSHOT_EXPIRED") return true;
		throw error;
	}
}

/** The records that one ingestion retired, against the entries that it retired. */
async function verifyRetired(
	stores: VerifiableStores,
	{ id, seq, source }: Ingestion,
	context: VerificationContext,
): Promise<void> {
	let after: string | undefined;
	do {
		const entries = await stores.catalog.changedEntries(seq, "retired", after, PAGE);
		for (const name of ["graph", "vectors"] as const) {
			await context.findings.part(name, source, `records that ${id} retired`, async () => {
				if (await agrees(stores, name, seq, source, entries)) return;
				for (const entry of entries)
					if (!(await agrees(stores, name, seq, source, [entry])))
						context.findings.add(name, source, entry.origin, `what ${id} retired of it is not what was there`);
			});
		}
		for (const { origin, file } of entries)
			for (const key of minedKeys(file)) await verifyMined(stores, source, `${origin} until ${id}`, key, context);
		after = entries.at(-1)?.origin;
	} while (after !== undefined);
}

async function agrees(
	stores: VerifiableStores,
	name: "graph" | "vectors",
	seq: number,
	source: string,
	entries: readonly OriginEntry[],
): Promise<boolean> {
	if (entries.length === 0) return true;
	const expected = new TallyBuilder();
	for (const entry of entries) expected.merge(entry[name]);
	const origins = entries.map(({ origin }) => origin);
	return sameTally((await stores[name].staged(seq, source, origins)).retired, expected.build());
}

/** Every publication that can be asked for has its root, and every root an ingestion. */
async function verifyRoots(
	{ artifacts, catalog }: VerifiableStores,
	snapshot: Snapshot,
	source: string,
	findings: Findings,
): Promise<void> {
	const roots = new Map(
		(await artifacts.roots()).filter(({ root }) => root.source === source).map(({ seq, root }) => [seq, root]),
	);
	for (const { id, seq, commit } of await askable(catalog, snapshot, source)) {
		const root = roots.get(seq);
		if (root?.commit === commit) continue;
		const problem = root
			? `names commit ${root.commit}, ${id} published ${commit}`
			: `is missing: ${id} published ${commit}`;
		findings.add("artifacts", source, `root at seq ${seq}`, problem);
	}
	// Asked after the roots: whoever staged one of them is known by then.
	const accounted = new Set(await catalog.openSeqs());
	for (const { ingestion } of await catalog.snapshots(source, ALL)) accounted.add(ingestion.seq);
	for (const seq of roots.keys())
		if (!accounted.has(seq)) findings.add("artifacts", source, `root at seq ${seq}`, "no ingestion accounts for it");
}
