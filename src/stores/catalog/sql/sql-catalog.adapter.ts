import { unindexed } from "../../sqlite/unindexed.js";
import type { Catalog } from "../catalog.port.js";
import { expectedStaged, recordBatch, undoBatches } from "./batches.js";
import { checkCatalog } from "./catalog-check.js";
import { type CatalogContext, read } from "./catalog-tables.js";
import { changedEntries, entriesOf, hasFilesUnder, references, tallyVisible, visibleEntries } from "./entries.js";
import { NOT_PUBLISHED, openSeqs } from "./ingestion-rows.js";
import { abort, begin, publish, release } from "./ingestions.js";
import { restoreCatalog } from "./restore.js";
import { collectEntries, moveHorizon } from "./retention.js";
import { toIngestion, toSource } from "./rows.js";
import { findSnapshot, headIn, headsIn, snapshotsOf } from "./snapshots.js";
import { changeGroups, dropSource, groupsOf, markRemoved, putGroup, putSource, removeGroup } from "./sources.js";

/** The catalog on any engine that Kysely speaks to: the engine's folder gives it a connection, a schema and its own check. */
export function createSqlCatalog(context: CatalogContext): Catalog {
	const { kysely } = context;
	let closed = false;
	return {
		putSource: (source, defaultGroup) => putSource(context, source, defaultGroup),
		source: async (id) => {
			const row = await kysely.selectFrom("source").selectAll().where("id", "=", id).executeTakeFirst();
			return row && toSource(row);
		},
		sources: async () => (await kysely.selectFrom("source").selectAll().orderBy("id").execute()).map(toSource),
		groups: (source) => groupsOf(kysely, source),
		putGroup: (group) => putGroup(context, group),
		removeGroup: (source, name) => removeGroup(context, source, name),
		changeGroups: (source, change) => changeGroups(context, source, change),

		begin: (request) => begin(context, request),
		recordBatch: (seq, record) => recordBatch(context, seq, record),
		undoBatches: (seq, prefix) => undoBatches(context, seq, prefix),
		expected: (seq) => expectedStaged(context, seq),
		changedEntries: (seq, which, after, limit) => changedEntries(kysely, seq, which, after, limit),
		publish: (seq, stats) => publish(context, seq, stats),
		abort: (seq, failure) => abort(context, seq, failure),
		release: (seq, status) => release(context, seq, status),

		ingestion: async (id) => {
			const row = await kysely.selectFrom("ingestion").selectAll().where("id", "=", id).executeTakeFirst();
			return row && toIngestion(row);
		},
		ingestions: async ({ source, status, commit, limit }) => {
			if (status?.length === 0) return [];
			let query = kysely.selectFrom("ingestion").selectAll();
			if (commit !== undefined) query = query.where("commit_id", "=", commit);
			// Few have the same commit; most may be of one source.
			if (source !== undefined) query = query.where(commit === undefined ? "source" : unindexed("source"), "=", source);
			if (status !== undefined) query = query.where("status", "in", status);
			const all = source === undefined && commit === undefined;
			if (all && status?.includes("published") === false) query = query.where(NOT_PUBLISHED);
			return (await query.orderBy("seq", "desc").limit(limit).execute()).map(toIngestion);
		},
		openSeqs: () => openSeqs(kysely),

		snapshot: (selector, sources) => read(context, (transaction) => findSnapshot(transaction, selector, sources)),
		snapshots: (source, limit) => read(context, (transaction) => snapshotsOf(transaction, source, limit)),
		head: (snapshot, source) => headIn(kysely, snapshot, source),
		heads: (snapshot, sources) => headsIn(kysely, snapshot, sources),

		entries: (snapshot, source, after, limit) => visibleEntries(kysely, snapshot, source, after, limit),
		entriesOf: (snapshot, source, origins) => entriesOf(kysely, snapshot, source, origins),
		hasFilesUnder: (snapshot, source, folder, without) => hasFilesUnder(kysely, snapshot, source, folder, without),
		references: (after, limit) => references(kysely, after, limit),

		moveHorizon: (source, graceBefore) => moveHorizon(context, source, graceBefore),
		collect: (source, horizon) => collectEntries(context, source, horizon),
		tally: (snapshot, source) => tallyVisible(kysely, snapshot, source),
		markRemoved: (source) => markRemoved(context, source),
		dropSource: (source) => dropSource(context, source),
		restore: (history, options) => restoreCatalog(context, history, options),
		check: () => checkCatalog(context),
		close: async () => {
			if (closed) return;
			closed = true;
			context.release();
		},
	};
}
