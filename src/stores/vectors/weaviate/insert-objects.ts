import type { Collection } from "weaviate-client";
import { allEnded } from "../../../domain/all-ended.js";

/**
 * As few objects go to the server one by one, at once. For two and more its client (3.14.0) takes half a second, because that is how often it looks
 * whether it has put all of them into their form.
 */
const SENT_ALONE = 16;

/** By their place in the batch, the objects that were refused. Ends when all that was sent has been answered. */
export async function insertObjects(
	collection: Collection,
	batch: readonly object[],
): Promise<Record<number, { message: string }>> {
	const insert = async (some: readonly object[]) => (await collection.data.insertMany(some as never)).errors;
	if (batch.length > SENT_ALONE) return insert(batch);
	const sent = batch.map((one) => insert([one]));
	await allEnded(sent);
	const answers = await Promise.all(sent);
	return Object.fromEntries(answers.flatMap((errors, at) => Object.values(errors).map((error) => [at, error])));
}
