import { LodeError } from "../../../domain/errors.js";
import { EMPTY_SNAPSHOT, type Seq, type Snapshot } from "../../../domain/snapshot.js";
import type {
	BeginRequest,
	BeginResult,
	Failure,
	Ingestion,
	IngestionStats,
	IngestionStatus,
	StoreTotals,
} from "../catalog.port.js";
import { batchTotals } from "./batches.js";
import { appendIngestionEvent } from "./catalog-events.js";
import { type CatalogContext, type CatalogTransaction, lockInstallation, write } from "./catalog-tables.js";
import {
	closed,
	latestSnapshotRow,
	lockIngestion,
	OPEN,
	openIngestion,
	openSeqs,
	publishedHead,
	snapshotByNumber,
} from "./ingestion-rows.js";
import { type IngestionRow, jsonText, parseJson, snapshotRow, toIngestion, toSnapshot } from "./rows.js";
import { EMPTY_TOTALS, TotalsBuilder } from "./totals.js";

export function begin(context: CatalogContext, request: BeginRequest): Promise<BeginResult> {
	return write(context, async (transaction): Promise<BeginResult> => {
		const installation = await lockInstallation(transaction);
		const repeated = await transaction
			.selectFrom("ingestion")
			.selectAll()
			.where("run_id", "=", request.runId)
			.executeTakeFirst();
		if (repeated) return repeatedBegin(transaction, repeated, request);

		const source = await transaction
			.selectFrom("source")
			.select("removing")
			.where("id", "=", request.source)
			.executeTakeFirst();
		if (!source || source.removing === 1) {
			const why = source ? "it is being removed" : "there is no such source";
			throw new LodeError("SOURCE_NOT_FOUND", `Cannot begin an ingestion of ${request.source}: ${why}`);
		}
		const other = await openIngestion(transaction, request.source);
		if (other) return { outcome: "busy", by: toIngestion(other) };

		const head = await publishedHead(transaction, request.source);
		if (head && head.commit_id === request.commit && head.recipe === request.recipe) {
			const snapshot = await snapshotByNumber(transaction, head.snapshot ?? 0);
			return { outcome: "unchanged", ingestion: toIngestion(head), snapshot };
		}

		const latest = await latestSnapshotRow(transaction);
		const base = latest ? toSnapshot(latest) : EMPTY_SNAPSHOT;
		const seq = installation.next_seq;
		const row: IngestionRow = {
			seq,
			id: `ing-${seq}`,
			source: request.source,
			commit_id: request.commit,
			base_commit: head?.commit_id ?? null,
			base_seq: head?.seq ?? null,
			base_snapshot: base.number,
			recipe: request.recipe,
			rebuild: head && head.recipe !== request.recipe ? 1 : 0,
			status: "staging",
			workflow_id: request.workflowId,
			run_id: request.runId,
			started_at: context.now(),
			ended_at: null,
			snapshot: null,
			stats: null,
			failure: null,
			totals: null,
			added: null,
			retired: null,
		};
		await transaction.insertInto("ingestion").values(row).execute();
		await transaction
			.updateTable("installation")
			.set({ next_seq: seq + 1 })
			.execute();
		await appendIngestionEvent(transaction, row.started_at, row, "IngestionStarted", {
			seq,
			source: row.source,
			commit: row.commit_id,
			baseCommit: row.base_commit,
			baseSeq: row.base_seq,
			baseSnapshot: row.base_snapshot,
			recipe: row.recipe,
			rebuild: row.rebuild === 1,
			workflowId: row.workflow_id,
			runId: row.run_id,
			startedAt: row.started_at,
		});
		return { outcome: "started", ingestion: toIngestion(row), base, rebuild: row.rebuild === 1 };
	});
}

async function repeatedBegin(
	transaction: CatalogTransaction,
	row: IngestionRow,
	request: BeginRequest,
): Promise<BeginResult> {
	if (row.source !== request.source || row.commit_id !== request.commit) {
		throw new LodeError("INTERNAL", `Run ${request.runId} began ingestion ${row.id} of another commit`);
	}
	const base = row.base_snapshot === 0 ? EMPTY_SNAPSHOT : await snapshotByNumber(transaction, row.base_snapshot);
	return { outcome: "started", ingestion: toIngestion(row), base, rebuild: row.rebuild === 1 };
}

