import type { Client } from "@temporalio/client";
import type { JsonObject } from "../../domain/digest.js";
import { LodeError } from "../../domain/errors.js";
import type { Group } from "../../domain/group.js";
import type { Catalog } from "../../stores/catalog/catalog.port.js";
import { type ReindexOutcome, reindexStateQuery } from "../../workflows/contracts/reindex-source.js";
import { changeReport, type ReindexReport, storeChange } from "../groups/change-groups.js";
import {
	type GroupChange,
	type GroupChangePorts,
	planCreation,
	planDeletion,
	planUpdate,
} from "../groups/group-change.js";
import { groupPlace } from "../groups/group-report.js";
import { startReindex } from "../groups/start-reindex.js";
import type { Plugins } from "../recipe.js";
import type { CommandKind, CommandRequest } from "./command.js";
import type { RecordedCommand, WorkRef } from "./command-log.js";
import type { Work } from "./command-work.js";

export interface GroupWorkPorts extends GroupChangePorts {
	readonly catalog: Catalog;
	readonly plugins?: Plugins;
	readonly taskQueue: string;
}

type GroupKind = Extract<CommandKind, `${string}-group`>;

/** How a command asks Temporal. */
export interface Asking {
	/** With a deadline. */
	within<T>(ask: (temporal: Client) => Promise<T>): Promise<T>;
	/** The result of the workflow; undefined where Temporal does not know it any more. */
	outcome(ref: WorkRef): Promise<unknown>;
}

/** Commands that change groups: the change is stored when they start; they end when readers see it. */
export function createGroupWork(
	ports: GroupWorkPorts,
	asking: Asking,
): { [K in GroupKind]: Work<Extract<CommandRequest, { kind: K }>> } {
	const { catalog } = ports;

	/** The change, and the group as it was. */
	async function resolved(change: GroupChange): Promise<JsonObject> {
		const was = (await catalog.groups(change.source)).filter(({ name }) => name === change.name);
		return JSON.parse(JSON.stringify({ ...change, was })) as JsonObject;
	}

	const changing: Pick<Work, "start" | "outcome" | "progress"> = {
		async start({ work }) {
			const change = work as unknown as GroupChange;
			if (!(await storeChange(catalog, change)).pending) return undefined;
			const handle = await asking.within((temporal) => startReindex(temporal, ports.taskQueue, change.source));
			return { workflowId: handle.workflowId, runId: handle.signaledRunId, updateId: null };
		},
		async outcome({ work }, ref) {
			const { was, ...change } = work as unknown as GroupChange & { was: readonly Group[] };
			const done = ref && ((await asking.outcome(ref)) as ReindexOutcome | undefined);
			const reindex: ReindexReport | null = ref && done ? { ...done, workflowId: ref.workflowId } : null;
			const report = await changeReport(ports, change, was, reindex);
			if (ref && !done && report.state !== "indexed" && report.state !== "deleted") {
				throw new LodeError("INGESTION_FAILED", "what came of the re-index is not known any more", {
					next: "Change the group again.",
				});
			}
			return JSON.parse(JSON.stringify(report)) as JsonObject;
		},
		async progress({ workflowId, runId }) {
			const state = await asking.within((temporal) =>
				temporal.workflow.getHandle(workflowId, runId ?? undefined).query(reindexStateQuery),
			);
			return { ...state, chunks: 0, detail: "" };
		},
	};

	return {
		"create-group": {
			...changing,
			async resolve({ kind: _, source, name, ...fields }) {
				return resolved(await planCreation(ports, source, name, fields));
			},
		},
		"update-group": {
			...changing,
			async resolve({ kind: _, group, ...fields }) {
				const { source, name } = groupPlace(group);
				return resolved(await planUpdate(ports, source, name, fields));
			},
		},
		"delete-group": {
			...changing,
			async resolve({ group }) {
				const { source, name } = groupPlace(group);
				return resolved(await planDeletion(ports, source, name));
			},
		},
	};
}

/** What a command on a group ended with. */
export function reindexOf({ kind }: Pick<RecordedCommand, "kind">, result: JsonObject | null): Partial<ReindexReport> {
	return kind.endsWith("-group") ? ((result?.reindex ?? {}) as Partial<ReindexReport>) : {};
}
