import { LodeError } from "../../domain/errors.js";
import { DEFAULT_GROUP, type Group } from "../../domain/group.js";
import { checkGroup, type FieldProblems, type GroupFields, type WholeGroup } from "../../domain/group-input.js";
import { pendingGroup, sameGroup, servedSelection } from "../../domain/indexed-groups.js";
import type { EmbeddingProvider } from "../../embeddings/embedding.port.js";
import type { Catalog, GroupChanges } from "../../stores/catalog/catalog.port.js";
import { sourceId } from "../reading/scope.js";
import { groupNotFound } from "./group-report.js";

export interface GroupChangePorts {
	readonly catalog: Pick<Catalog, "sources" | "groups">;
	readonly defaultProvider: () => Promise<EmbeddingProvider>;
	/** Whether a configured provider serves a model. */
	readonly serves: (model: string) => boolean;
	readonly chunking: { readonly chunkSize: number; readonly overlap: number };
	readonly retention: { readonly maxVersions?: number; readonly ttl?: number };
}

/** A change that was checked: made again, it changes nothing more. */
export type GroupChange =
	| { readonly change: "create"; readonly source: string; readonly name: string; readonly group: WholeGroup }
	/** With the id of a model in place of `configured`. */
	| { readonly change: "update"; readonly source: string; readonly name: string; readonly fields: GroupFields }
	| { readonly change: "delete"; readonly source: string; readonly name: string };

/** @throws GROUP_INVALID (with a message for each field), GROUP_EXISTS, SOURCE_NOT_FOUND */
export async function planCreation(
	ports: GroupChangePorts,
	wanted: string,
	name: string,
	fields: GroupFields,
): Promise<GroupChange> {
	// Over REST it may be anything: what is no text is told with the other fields.
	const isNamed = typeof wanted === "string" && wanted !== "";
	const source = isNamed ? await sourceId(ports.catalog, wanted) : "";
	const model = await modelOf(ports, fields, undefined);
	const group = valid(
		ports,
		undefined,
		{
			...{ path: "", include: ["**"], exclude: [], grouping: "file", rules: [] },
			...given(fields),
			name,
			indexing: merged(ports.chunking, fields.indexing, { model }),
			retention: retentionOf(fields, ports.retention),
		},
		isNamed ? {} : { source: "must be an id, a unique beginning of one, or an address" },
	);
	const there = find(await ports.catalog.groups(source), name);
	if (there && !there.reindex?.deleting) throw groupExists(source, name);
	return { change: "create", source, name, group };
}

/** @throws GROUP_INVALID (with a message for each field), GROUP_NOT_FOUND, SOURCE_NOT_FOUND */
export async function planUpdate(
	ports: GroupChangePorts,
	wanted: string,
	name: string,
	fields: GroupFields,
): Promise<GroupChange> {
	const source = await sourceId(ports.catalog, wanted);
	const there = present(await ports.catalog.groups(source), source, name);
	const model = await modelOf(ports, fields, there.indexing.model);
	const concrete =
		fields.indexing?.model === undefined ? fields : { ...fields, indexing: { ...fields.indexing, model } };
	const { name: called = name, ...changed } = concrete as GroupFields & { readonly name?: unknown };
	const problems: FieldProblems = called === name ? {} : { name: "cannot be changed: create another group" };
	valid(ports, there.indexing.model, updated(there, changed), problems);
	return { change: "update", source, name, fields: given(changed) };
}

/** @throws GROUP_INVALID (`default` cannot go), GROUP_NOT_FOUND, SOURCE_NOT_FOUND */
export async function planDeletion(ports: GroupChangePorts, wanted: string, name: string): Promise<GroupChange> {
	const source = await sourceId(ports.catalog, wanted);
	if (name === DEFAULT_GROUP) throw invalid({ name: "the group default cannot be deleted" });
	if (!find(await ports.catalog.groups(source), name)) throw groupNotFound(source, name);
	return { change: "delete", source, name };
}

/** What a change makes of the groups that there are. @throws GROUP_EXISTS, GROUP_NOT_FOUND, GROUP_INVALID: others were quicker */
export function applied(change: GroupChange, groups: readonly Group[]): GroupChanges {
	const { source, name } = change;
	const nothing = { save: [], remove: [] };
	switch (change.change) {
		case "create": {
			const there = find(groups, name);
			const group = { source, ...change.group };
			if (there && !there.reindex?.deleting) {
				// A repeat finds what it made.
				if (sameGroup(there, group)) return nothing;
				throw groupExists(source, name);
			}
			return { save: [pendingGroup(group, there?.reindex?.serves)], remove: [] };
		}
		case "update": {
			const there = present(groups, source, name);
			const group = valid(undefined, undefined, updated(there, change.fields));
			return { save: [pendingGroup({ source, ...group }, servedSelection(there))], remove: [] };
		}
		case "delete": {
			const there = find(groups, name);
			const serves = there && servedSelection(there);
			if (!there) return nothing;
			if (!serves) return { save: [], remove: [name] };
			return { save: [{ ...there, reindex: { serves, deleting: true } }], remove: [] };
		}
	}
}

function updated({ source: _source, reindex: _reindex, ...there }: Group, fields: GroupFields): object {
	const rules = fields.grouping !== undefined && fields.grouping !== "custom" ? [] : there.rules;
	return {
		...there,
		rules,
		...given(fields),
		name: there.name,
		indexing: merged(there.indexing, fields.indexing),
		retention: retentionOf(fields, there.retention),
	};
}

async function modelOf(
	{ defaultProvider }: GroupChangePorts,
	fields: GroupFields,
	before: string | undefined,
): Promise<string> {
	const model: unknown = fields.indexing?.model;
	if (model === undefined && before !== undefined) return before;
	if (model === undefined || model === "configured") return (await (await defaultProvider()).model()).id;
	// What is no text is told with the other fields.
	return model as string;
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

const isObject = (value: unknown): value is object =>
	typeof value === "object" && value !== null && !Array.isArray(value);

/** What is no object stays what it is: the check says so. */
function merged(before: object, over: object | undefined, more: object = {}): unknown {
	return over === undefined || isObject(over) ? { ...before, ...given(over), ...more } : over;
}

function retentionOf(fields: GroupFields, before: Group["retention"]): unknown {
	if (!isObject(fields.retention)) return fields.retention === undefined ? before : fields.retention;
	const both = { ...before, ...given(fields.retention) };
	return Object.fromEntries(Object.entries(both).filter(([, value]) => value !== null));
}

/** A model that was there before may stay, though nobody serves it now. */
function valid(
	ports: Pick<GroupChangePorts, "serves"> | undefined,
	before: string | undefined,
	group: object,
	further: FieldProblems = {},
) {
	const result = checkGroup(group);
	const { model } = (group as { indexing: { model?: unknown } }).indexing ?? {};
	const unserved = ports && typeof model === "string" && model !== before && !ports.serves(model);
	const problems: Record<string, string> = { ...further, ...("problems" in result && result.problems) };
	if (unserved) problems["indexing.model"] ??= `no configured embedding provider serves ${model.slice(0, 200)}`;
	if ("group" in result && Object.keys(problems).length === 0) return result.group;
	throw invalid(problems);
}

function invalid(fields: FieldProblems): LodeError {
	const told = Object.entries(fields).map(([field, message]) => `${field} ${message}`);
	return new LodeError("GROUP_INVALID", told.join("; ").slice(0, 2_000), { fields });
}

function groupExists(source: string, name: string): LodeError {
	return new LodeError("GROUP_EXISTS", `source ${source} has a group ${name}`, {
		next: `change it with: lode group update ${source} ${name}`,
	});
}