export function publish(
	context: CatalogContext,
	seq: Seq,
	stats: IngestionStats,
): Promise<{ ingestion: Ingestion; snapshot: Snapshot }> {
	return write(context, async (transaction) => {
		const installation = await lockInstallation(transaction);
		const row = await lockIngestion(transaction, seq);
		if (row.status === "published") {
			return { ingestion: toIngestion(row), snapshot: await snapshotByNumber(transaction, row.snapshot ?? 0) };
		}
		if (row.status !== "staging") throw closed(row, "publish");
		const head = await publishedHead(transaction, row.source);
		if ((head?.seq ?? null) !== row.base_seq) {
			throw new LodeError(
				"BASE_MOVED",
				`Cannot publish ingestion ${row.id} of ${row.source}: its base is no longer the head`,
			);
		}
		await refuseTwoCurrent(transaction, row);

		const { added, retired } = await batchTotals(transaction, seq);
		const before = head?.totals ? parseJson<StoreTotals>(head.totals, `ingestion ${head.id}`) : EMPTY_TOTALS;
		const totals = new TotalsBuilder().merge(before).merge(added).subtract(retired).build();
		const latest = await latestSnapshotRow(transaction);
		const highest = Math.max(installation.highest_seq, seq);
		const snapshot: Snapshot = {
			number: installation.next_snapshot,
			seq: highest,
			excluding: (await openSeqs(transaction)).filter((open) => open < highest && open !== seq),
			publishedAt: later(context.now(), latest?.published_at),
		};
		const published: IngestionRow = {
			...row,
			status: "published",
			ended_at: snapshot.publishedAt,
			snapshot: snapshot.number,
			stats: jsonText(stats),
			totals: jsonText(totals),
			added: jsonText(added),
			retired: jsonText(retired),
		};
		await transaction.insertInto("snapshot").values(snapshotRow(snapshot, seq)).execute();
		await transaction.updateTable("ingestion").set(published).where("seq", "=", seq).execute();
		await transaction
			.updateTable("installation")
			.set({ next_snapshot: snapshot.number + 1, highest_seq: highest })
			.execute();
		await forgetBatches(transaction, row);
		await appendIngestionEvent(transaction, snapshot.publishedAt, row, "IngestionPublished", {
			source: row.source,
			commit: row.commit_id,
			snapshot: { ...snapshot },
			stats: { ...stats, files: { ...stats.files } },
			totals: totalsJson(totals),
			added: totalsJson(added),
			retired: totalsJson(retired),
		});
		return { ingestion: toIngestion(published), snapshot };
	});
}

/** A changed origin has to be retired with what replaces it, or readers would see it twice. Costs what the seq added. */
async function refuseTwoCurrent(transaction: CatalogTransaction, row: IngestionRow): Promise<void> {
	// Nothing of the source is current yet, and a million look-ups would stop this process for seconds.
	if (row.base_seq === null) return;
	const double = await transaction
		.selectFrom("entry as a")
		.innerJoin("entry as b", (join) => join.onRef("b.source", "=", "a.source").onRef("b.origin", "=", "a.origin"))
		.select("a.origin")
		.where("a.added_at", "=", row.seq)
		.where("b.added_at", "<", row.seq)
		.where("b.removed_at", "is", null)
		.limit(1)
		.executeTakeFirst();
	if (double) {
		throw new LodeError("INTERNAL", `Ingestion ${row.id} adds ${double.origin} without retiring what is there of it`);
	}
}

async function forgetBatches(transaction: CatalogTransaction, { source, seq }: IngestionRow): Promise<void> {
	await transaction.deleteFrom("batch").where("seq", "=", seq).execute();
	await transaction
		.updateTable("entry")
		.set({ removed_batch: null })
		.where("source", "=", source)
		.where("removed_at", "=", seq)
		.execute();
}

/** Snapshots are found by time, so no two may have the same: a clock that stands still or goes back is overruled. */
function later(now: string, before: string | undefined): string {
	return before === undefined || now > before ? now : new Date(Date.parse(before) + 1).toISOString();
}

const totalsJson = ({ catalog, graph, vectors, artifacts }: StoreTotals) => ({
	catalog: { ...catalog },
	graph: { ...graph },
	vectors: { ...vectors },
	artifacts: { ...artifacts },
});

export function abort(context: CatalogContext, seq: Seq, failure: Failure): Promise<Ingestion> {
	return write(context, async (transaction) => {
		await lockInstallation(transaction);
		const row = await lockIngestion(transaction, seq);
		if (row.status === "published") throw closed(row, "abort");
		if (row.status !== "staging") return toIngestion(row);
		const aborted: IngestionRow = {
			...row,
			status: "aborted",
			ended_at: context.now(),
			failure: jsonText(failure),
		};
		await transaction.updateTable("ingestion").set(aborted).where("seq", "=", seq).execute();
		await appendIngestionEvent(transaction, aborted.ended_at ?? "", row, "IngestionAborted", {
			source: row.source,
			commit: row.commit_id,
			failure: { ...failure },
			endedAt: aborted.ended_at,
		});
		return toIngestion(aborted);
	});
}

export function release(
	context: CatalogContext,
	seq: Seq,
	status: "parked" | "cancelled" | "abandoned",
): Promise<Ingestion> {
	return write(context, async (transaction) => {
		await lockInstallation(transaction);
		const row = await lockIngestion(transaction, seq);
		if (row.status === "published" || row.status === "staging") throw closed(row, "release");
		if (!OPEN.includes(row.status)) return toIngestion(row);
		await transaction.deleteFrom("entry").where("added_at", "=", seq).execute();
		await transaction
			.updateTable("entry")
			.set({ removed_at: null, removed_batch: null })
			.where("source", "=", row.source)
			.where("removed_at", "=", seq)
			.execute();
		await transaction.deleteFrom("batch").where("seq", "=", seq).execute();
		const released: IngestionRow = { ...row, status: status satisfies IngestionStatus };
		await transaction.updateTable("ingestion").set(released).where("seq", "=", seq).execute();
		await appendIngestionEvent(transaction, context.now(), row, "IngestionReleased", {
			source: row.source,
			commit: row.commit_id,
			status,
		});
		return toIngestion(released);
	});
}
