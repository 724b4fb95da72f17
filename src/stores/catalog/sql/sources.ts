import { LodeError } from "../../../domain/errors.js";
import { DEFAULT_GROUP, type Group } from "../../../domain/group.js";
import type { GroupChanges, Source } from "../catalog.port.js";
import { appendSourceEvent } from "./catalog-events.js";
import {
	type CatalogContext,
	type CatalogReader,
	type CatalogTransaction,
	lockInstallation,
	write,
} from "./catalog-tables.js";
import { openIngestion } from "./ingestion-rows.js";
import { jsonText, parseJson, toGroup, toSource } from "./rows.js";

export function putSource(
	context: CatalogContext,
	source: Omit<Source, "createdAt" | "removing">,
	defaultGroup: Group,
): Promise<Source> {
	if (defaultGroup.source !== source.id || defaultGroup.name !== "default") {
		throw new LodeError(
			"INTERNAL",
			`The default group of ${source.id} is given as ${defaultGroup.name} of ${defaultGroup.source}`,
		);
	}
	return write(context, async (transaction) => {
		await lockInstallation(transaction);
		const there = await sourceRow(transaction, source.id);
		if (there) return toSource(there);
		const row = {
			id: source.id,
			kind: source.kind,
			address: source.address,
			branch: source.branch,
			policy: source.policy,
			created_at: context.now(),
			removing: 0,
		};
		await transaction.insertInto("source").values(row).execute();
		const added = toSource(row);
		await appendSourceEvent(transaction, row.created_at, source.id, "SourceAdded", { source: { ...added } });
		await saveGroup(context, transaction, defaultGroup);
		return added;
	});
}

export function putGroup(context: CatalogContext, group: Group): Promise<void> {
	return write(context, async (transaction) => {
		await lockInstallation(transaction);
		if (!(await sourceRow(transaction, group.source))) throw unknown(group.source, `Cannot save group ${group.name}`);
		await saveGroup(context, transaction, group);
	});
}

/** A group that is not there is no error: whoever removes it may repeat that. */
export function removeGroup(context: CatalogContext, source: string, name: string): Promise<void> {
	return write(context, async (transaction) => {
		await lockInstallation(transaction);
		await deleteGroup(context, transaction, source, name);
	});
}

export function changeGroups(
	context: CatalogContext,
	source: string,
	change: (groups: readonly Group[], open: boolean) => GroupChanges,
): Promise<Group[]> {
	return write(context, async (transaction) => {
		await lockInstallation(transaction);
		if (!(await sourceRow(transaction, source))) throw unknown(source, "Cannot change its groups");
		const open = (await openIngestion(transaction, source)) !== undefined;
		const { save, remove } = change(await groupsOf(transaction, source), open);
		for (const group of save) await saveGroup(context, transaction, group);
		for (const name of remove) await deleteGroup(context, transaction, source, name);
		return groupsOf(transaction, source);
	});
}

export async function groupsOf(kysely: CatalogReader, source: string): Promise<Group[]> {
	const query = kysely.selectFrom("source_group").selectAll().where("source", "=", source).orderBy("name");
	return (await query.execute()).map(toGroup);
}

async function deleteGroup(
	context: CatalogContext,
	transaction: CatalogTransaction,
	source: string,
	name: string,
): Promise<void> {
	if (name === DEFAULT_GROUP) throw new LodeError("INTERNAL", `The group ${name} of ${source} cannot be removed`);
	const { numDeletedRows } = await transaction
		.deleteFrom("source_group")
		.where("source", "=", source)
		.where("name", "=", name)
		.executeTakeFirstOrThrow();
	if (Number(numDeletedRows) === 0) return;
	await appendSourceEvent(transaction, context.now(), source, "GroupRemoved", { source, name });
}

async function saveGroup(context: CatalogContext, transaction: CatalogTransaction, group: Group): Promise<void> {
	const definition = jsonText(group);
	const there = await transaction
		.selectFrom("source_group")
		.select("definition")
		.where("source", "=", group.source)
		.where("name", "=", group.name)
		.executeTakeFirst();
	if (there?.definition === definition) return;
	await transaction
		.insertInto("source_group")
		.values({ source: group.source, name: group.name, definition })
		.onConflict((conflict) => conflict.columns(["source", "name"]).doUpdateSet({ definition }))
		.execute();
	await appendSourceEvent(transaction, context.now(), group.source, "GroupChanged", {
		group: parseJson(definition, `group ${group.name}`),
	});
}

export function markRemoved(context: CatalogContext, source: string): Promise<void> {
	return write(context, async (transaction) => {
		await lockInstallation(transaction);
		const row = await sourceRow(transaction, source);
		if (!row) throw unknown(source, "Cannot remove it");
		if (row.removing === 1) return;
		await transaction.updateTable("source").set({ removing: 1 }).where("id", "=", source).execute();
		await appendSourceEvent(transaction, context.now(), source, "SourceRemovalStarted", { source });
	});
}

/** A source that is gone already is no error: the workflow that removes it may repeat the step. */
export function dropSource(context: CatalogContext, source: string): Promise<void> {
	return write(context, async (transaction) => {
		await lockInstallation(transaction);
		if (!(await sourceRow(transaction, source))) return;
		const open = await openIngestion(transaction, source);
		if (open) {
			// Its seq would leave `excluding` while stores may still hold, or be sent, records of it.
			throw new LodeError("SOURCE_BUSY", `Cannot remove ${source}: its ingestion ${open.id} is ${open.status}`, {
				next: "Abort and release it first.",
			});
		}
		await transaction.deleteFrom("entry").where("source", "=", source).execute();
		await transaction.deleteFrom("ingestion").where("source", "=", source).execute();
		await transaction.deleteFrom("horizon").where("source", "=", source).execute();
		await transaction.deleteFrom("source_group").where("source", "=", source).execute();
		await transaction.deleteFrom("source").where("id", "=", source).execute();
		await appendSourceEvent(transaction, context.now(), source, "SourceRemoved", { source });
	});
}

function sourceRow(transaction: CatalogTransaction, source: string) {
	return transaction.selectFrom("source").selectAll().where("id", "=", source).executeTakeFirst();
}

function unknown(source: string, what: string): LodeError {
	return new LodeError("SOURCE_NOT_FOUND", `${what}: there is no source ${source}`, { next: "See `lode sources`." });
}
