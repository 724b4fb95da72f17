import type { Client } from "@temporalio/client";
import type { Group } from "../../domain/group.js";
import type { GroupFields } from "../../domain/group-input.js";
import { isPending } from "../../domain/indexed-groups.js";
import type { Catalog } from "../../stores/catalog/catalog.port.js";
import type { ReindexOutcome } from "../../workflows/contracts/reindex-source.js";
import { persistently } from "../ingestion/persistently.js";
import type { Plugins } from "../recipe.js";
import type { ReindexProgress } from "../reports.js";
import { type AuditLocal, NOT_AUDITED } from "../security/audit-local.js";
import { awaitReindex } from "./await-reindex.js";
import {
	applied,
	type GroupChange,
	type GroupChangePorts,
	planCreation,
	planDeletion,
	planUpdate,
} from "./group-change.js";
import { type GroupReport, groupNotFound, groupReports, groupsOfSource } from "./group-report.js";
import { startReindex } from "./start-reindex.js";

export interface GroupPorts extends GroupChangePorts {
	readonly catalog: Catalog;
	readonly plugins?: Plugins;
	readonly temporal: Client;
	readonly taskQueue: string;
	/** None where omitted. */
	readonly audit?: AuditLocal;
}

export interface GroupOptions {
	/** Answer once the change is stored and its re-index is accepted by Temporal. */
	readonly noWait?: boolean;
	readonly onProgress?: (progress: ReindexProgress) => void;
	readonly signal?: AbortSignal;
}

export interface GroupChangeReport extends Omit<GroupReport, "state"> {
	readonly state: GroupReport["state"] | "deleted";
	/** What came of the re-index; null where the change needed none. */
	readonly reindex: ReindexReport | null;
}

/** Texts are counted before the switch. `snapshot`: from it on readers see the change. */
export interface ReindexReport extends Omit<ReindexOutcome, "outcome"> {
	/** `started`: not waited for; `nothing`: nothing is published of the source yet. */
	readonly outcome: "started" | ReindexOutcome["outcome"];
	readonly workflowId: string;
}

/** Sources are named by their id, or a unique beginning of it, or their address. */
export interface GroupCommands {
	/** @throws GROUP_INVALID (with a message for each field), GROUP_EXISTS, SOURCE_NOT_FOUND */
	createGroup(source: string, name: string, fields: GroupFields, options: GroupOptions): Promise<GroupChangeReport>;
	/** What is left out stays as it is. @throws GROUP_INVALID, GROUP_NOT_FOUND, SOURCE_NOT_FOUND */
	updateGroup(source: string, name: string, fields: GroupFields, options: GroupOptions): Promise<GroupChangeReport>;
	/** @throws GROUP_INVALID (`default` cannot go), GROUP_NOT_FOUND, SOURCE_NOT_FOUND */
	deleteGroup(source: string, name: string, options: GroupOptions): Promise<GroupChangeReport>;
}

/** Stores a change. `pending`: its source has to be re-indexed. */
export async function storeChange(
	catalog: Pick<Catalog, "changeGroups">,
	change: GroupChange,
): Promise<{ readonly pending: boolean; readonly before: readonly Group[] }> {
	let before: readonly Group[] = [];
	const groups = await catalog.changeGroups(change.source, (there) => {
		before = there;
		return applied(change, there);
	});
	return { pending: isPending(groups), before };
}

/** What became of the group. `before`: as it was, for one that is gone. @throws GROUP_NOT_FOUND where nothing is known of it */
export async function changeReport(
	{ catalog, plugins }: { readonly catalog: Pick<Catalog, "groups" | "ingestions">; readonly plugins?: Plugins },
	{ source, name }: Pick<GroupChange, "source" | "name">,
	before: readonly Group[],
	reindex: ReindexReport | null,
): Promise<GroupChangeReport> {
	const now = (await groupsOfSource(catalog, source, plugins)).find((group) => group.name === name);
	if (now) return { ...now, reindex };
	const [gone] = groupReports(
		before.filter((group) => group.name === name),
		undefined,
	);
	if (!gone) throw groupNotFound(source, name);
	return { ...gone, state: "deleted", serves: null, reindex };
}

/** The use cases that change groups. What needs a re-index counts for readers when that is complete. */
export function createGroupCommands(ports: GroupPorts): GroupCommands {
	const { catalog, temporal, audit = NOT_AUDITED } = ports;

	function make(kind: GroupChange["change"], plan: () => Promise<GroupChange>, options: GroupOptions) {
		return audit(`${kind}-group`, async (tell) => {
			const change = await plan();
			const { source, name } = change;
			const { pending, before } = await storeChange(catalog, change);
			await tell(pending ? "accepted" : "done", { source, about: `${source}:${name}` });
			return changeReport(ports, change, before, pending ? await takeUp(source, options) : null);
		});
	}

	async function takeUp(source: string, options: GroupOptions): Promise<ReindexReport> {
		const { workflowId } = await persistently(() => startReindex(temporal, ports.taskQueue, source), options.signal);
		if (options.noWait) {
			return { outcome: "started", workflowId, ingestion: null, snapshot: null, embedded: 0, reused: 0 };
		}
		return {
			workflowId,
			...(await persistently(() => awaitReindex(temporal, workflowId, options), options.signal)),
		};
	}

	return {
		createGroup: (source, name, fields, options) =>
			make("create", () => planCreation(ports, source, name, fields), options),
		updateGroup: (source, name, fields, options) =>
			make("update", () => planUpdate(ports, source, name, fields), options),
		deleteGroup: (source, name, options) => make("delete", () => planDeletion(ports, source, name), options),
	};
}
