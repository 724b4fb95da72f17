import type {
	BatchActivities,
	CompensationActivities,
	FinishingActivities,
	IngestionActivities,
	MaintenanceActivities,
	PlanningActivities,
	ReindexActivities,
} from "./activity-types.js";
import { createManifestActivities } from "./artifacts/manifest-activities.js";
import { BatchReader } from "./batch-records.js";
import { createMaintenanceActivities } from "./collection/maintenance-activities.js";
import { BatchEmbeddings } from "./embedding/batch-embeddings.js";
import { createEmbeddingActivities } from "./embedding/embedding-activities.js";
import { withFailureMapping } from "./failure-mapping.js";
import { createIngestionActivities } from "./ingestion/ingestion-activities.js";
import { createMiningActivities } from "./mining/mining-activities.js";
import { createPlanningActivities } from "./planning/planning-activities.js";
import { PreparedSources } from "./planning/prepared-sources.js";
import type { Ports } from "./ports.js";
import { createReindexActivities } from "./reindexing/reindex-activities.js";
import { withRoom } from "./room.js";
import { Discards } from "./staging/discards.js";
import { createLinkActivities } from "./staging/link-activities.js";
import { linkedTogether, stagedTogether } from "./staging/staged-together.js";
import { createStagingActivities } from "./staging/staging-activities.js";
import { ALWAYS_PERMITTED, WritePermits } from "./staging/write-permits.js";
import { VectorsAhead } from "./verification/vectors-ahead.js";
import { createVerificationActivities } from "./verification/verification-activities.js";

export type Activities = IngestionActivities &
	PlanningActivities &
	BatchActivities &
	FinishingActivities &
	CompensationActivities &
	ReindexActivities &
	MaintenanceActivities;

/** Everything that a worker registers, over the given ports. */
export function createActivities(ports: Ports): Activities {
	const reader = new BatchReader(ports.artifacts);
	const embeddings = new BatchEmbeddings(ports);
	const prepared = new PreparedSources(ports);
	const discards = new Discards(ports, ports.limits.writeDeadlineMs);
	const permits = discards.repeated ? new WritePermits({ deadlineMs: ports.limits.writeDeadlineMs }) : ALWAYS_PERMITTED;
	const ahead = new VectorsAhead(ports.vectors);
	const staging = createStagingActivities(ports, reader, embeddings, permits, discards);
	const finishing = { ...createLinkActivities(ports, permits, ahead), ...createManifestActivities(ports, permits) };
	const activities: Activities = {
		...createIngestionActivities(ports, discards),
		...createPlanningActivities(ports, prepared, discards),
		...createMiningActivities(ports, prepared, reader),
		...createEmbeddingActivities(ports, reader, embeddings),
		...staging,
		...stagedTogether(staging),
		...finishing,
		...linkedTogether(finishing),
		...createVerificationActivities(ports, ahead),
		...createReindexActivities(ports),
		...createMaintenanceActivities(ports, prepared, discards),
	};
	const writing = ports.ensureRoom ? withRoom(activities, ports.ensureRoom) : activities;
	return withFailureMapping(writing, ports.redact);
}
