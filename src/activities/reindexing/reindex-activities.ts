import { Context } from "@temporalio/activity";
import { errorCode, LodeError } from "../../domain/errors.js";
import { isPending, wantedGroups } from "../../domain/indexed-groups.js";
import { startIngest } from "../../services/ingestion/start-ingest.js";
import { fromWorkflowError } from "../../services/ingestion/workflow-errors.js";
import { recipeOfGroups, requireSource } from "../../services/recipe.js";
import type { Ingestion } from "../../stores/catalog/catalog.port.js";
import type { ReindexActivities } from "../activity-types.js";
import type { Ports } from "../ports.js";
import { createWarmer } from "./warmer.js";

/** Publications that one answer names at most: further ones come with the next. */
const PUBLICATIONS = 200;
/** Where a group changes again and again under the switch, the workflow looks anew. */
const SWITCHES = 5;

/** What the workflow `reindexSource` does. */
export function createReindexActivities(
	ports: Pick<
		Ports,
		"catalog" | "plugins" | "artifacts" | "miner" | "provider" | "embeddingCache" | "limits" | "temporal" | "ensureRoom"
	>,
): ReindexActivities {
	const { catalog, plugins, temporal } = ports;
	const warm = createWarmer(ports);

	async function head(source: string): Promise<Ingestion | undefined> {
		return (await catalog.ingestions({ source, status: ["published"], limit: 1 }))[0];
	}

	async function wanted(source: string) {
		const groups = await catalog.groups(source);
		const then = wantedGroups(groups);
		return { pending: isPending(groups), groups: then, recipe: recipeOfGroups(then, plugins) };
	}

	return {
		async planReindex(id, since) {
			await requireSource(catalog, id);
			const [{ pending, recipe }, latest] = [await wanted(id), await head(id)];
			const published =
				since === null || latest === undefined || latest.seq <= since
					? []
					: await catalog.ingestions({ source: id, status: ["published"], limit: PUBLICATIONS });
			return {
				pending,
				recipe,
				head: latest?.seq ?? null,
				since: published
					.map(({ seq }) => seq)
					.filter((seq) => seq > (since ?? 0))
					.reverse(),
				files: latest?.totals?.artifacts.count ?? 0,
			};
		},

		async warmPage({ source: id, recipe, ...page }) {
			const source = await requireSource(catalog, id);
			const { groups, recipe: now } = await wanted(id);
			return now === recipe ? warm(source, groups, page) : null;
		},

		async readyGroups(source, recipe) {
			let ready = false;
			await catalog.changeGroups(source, (groups) => {
				ready = isPending(groups) && recipeOfGroups(wantedGroups(groups), plugins) === recipe;
				const save = groups.flatMap((group) =>
					ready && group.reindex ? [{ ...group, reindex: { ...group.reindex, ready: true as const } }] : [],
				);
				return { save, remove: [] };
			});
			return ready;
		},

		async switchIndex(id, recipe) {
			const { info, cancelled } = Context.current();
			for (let attempt = 0; attempt < SWITCHES; attempt++) {
				const source = await requireSource(catalog, id);
				const latest = await head(id);
				if (latest === undefined) return { ingestion: null, snapshot: null };
				if (latest.recipe === recipe) return { ingestion: latest.id, snapshot: latest.snapshot ?? null };
				if ((await wanted(id)).recipe !== recipe) return null;
				// One id for every attempt of this activity: a repeat waits for what it asked for before.
				const updateId = `reindex/${info.workflowExecution?.runId}/${recipe}/${latest.seq}/${attempt}`;
				const request = { commit: latest.commit, unlessPassed: true };
				try {
					const handle = await startIngest(temporal, info.taskQueue, source, updateId, request);
					const done = handle.result();
					done.catch(() => undefined);
					await Promise.race([done, cancelled]);
				} catch (error) {
					const ours = fromWorkflowError(error);
					// A group changed under it, or it was stopped by a later commit: the next look says which.
					if (errorCode(ours) !== "BASE_MOVED") throw ours;
				}
			}
			throw new LodeError("SOURCE_BUSY", `the index of ${id} could not be switched: its groups change all the time`);
		},
	};
}
