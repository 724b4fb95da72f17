import { LodeError } from "../../domain/errors.js";
import { originPath } from "../../domain/keys.js";
import { changedPages } from "../../services/changed-pages.js";
import { updateManifest } from "../../stores/artifacts/manifest.js";
import type { OriginEntry } from "../../stores/catalog/catalog.port.js";
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
			const added = new Set<string>();
			for await (const entries of changedPages(catalog, seq, "added")) {
				for (const { path } of manifestFiles(entries)) added.add(path);
			}
			// Removals first: a file may have become a folder of the same name, or the reverse.
			for await (const entries of changedPages(catalog, seq, "retired")) {
				const removes = entries.flatMap((entry) => originPath(entry.origin) ?? []).filter((path) => !added.has(path));
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

/** Submodules have no bytes here: they stand in the graph only. */
function manifestFiles(entries: readonly OriginEntry[]) {
	return entries.flatMap(({ origin, file }) => {
		const path = originPath(origin);
		if (path === undefined || !file || file.mode === "submodule") return [];
		return [{ path, object: file.artifact, size: file.size, mode: file.mode }];
	});
}
