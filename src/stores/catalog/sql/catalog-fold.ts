import type { Selectable } from "kysely";
import type { Group } from "../../../domain/group.js";
import type { Snapshot } from "../../../domain/snapshot.js";
import type { EventRow } from "../../events/sql/event-log.js";
import type { Failure, Ingestion, IngestionStats, IngestionStatus, Source, StoreTotals } from "../catalog.port.js";
import { type CatalogRebuilt, INSTALLATION_STREAM, ingestionStream, sourceStream } from "./catalog-events.js";
import type { CatalogTables } from "./catalog-tables.js";
import { type IngestionRow, jsonText, snapshotRow } from "./rows.js";

interface Started
	extends Pick<Ingestion, "seq" | "source" | "commit" | "recipe" | "workflowId" | "runId" | "startedAt"> {
	readonly baseCommit: string | null;
	readonly baseSeq: number | null;
	readonly baseSnapshot: number;
	readonly rebuild: boolean;
}

interface Published {
	readonly snapshot: Snapshot;
	readonly stats: IngestionStats;
	readonly totals: StoreTotals;
	readonly added: StoreTotals;
	readonly retired: StoreTotals;
}

/** The rows that the catalog should hold, as its events tell them. */
export class CatalogFold {
	readonly sources = new Map<string, Selectable<CatalogTables["source"]>>();
	readonly groups = new Map<string, Selectable<CatalogTables["source_group"]>>();
	readonly horizons = new Map<string, Selectable<CatalogTables["horizon"]>>();
	readonly ingestions = new Map<number, IngestionRow>();
	readonly snapshots = new Map<number, Selectable<CatalogTables["snapshot"]>>();
	readonly installation: Selectable<CatalogTables["installation"]> = {
		id: 1,
		next_seq: 1,
		next_snapshot: 1,
		highest_seq: 0,
	};

	/** Events of other parts of Lode, and of other streams, change nothing. */
	apply(event: EventRow): void {
		const data = JSON.parse(event.data) as Record<string, unknown>;
		if (event.source !== null && event.stream === sourceStream(event.source)) {
			this.#applyToSource(event.source, event.type, data);
		} else if (event.stream === ingestionStream(event.correlation_id)) {
			this.#applyToIngestion(event.correlation_id, event.type, data);
		} else if (event.stream === INSTALLATION_STREAM && event.type === "CatalogRebuilt") {
			const { nextSeq, nextSnapshot } = data as unknown as CatalogRebuilt;
			this.installation.next_seq = nextSeq;
			this.installation.next_snapshot = nextSnapshot;
		}
	}

	#applyToSource(id: string, type: string, data: Record<string, unknown>): void {
		const row = this.sources.get(id);
		switch (type) {
			case "SourceAdded": {
				const { kind, address, branch, policy, createdAt } = data.source as Source;
				this.sources.set(id, { id, kind, address, branch, policy, created_at: createdAt, removing: 0 });
				break;
			}
			case "GroupChanged": {
				const group = data.group as Group;
				this.groups.set(`${id} ${group.name}`, { source: id, name: group.name, definition: jsonText(group) });
				break;
			}
			case "GroupRemoved":
				this.groups.delete(`${id} ${data.name}`);
				break;
			case "HorizonMoved":
				this.horizons.set(id, { source: id, number: data.snapshot as number });
				break;
			case "SourceRemovalStarted":
				if (row) this.sources.set(id, { ...row, removing: 1 });
				break;
			case "SourceRemoved":
				this.sources.delete(id);
				this.horizons.delete(id);
				for (const [key, group] of this.groups) if (group.source === id) this.groups.delete(key);
				for (const [seq, ingestion] of this.ingestions) if (ingestion.source === id) this.ingestions.delete(seq);
		}
	}

	#applyToIngestion(id: string, type: string, data: Record<string, unknown>): void {
		if (type === "IngestionStarted") {
			const row = startedRow(id, data as unknown as Started);
			this.ingestions.set(row.seq, row);
			this.installation.next_seq = Math.max(this.installation.next_seq, row.seq + 1);
			return;
		}
		const row = this.ingestions.get(Number(id.slice("ing-".length)));
		if (!row) return;
		switch (type) {
			case "IngestionPublished": {
				const { snapshot, stats, totals, added, retired } = data as unknown as Published;
				this.ingestions.set(row.seq, {
					...row,
					status: "published",
					ended_at: snapshot.publishedAt,
					snapshot: snapshot.number,
					stats: jsonText(stats),
					totals: jsonText(totals),
					added: jsonText(added),
					retired: jsonText(retired),
				});
				this.snapshots.set(snapshot.number, snapshotRow(snapshot, row.seq));
				this.installation.next_snapshot = Math.max(this.installation.next_snapshot, snapshot.number + 1);
				this.installation.highest_seq = Math.max(this.installation.highest_seq, snapshot.seq);
				break;
			}
			case "IngestionAborted":
				this.ingestions.set(row.seq, {
					...row,
					status: "aborted",
					ended_at: data.endedAt as string,
					failure: jsonText(data.failure as Failure),
				});
				break;
			case "IngestionReleased":
				this.ingestions.set(row.seq, { ...row, status: data.status as IngestionStatus });
		}
	}
}

function startedRow(id: string, started: Started): IngestionRow {
	return {
		seq: started.seq,
		id,
		source: started.source,
		commit_id: started.commit,
		base_commit: started.baseCommit,
		base_seq: started.baseSeq,
		base_snapshot: started.baseSnapshot,
		recipe: started.recipe,
		rebuild: started.rebuild ? 1 : 0,
		status: "staging",
		workflow_id: started.workflowId,
		run_id: started.runId,
		started_at: started.startedAt,
		ended_at: null,
		snapshot: null,
		stats: null,
		failure: null,
		totals: null,
		added: null,
		retired: null,
	};
}
