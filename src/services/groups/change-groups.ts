import type { Client } from "@temporalio/client";
import { LodeError } from "../../domain/errors.js";
import { DEFAULT_GROUP, type Group } from "../../domain/group.js";
import { checkGroup, type FieldProblems, type GroupFields, type WholeGroup } from "../../domain/group-input.js";
import { isPending, pendingGroup, servedSelection } from "../../domain/indexed-groups.js";
import type { EmbeddingProvider } from "../../embeddings/embedding.port.js";
import type { Catalog, GroupChanges } from "../../stores/catalog/catalog.port.js";
import { persistently } from "../ingestion/persistently.js";
import { sourceId } from "../reading/scope.js";
import type { Plugins } from "../recipe.js";
import type { ReindexProgress } from "../reports.js";
import { awaitReindex } from "./await-reindex.js";
import { type GroupReport, groupNotFound, groupReports, groupsOfSource } from "./group-report.js";
import { startReindex } from "./start-reindex.js";

export interface GroupPorts {
	readonly catalog: Catalog;
	readonly defaultProvider: () => Promise<EmbeddingProvider>;
	/** Whether a configured provider serves a model. */
	readonly serves: (model: string) => boolean;
	readonly plugins?: Plugins;
	readonly chunking: { readonly chunkSize: number; readonly overlap: number };
	readonly retention: { readonly maxVersions?: number; readonly ttl?: number };
	readonly temporal: Client;
	readonly taskQueue: string;
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

export interface ReindexReport {
	/** `started`: not waited for; `nothing`: nothing is published of the source yet. */
	readonly outcome: "started" | "switched" | "nothing";
	readonly workflowId: string;
	readonly ingestion: string | null;
	/** From it on readers see the change. */
	readonly snapshot: number | null;
	/** Texts embedded before the switch, and those whose embedding was there. */
	readonly embedded: number;
	readonly reused: number;
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

/** The use cases that change groups. What needs a re-index counts for readers when that is complete. */
export function createGroupCommands(ports: GroupPorts): GroupCommands {
	const { catalog } = ports;

	async function modelOf(fields: GroupFields, before: string | undefined): Promise<string> {
		const given = fields.indexing?.model;
		if (given === undefined && before !== undefined) return before;
		if (given === undefined || given === "configured") return (await (await ports.defaultProvider()).model()).id;
		if (given !== before && !ports.serves(given)) {
			throw invalid({ "indexing.model": `no configured embedding provider serves ${given.slice(0, 200)}` });
		}
		return given;
	}

	/** Stores the change, has it taken up, and waits. */
	async function apply(
		source: string,
		name: string,
		options: GroupOptions,
		change: (groups: readonly Group[]) => GroupChanges,
	): Promise<GroupChangeReport> {
		let before: readonly Group[] = [];
		const groups = await catalog.changeGroups(source, (there) => {
			before = there;
			return change(there);
		});
		const reindex = isPending(groups) ? await takeUp(source, options) : null;
		const now = (await groupsOfSource(catalog, source, ports.plugins)).find((group) => group.name === name);
		if (now) return { ...now, reindex };
		const [gone] = groupReports(
			before.filter((group) => group.name === name),
			undefined,
		);
		if (!gone) throw groupNotFound(source, name);
		return { ...gone, state: "deleted", serves: null, reindex };
	}

	async function takeUp(source: string, options: GroupOptions): Promise<ReindexReport> {
		const handle = await persistently(() => startReindex(ports.temporal, ports.taskQueue, source), options.signal);
		const { workflowId } = handle;
		if (options.noWait) {
			return { outcome: "started", workflowId, ingestion: null, snapshot: null, embedded: 0, reused: 0 };
		}
		return {
			workflowId,
			...(await persistently(() => awaitReindex(ports.temporal, workflowId, options), options.signal)),
		};
	}

	return {
		async createGroup(wanted, name, fields, options) {
			const source = await sourceId(catalog, wanted);
			const model = await modelOf(fields, undefined);
			const group = valid({
				...{ path: "", include: ["**"], exclude: [], grouping: "file", rules: [] },
				...given(fields),
				name,
				indexing: { ...ports.chunking, ...given(fields.indexing), model },
				retention: retentionOf(fields, ports.retention),
			});
			return apply(source, name, options, (groups) => {
				const there = find(groups, name);
				if (there && !there.reindex?.deleting) {
					throw new LodeError("GROUP_EXISTS", `source ${source} has a group ${name}`, {
						next: `change it with: lode group update ${source} ${name}`,
					});
				}
				return { save: [pendingGroup({ source, ...group }, there?.reindex?.serves)], remove: [] };
			});
		},

		async updateGroup(wanted, name, fields, options) {
			const source = await sourceId(catalog, wanted);
			const current = present(await catalog.groups(source), source, name);
			const model = await modelOf(fields, current.indexing.model);
			return apply(source, name, options, (groups) => {
				const { reindex, source: _, ...there } = present(groups, source, name);
				const rules = fields.grouping !== undefined && fields.grouping !== "custom" ? [] : there.rules;
				const group = valid({
					...there,
					rules,
					...given(fields),
					indexing: { ...there.indexing, ...given(fields.indexing), model },
					retention: retentionOf(fields, there.retention),
				});
				return {
					save: [pendingGroup({ source, ...group }, servedSelection({ source, ...there, reindex }))],
					remove: [],
				};
			});
		},

		async deleteGroup(wanted, name, options) {
			const source = await sourceId(catalog, wanted);
			if (name === DEFAULT_GROUP) throw invalid({ name: "the group default cannot be deleted" });
			return apply(source, name, options, (groups) => {
				const there = find(groups, name);
				if (!there) throw groupNotFound(source, name);
				const serves = servedSelection(there);
				if (!serves) return { save: [], remove: [name] };
				return { save: [{ ...there, reindex: { serves, deleting: true } }], remove: [] };
			});
		},
	};
}

const find = (groups: readonly Group[], name: string) => groups.find((group) => group.name === name);

function present(groups: readonly Group[], source: string, name: string): Group {
	const group = find(groups, name);
	if (!group || group.reindex?.deleting) throw groupNotFound(source, name);
	return group;
}

/** Without what was not given, so that it overrides nothing. */
function given<T extends object>(fields: T | undefined): Partial<T> {
	return Object.fromEntries(Object.entries(fields ?? {}).filter(([, value]) => value !== undefined)) as Partial<T>;
}

function retentionOf(fields: GroupFields, before: Group["retention"]): unknown {
	if (typeof fields.retention !== "object") return fields.retention ?? before;
	const both = { ...before, ...given(fields.retention) };
	return Object.fromEntries(Object.entries(both).filter(([, value]) => value !== null));
}

function valid(group: object): WholeGroup {
	const result = checkGroup(group);
	if ("group" in result) return result.group;
	throw invalid(result.problems);
}

function invalid(fields: FieldProblems): LodeError {
	const told = Object.entries(fields).map(([field, message]) => `${field} ${message}`);
	return new LodeError("GROUP_INVALID", told.join("; "), { fields });
}
