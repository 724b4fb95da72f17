import { Context } from "@temporalio/activity";
import type { BatchRef } from "../../workflows/contracts/ingest-commit.js";
import type { BatchActivities, FinishingActivities } from "../activity-types.js";
import { sideBySide } from "../side-by-side.js";

/** Batches of which it is remembered what of them is staged, where an attempt failed. */
const KEPT = 64;

type Steps = Pick<BatchActivities, "stageGraph" | "stageVectors" | "recordBatch">;
type Step = keyof Steps;
type Answer = { readonly entities: number } | undefined;

/** What this process has staged of a batch within one activity, whichever attempt it was. */
interface Staged {
	readonly answers: Map<Step, Answer>;
	/** The attempt that began each step last: one that goes on behind its time-out says nothing any more of what the next one may take back. */
	readonly begun: Map<Step, object>;
}

/**
 * An activity costs the server three transactions with an fsync each, and the worker two round trips: one for all that is written of a batch, with the writes
 * side by side. Where a store fails, the next attempt here writes only what is not there yet.
 */
export function stagedTogether(steps: Steps): Pick<BatchActivities, "stageBatches"> {
	const kept = new Map<string, Staged>();
	const stagedOf = (key: string): Staged => {
		const staged = kept.get(key) ?? { answers: new Map(), begun: new Map() };
		kept.set(key, staged);
		const oldest = kept.keys().next().value;
		if (kept.size > KEPT && oldest !== undefined) kept.delete(oldest);
		return staged;
	};
	return {
		async stageBatches(batches) {
			const keys = batches.map(keyOf);
			const answers = await sideBySide(
				batches.flatMap((batch, at) => {
					const { answers, begun } = stagedOf(keys[at] as string);
					const once = async (step: Step): Promise<Answer> => {
						if (answers.has(step)) return answers.get(step);
						const attempt = {};
						begun.set(step, attempt);
						const answer = (await steps[step](batch)) ?? undefined;
						if (begun.get(step) === attempt) answers.set(step, answer);
						return answer;
					};
					return [once("stageGraph"), once("stageVectors"), once("recordBatch")];
				}),
			);
			for (const key of keys) kept.delete(key);
			return { entities: answers.reduce((sum, answer) => sum + (answer?.entities ?? 0), 0) };
		},
	};
}

/** Attempts of one activity share it. What is staged again, because a store lost it, is another activity. */
function keyOf({ seq, index }: BatchRef): string {
	const { workflowExecution, activityId } = Context.current().info;
	return `${workflowExecution?.runId}/${activityId}/${seq}/${index}`;
}

/** The two steps between the batches and the verification, of a change set for which they are a matter of milliseconds. */
export function linkedTogether(
	steps: Pick<FinishingActivities, "linkNames" | "stageManifest">,
): Pick<FinishingActivities, "linkAndList"> {
	return {
		async linkAndList(seq) {
			const [links] = await sideBySide([steps.linkNames(seq), steps.stageManifest(seq)]);
			return links;
		},
	};
}
