import { Context } from "@temporalio/activity";
import { WorkflowNotFoundError } from "@temporalio/client";
import { errorCode, LodeError } from "../../domain/errors.js";
import { deletedGroups, isReady, wantedGroups } from "../../domain/indexed-groups.js";
import { recipeOf, recipeOfGroups, requireGroups, requireSource } from "../../services/recipe.js";
import type { Ingestion } from "../../stores/catalog/catalog.port.js";
import { PENDING_A_LOOK } from "../../workflows/contracts/follow-source.js";
import type { IngestionActivities } from "../activity-types.js";
import { BatchArchive } from "../batches.js";
import type { Ports } from "../ports.js";
import type { Discards } from "../staging/discards.js";
import { workflowRuns } from "./workflow-runs.js";

/** The life of an ingestion in the catalog. */
export function createIngestionActivities(
	ports: Pick<Ports, "catalog" | "plugins" | "artifacts" | "sources" | "temporal" | "limits">,
	discards: Pick<Discards, "repeated">,
): IngestionActivities {
	const { catalog, temporal } = ports;
	const batches = new BatchArchive(ports.artifacts);

	/** Whether a commit lies behind the head, so that ingesting it would move the source back. */
	async function isPassed(source: string, commit: string, head: string): Promise<boolean> {
		try {
			const since = await commitsSince(source, commit, head);
			return since !== undefined && since.length > 0;
		} catch (error) {
			// All that the head reaches is here; so what is not here, because nobody could fetch it yet, does not lie behind it.
			if (errorCode(error) === "COMMIT_NOT_FOUND") return false;
			throw error;
		}
	}

	/** The commits between the head and a commit, oldest first; undefined where the head is not behind it. */
	async function commitsSince(sourceId: string, head: string | undefined, to: string): Promise<string[] | undefined> {
		const source = await requireSource(catalog, sourceId);
		const adapter = ports.sources.of(source.kind);
		await adapter.prepare(source, to, () => {});
		const found: string[] = [];
		for await (const page of adapter.commits(source, head, to)) {
			for (const range of page) {
				if (range.type === "removed") return undefined;
				found.push(range.commit.sha);
			}
		}
		// Logs have children before parents.
		return found.reverse();
	}

	/** In the source's turn: where all is ready for what its groups say, it counts from this ingestion on. Returns its recipe. */
	async function takeUpGroups(source: string): Promise<string> {
		if (isReady(await catalog.groups(source))) {
			await catalog.changeGroups(source, (groups, open) => {
				// What another run stages is made by what counted when it began.
				if (open || !isReady(groups)) return { save: [], remove: [] };
				return { save: wantedGroups(groups), remove: deletedGroups(groups) };
			});
		}
		return recipeOfGroups(await requireGroups(catalog, source), ports.plugins);
	}

	/** Whether a head was made by another recipe than the source's next ingestion will be. */
	async function isOutdated(head: string, source: string): Promise<boolean> {
		return (await catalog.ingestion(head))?.recipe !== (await recipeOf(catalog, source, ports.plugins));
	}

	/** Undefined where nothing of the source, or nothing at all, is published. */
	async function headOf(source: string) {
		try {
			return await catalog.head(await catalog.snapshot({ by: "latest" }, []), source);
		} catch (error) {
			if (errorCode(error) === "NOTHING_PUBLISHED") return undefined;
			throw error;
		}
	}

	/** Whether what it has to do is most likely little. A new source and another recipe mean all files. */
	async function follows({ baseSeq, recipe }: Ingestion): Promise<boolean> {
		if (baseSeq === undefined || ports.limits.smallCommitFiles === 0 || discards.repeated) return false;
		return (await catalog.ingestion(`ing-${baseSeq}`))?.recipe === recipe;
	}

	return {
		async begin({ source: id, commit, workflowId, runId, unlessPassed }) {
			const source = await requireSource(catalog, id);
			if (unlessPassed) {
				const head = await headOf(source.id);
				if (head && head.commit !== commit) {
					const passed = await isPassed(source.id, commit, head.commit);
					const ingestion = passed ? await catalog.ingestion(head.ingestion) : undefined;
					if (ingestion) return { outcome: "superseded", ingestion, snapshot: head.snapshot };
				}
			}
			const recipe = await takeUpGroups(id);
			const result = await catalog.begin({ source: id, commit, recipe, workflowId, runId });
			switch (result.outcome) {
				case "started": {
					const { seq, id: ingestion } = result.ingestion;
					return { outcome: "started", seq, ingestion, ...((await follows(result.ingestion)) && { follows: true }) };
				}
				case "unchanged":
					return { outcome: "unchanged", ingestion: result.ingestion, snapshot: result.snapshot.number };
				case "busy":
					return (await workflowRuns(temporal, result.by))
						? { outcome: "busy", by: result.by.id }
						: { outcome: "stale", by: result.by.id, seq: result.by.seq };
			}
		},

		async publish(seq, stats) {
			const { ingestion, snapshot } = await catalog.publish(seq, stats);
			// It is published, whatever becomes of the batches: garbage collection finds what stays behind.
			await batches.removeAll(seq).catch(() => undefined);
			return { ingestion, snapshot: snapshot.number };
		},

		async abort(seq, failure) {
			await catalog.abort(seq, failure);
		},

		async release(seq, status) {
			await batches.removeAll(seq);
			await catalog.release(seq, status);
		},

		async pendingCommits(id, policy) {
			const source = await requireSource(catalog, id);
			const to = await ports.sources.of(source.kind).head(source);
			const head = await headOf(id);
			if (head?.commit === to) return (await isOutdated(head.ingestion, id)) ? [to] : [];
			if (policy === "head" || head === undefined) return [to];
			// After a force-push the commits in between are history that nobody asked for: the new head is what counts.
			const since = await commitsSince(id, head.commit, to);
			return since === undefined || since.length === 0 ? [to] : since.slice(0, PENDING_A_LOOK);
		},

		async awaitIngestion(workflowId) {
			const handle = temporal.workflow.getHandle(workflowId);
			const { cancellationSignal } = Context.current();
			for (;;) {
				cancellationSignal.throwIfAborted();
				try {
					if ((await handle.describe()).status.name !== "RUNNING") return;
				} catch (error) {
					if (error instanceof WorkflowNotFoundError) return;
					throw new LodeError("TEMPORAL_UNAVAILABLE", `asking Temporal about ${workflowId} failed`, { cause: error });
				}
				await Context.current().sleep(500);
			}
		},
	};
}
