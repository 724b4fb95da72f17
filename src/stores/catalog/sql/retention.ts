import { LodeError } from "../../../domain/errors.js";
import type { Snapshot } from "../../../domain/snapshot.js";
import { appendSourceEvent } from "./catalog-events.js";
import { type CatalogContext, type CatalogTransaction, lockInstallation, write } from "./catalog-tables.js";
import { snapshotByNumber } from "./ingestion-rows.js";
import { toGroup } from "./rows.js";
import { goneBefore } from "./visible-entries.js";

/** A published state of a source: readable from its snapshot on until the next one's. */
interface Version {
	readonly number: number;
	/** When the next one was published; undefined for the head. */
	readonly supersededAt: string | undefined;
}

export function moveHorizon(
	context: CatalogContext,
	source: string,
	graceBefore: string,
): Promise<Snapshot | undefined> {
	return write(context, async (transaction) => {
		await lockInstallation(transaction);
		const there = await transaction
			.selectFrom("horizon")
			.select("number")
			.where("source", "=", source)
			.executeTakeFirst();
		const versions = await versionsOf(transaction, source);
		const groups = await transaction.selectFrom("source_group").selectAll().where("source", "=", source).execute();
		const grace = new Date(graceBefore).toISOString();
		const now = context.now();
		// One horizon a source: its longest group decides, and readers that may still be at work.
		const firstKept = Math.min(
			firstSupersededAfter(versions, grace),
			...groups.map((row) => firstKeptBy(toGroup(row).retention, versions, now)),
		);
		const number = versions[firstKept]?.number;
		if (number === undefined || firstKept === 0 || (there && there.number >= number)) {
			return there ? snapshotByNumber(transaction, there.number) : undefined;
		}
		await transaction
			.insertInto("horizon")
			.values({ source, number })
			.onConflict((conflict) => conflict.column("source").doUpdateSet({ number }))
			.execute();
		await appendSourceEvent(transaction, now, source, "HorizonMoved", { source, snapshot: number });
		return snapshotByNumber(transaction, number);
	});
}

async function versionsOf(transaction: CatalogTransaction, source: string): Promise<Version[]> {
	const rows = await transaction
		.selectFrom("ingestion")
		.innerJoin("snapshot", "snapshot.number", "ingestion.snapshot")
		.select(["snapshot.number", "snapshot.published_at"])
		.where("ingestion.source", "=", source)
		.where("ingestion.status", "=", "published")
		.orderBy("snapshot.number")
		.execute();
	return rows.map((row, index) => ({ number: row.number, supersededAt: rows[index + 1]?.published_at }));
}

/** Versions are superseded in their order, so what is kept is always the end of the list. */
function firstSupersededAfter(versions: readonly Version[], time: string): number {
	return versions.findIndex(({ supersededAt }) => supersededAt === undefined || supersededAt > time);
}

/** The index of the first version that a group keeps. Where both bounds are set, only what both let go may go. */
function firstKeptBy(
	retention: { readonly maxVersions?: number; readonly ttl?: number },
	versions: readonly Version[],
	now: string,
): number {
	const { maxVersions, ttl } = retention;
	const kept: number[] = [];
	if (maxVersions !== undefined) kept.push(Math.max(0, versions.length - maxVersions));
	if (ttl !== undefined) {
		const since = Math.max(0, Date.parse(now) - ttl * 1_000);
		kept.push(firstSupersededAfter(versions, new Date(since).toISOString()));
	}
	return kept.length === 0 ? 0 : Math.min(...kept);
}

export function collectEntries(context: CatalogContext, source: string, horizon: Snapshot): Promise<number> {
	return write(context, async (transaction) => {
		await lockInstallation(transaction);
		const there = await transaction
			.selectFrom("horizon")
			.select("number")
			.where("source", "=", source)
			.executeTakeFirst();
		if (!there || there.number < horizon.number) {
			throw new LodeError(
				"INTERNAL",
				`Cannot collect ${source} up to snapshot ${horizon.number}: readers may still ask for it`,
			);
		}
		const { numDeletedRows } = await transaction
			.deleteFrom("entry")
			.where(goneBefore(source, horizon))
			.executeTakeFirstOrThrow();
		return Number(numDeletedRows);
	});
}
