import {
	continueAsNew,
	proxyActivities,
	setCurrentDetails,
	setHandler,
	upsertSearchAttributes,
	workflowInfo,
} from "@temporalio/workflow";
import type { ReindexActivities, ReindexPlan } from "../activities/activity-types.js";
import {
	groupsChangedSignal,
	type ReindexInput,
	type ReindexOutcome,
	type ReindexState,
	reindexStateQuery,
	type Warming,
} from "./contracts/reindex-source.js";
import { LONG_WAIT, RATE_LIMITED, STORE_WRITE } from "./retry-profiles.js";

/** Where commits come faster than their files are warmed, the switch does the rest itself. */
const ROUNDS = 20;

const planning = proxyActivities<Pick<ReindexActivities, "planReindex" | "readyGroups">>(STORE_WRITE);
const warming = proxyActivities<Pick<ReindexActivities, "warmPage">>(RATE_LIMITED);
const switching = proxyActivities<Pick<ReindexActivities, "switchIndex">>(LONG_WAIT);

/**
 * Takes up what was changed of a source's groups while commits go on and readers see the old index. Brings what it costs into the caches,
 * page by page, then what commits brought meanwhile, and only then has the source switch in its own order, with one publish. One run a source:
 * a change while it runs begins it anew.
 */
export async function reindexSource(input: ReindexInput): Promise<ReindexOutcome> {
	const { source } = input;
	let changed = false;
	let state: ReindexState = { stage: "planning", filesTotal: 0, filesDone: 0, embedded: 0, reused: 0 };
	let warm = input.warming;
	let outcome: ReindexOutcome = { outcome: "nothing", ingestion: null, snapshot: null, embedded: 0, reused: 0 };
	const enter = (change: Partial<ReindexState>) => {
		state = { ...state, ...change };
		const { stage, filesDone, filesTotal, embedded, reused } = state;
		setCurrentDetails(
			`**${stage}**\n\nsource \`${source}\`\n\nfiles ${filesDone}/${filesTotal} · embedded ${embedded} · reused ${reused}`,
		);
	};
	setHandler(groupsChangedSignal, () => {
		changed = true;
	});
	setHandler(reindexStateQuery, () => state);
	upsertSearchAttributes({ LodeSource: [source] });

	for (;;) {
		changed = false;
		const plan = await planning.planReindex(source, warm?.through ?? null);
		if (!plan.pending) {
			if (changed) continue;
			enter({ stage: "done" });
			return outcome;
		}
		const before = warm;
		warm = nextWarming(warm, plan);
		if (warm !== undefined && warm.walks.length > 0) {
			enter({ stage: "warming", filesTotal: plan.files, ...(before?.recipe !== warm.recipe && { filesDone: 0 }) });
			warm = await walk(source, warm, (done) =>
				enter({
					filesDone: state.filesDone + done.files,
					embedded: state.embedded + done.embedded,
					reused: state.reused + done.reused,
				}),
			);
			continue;
		}
		enter({ stage: "switching", filesDone: plan.files });
		if (!(await planning.readyGroups(source, plan.recipe))) continue;
		const switched = await switching.switchIndex(source, plan.recipe);
		if (switched !== null) {
			const { embedded, reused } = state;
			outcome = { outcome: switched.snapshot === null ? "nothing" : "switched", ...switched, embedded, reused };
		}
		if (changed || switched === null) continue;
		enter({ stage: "done" });
		return outcome;
	}
}

/** What there is to walk over now; without walks when all is warm. Undefined where nothing is published. */
function nextWarming(before: Warming | undefined, plan: ReindexPlan): Warming | undefined {
	if (plan.head === null) return undefined;
	if (before?.recipe !== plan.recipe) {
		return {
			recipe: plan.recipe,
			through: plan.head,
			walks: [{ seq: plan.head, added: false }],
			after: null,
			round: 1,
		};
	}
	if (before.walks.length > 0 || plan.since.length === 0 || before.round >= ROUNDS) return before;
	const walks = plan.since.map((seq) => ({ seq, added: true }));
	return { ...before, through: plan.since.at(-1) ?? before.through, walks, after: null, round: before.round + 1 };
}

/** Undefined where the groups changed meanwhile. */
async function walk(
	source: string,
	from: Warming,
	onPage: (done: { files: number; embedded: number; reused: number }) => void,
): Promise<Warming | undefined> {
	let warm = from;
	for (let [first, ...rest] = warm.walks; first !== undefined; [first, ...rest] = warm.walks) {
		const { recipe, after } = warm;
		const page = await warming.warmPage({ source, recipe, ...first, after });
		if (page === null) return undefined;
		onPage(page);
		warm = page.after === null ? { ...warm, walks: rest, after: null } : { ...warm, after: page.after };
		if (workflowInfo().continueAsNewSuggested) {
			await continueAsNew<typeof reindexSource>({ source, warming: warm });
		}
	}
	return warm;
}
