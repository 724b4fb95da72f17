import type { BatchRef } from "../../workflows/contracts/ingest-commit.js";
import type { BatchActivities, FinishingActivities } from "../activity-types.js";
import { sideBySide } from "../side-by-side.js";

/** Batches of which it is remembered what of them is staged, where their activity failed. */
const KEPT = 64;

/**
 * An activity costs the server three transactions with an fsync each, and the worker two round trips: one for all that is written of a batch, with the writes
 * side by side. Where a store fails, the next attempt here writes only what is not there yet.
 */
export function stagedTogether(
	steps: Pick<BatchActivities, "stageGraph" | "stageVectors" | "recordBatch">,
): Pick<BatchActivities, "stageBatches"> {
	/** By batch and step, what those that ended answered, until all have. */
	const ended = new Map<string, Map<string, { entities: number } | undefined>>();
	return {
		async stageBatches(batches) {
			const answers = await sideBySide(
				batches.flatMap((batch) => {
					const key = keyOf(batch);
					const known = ended.get(key) ?? new Map<string, { entities: number } | undefined>();
					ended.set(key, known);
					const once = async (step: keyof typeof steps) => {
						if (!known.has(step)) known.set(step, (await steps[step](batch)) ?? undefined);
						return known.get(step)?.entities ?? 0;
					};
					return [once("stageGraph"), once("stageVectors"), once("recordBatch")];
				}),
			).finally(() => {
				const oldest = [...ended.keys()].slice(0, Math.max(0, ended.size - KEPT));
				for (const key of oldest) ended.delete(key);
			});
			for (const batch of batches) ended.delete(keyOf(batch));
			return { entities: answers.reduce((sum, entities) => sum + entities, 0) };
		},
	};
}

/** A batch that is staged again has lost something that was written: nothing of its first time counts. */
const keyOf = ({ seq, index, again }: BatchRef): string => `${seq}/${index}${again ? "/again" : ""}`;

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
