import { LodeError } from "../../domain/errors.js";
import type { Group } from "../../domain/group.js";
import { EMPTY_SNAPSHOT, type Snapshot } from "../../domain/snapshot.js";
import { recipeOfGroups, requireGroups } from "../../services/recipe.js";
import type { Ingestion } from "../../stores/catalog/catalog.port.js";
import type { Ports } from "../ports.js";

export interface OpenIngestion {
	readonly ingestion: Ingestion;
	/** `default` first. */
	readonly groups: readonly Group[];
	/** What its source looked like when it began; nothing of the source is visible in it for a first ingestion. */
	readonly base: Snapshot;
	/** The base was made by another recipe. */
	readonly rebuild: boolean;
}

/**
 * An ingestion that is staging, with its base. All of it is made by the recipe it began with: where the groups, the plugins, or the version of the miners,
 * changes meanwhile, it cannot go on. @throws SEQ_CLOSED, INGESTION_NOT_FOUND, BASE_MOVED
 */
export async function openIngestion(
	{ catalog, plugins }: Pick<Ports, "catalog" | "plugins">,
	seq: number,
): Promise<OpenIngestion> {
	const ingestion = await catalog.ingestion(`ing-${seq}`);
	if (!ingestion) throw new LodeError("INGESTION_NOT_FOUND", `there is no ingestion with seq ${seq}`);
	if (ingestion.status !== "staging") {
		throw new LodeError("SEQ_CLOSED", `ingestion ${ingestion.id} is ${ingestion.status}, nothing may be staged for it`);
	}
	const groups = await requireGroups(catalog, ingestion.source);
	if (recipeOfGroups(groups, plugins) !== ingestion.recipe) {
		throw new LodeError(
			"BASE_MOVED",
			`what is indexed of ${ingestion.source} and how changed while ${ingestion.id} ran`,
			{
				next: `take it up with: lode retry ${ingestion.id}`,
			},
		);
	}
	if (ingestion.baseSeq === undefined) return { ingestion, groups, base: EMPTY_SNAPSHOT, rebuild: false };
	const baseIngestion = await catalog.ingestion(`ing-${ingestion.baseSeq}`);
	if (baseIngestion?.snapshot === undefined) {
		throw new LodeError("BASE_MOVED", `the base of ${ingestion.id} is not published`);
	}
	const base = await catalog.snapshot({ by: "number", number: baseIngestion.snapshot }, []);
	return { ingestion, groups, base, rebuild: baseIngestion.recipe !== ingestion.recipe };
}
