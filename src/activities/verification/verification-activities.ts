import { allEnded } from "../../domain/all-ended.js";
import { sameTally, type Tally } from "../../domain/digest.js";
import { LodeError } from "../../domain/errors.js";
import { fileOrigin, originPath } from "../../domain/keys.js";
import { changedPages } from "../../services/changed-pages.js";
import { ManifestFinder } from "../../stores/artifacts/manifest.js";
import type { ExpectedStaged, Ingestion } from "../../stores/catalog/catalog.port.js";
import type { StagedTally, VersionedStore } from "../../stores/versioned.port.js";
import type { FinishingActivities } from "../activity-types.js";
import { heartbeat } from "../heartbeat.js";
import { openIngestion } from "../planning/open-ingestion.js";
import type { Ports } from "../ports.js";
import type { VectorsAhead } from "./vectors-ahead.js";

/**
 * Before publish: every store is asked through its query path what it added and retired for the seq, and that is compared with the
 * ingestion's manifest in the catalog.
 */
export function createVerificationActivities(
	ports: Pick<Ports, "catalog" | "plugins" | "graph" | "vectors" | "artifacts">,
	ahead: VectorsAhead,
): Pick<FinishingActivities, "verifyStaged"> {
	const { catalog, artifacts } = ports;

	return {
		async verifyStaged(seq) {
			const { ingestion } = await openIngestion(ports, seq);
			const expected = await catalog.expected(seq);
			// Each store at once; of what they find the first in this order is told.
			await allEnded([
				verifyRecords("graph", ingestion, expected),
				verifyRecords("vectors", ingestion, expected),
				verifyArtifacts(seq, ingestion.id),
			]);
		},
	};

	async function verifyRecords(
		name: "graph" | "vectors",
		{ id, seq, source }: Ingestion,
		expected: ExpectedStaged,
	): Promise<void> {
		const differing = ({ added, retired }: StagedTally) =>
			!sameTally(added, expected[name].added) || !sameTally(retired, expected[name].retired);
		const early = name === "vectors" ? await ahead.take(seq) : undefined;
		// Only the store itself, asked now, says that something is wrong.
		if (early && !differing(early)) return;
		const staged = await ports[name].staged(seq, source);
		heartbeat();
		for (const which of ["added", "retired"] as const) {
			if (sameTally(staged[which], expected[name][which])) continue;
			throw new LodeError(
				"VERIFICATION_FAILED",
				`${name}: ${which} ${describe(staged[which])}, the manifest says ${describe(expected[name][which])}${await offender(name, seq, source, which)}`,
				{ next: `lode retry ${id}` },
			);
		}
	}

	/** Names the first origin that differs. */
	async function offender(name: "graph" | "vectors", seq: number, source: string, which: "added" | "retired") {
		const store: VersionedStore = ports[name];
		for await (const entries of changedPages(catalog, seq, which)) {
			for (const entry of entries) {
				const staged = await store.staged(seq, source, [entry.origin]);
				if (!sameTally(staged[which], entry[name])) return `; first at ${entry.origin}`;
			}
		}
		return "; all origins of the manifest agree, so there is something besides them";
	}

	async function verifyArtifacts(seq: number, ingestion: string): Promise<void> {
		const root = await artifacts.stagedRoot(seq);
		if (!root)
			throw new LodeError("VERIFICATION_FAILED", "artifacts: the manifest's root is missing", {
				next: `lode retry ${ingestion}`,
			});
		const manifest = new ManifestFinder(artifacts, root.object);
		for await (const entries of changedPages(catalog, seq, "added", { after: FILES.from })) {
			const files = entries.filter((entry) => entry.file && entry.file.mode !== "submodule");
			const missing = new Set(await artifacts.missing(files.map((entry) => entry.file?.artifact as string)));
			for (const { origin, file } of files) {
				const path = originPath(origin) as string;
				const listed = await manifest.find(path);
				if (missing.has(file?.artifact as string) || listed?.object !== file?.artifact) {
					throw new LodeError("VERIFICATION_FAILED", `artifacts: ${path} is not archived as the manifest says`, {
						next: `lode retry ${ingestion}`,
					});
				}
			}
			heartbeat();
			// Most of what follows are names: tens of thousands in a first ingestion.
			if (entries.some(({ origin }) => origin >= FILES.to)) return;
		}
	}
}

/** All origins of files, and no others, lie between: ";" follows ":". */
const FILES = { from: fileOrigin(""), to: "file;" };

const describe = (tally: Tally): string => `${tally.count} records (${tally.digest.slice(0, 12)})`;
