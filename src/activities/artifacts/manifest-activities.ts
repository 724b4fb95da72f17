import { compareBytes } from "../../domain/byte-order.js";
import { LodeError } from "../../domain/errors.js";
import { originPath } from "../../domain/keys.js";
import { changedPages } from "../../services/changed-pages.js";
import { updateManifest } from "../../stores/artifacts/manifest.js";
import type { Catalog, OriginEntry } from "../../stores/catalog/catalog.port.js";
import type { FinishingActivities } from "../activity-types.js";
import { openIngestion } from "../planning/open-ingestion.js";
import type { Ports } from "../ports.js";
import type { WritePermits } from "../staging/write-permits.js";

/** Writes the commit's manifest: only folders that changed are new objects. */
export function createManifestActivities(
	ports: Pick<Ports, "catalog" | "plugins" | "artifacts">,
	permits: Pick<WritePermits, "permit">,
): Pick<FinishingActivities, "stageManifest"> {
	const { catalog, artifacts } = ports;
	return {
		async stageManifest(seq) {
			const permit = permits.permit();
			const { ingestion, base } = await openIngestion(ports, seq);
			const { source, commit } = ingestion;
			const before = ingestion.baseSeq === undefined ? undefined : await artifacts.root(base, source);
			if (ingestion.baseSeq !== undefined && !before) {
				throw new LodeError("STORE_CORRUPT", `archive: the manifest of the base of ${ingestion.id} is missing`, {
					next: "lode verify",
				});
			}
			let object = before?.object;
			// Removals first: a file may have become a folder of the same name, or the reverse.
			for await (const removes of removedPaths(catalog, seq)) {
				if (removes.length > 0) object = await updateManifest(artifacts, object, { puts: [], removes });
			}
			for await (const entries of changedPages(catalog, seq, "added")) {
				const puts = manifestFiles(entries);
				if (puts.length > 0) object = await updateManifest(artifacts, object, { puts, removes: [] });
			}
			object ??= await updateManifest(artifacts, undefined, { puts: [], removes: [] });
			await artifacts.stageRoot(seq, { source, commit, object }, permit.options());
		},
	};
}

/** Paths that the seq retires and gives no new bytes: both lists are in order of origin, so they are read side by side. */
async function* removedPaths(catalog: Pick<Catalog, "changedEntries">, seq: number): AsyncGenerator<string[]> {
	const added = addedPaths(catalog, seq);
	let next: IteratorResult<string> | undefined;
	for await (const entries of changedPages(catalog, seq, "retired")) {
		const removed: string[] = [];
		for (const { origin } of entries) {
			const path = originPath(origin);
			if (path === undefined) continue;
			next ??= await added.next();
			while (!next.done && compareBytes(next.value, path) < 0) next = await added.next();
			if (next.done || next.value !== path) removed.push(path);
		}
		yield removed;
	}
}

async function* addedPaths(catalog: Pick<Catalog, "changedEntries">, seq: number): AsyncGenerator<string, undefined> {
	for await (const entries of changedPages(catalog, seq, "added")) {
		for (const { path } of manifestFiles(entries)) yield path;
	}
}

/** Submodules have no bytes here: they stand in the graph only. */
function manifestFiles(entries: readonly OriginEntry[]) {
	return entries.flatMap(({ origin, file }) => {
		const path = originPath(origin);
		if (path === undefined || !file || file.mode === "submodule") return [];
		return [{ path, object: file.artifact, size: file.size, mode: file.mode }];
	});
}
