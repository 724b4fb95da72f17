import { randomUUID } from "node:crypto";
import type { ModelCollection } from "./weaviate-collections.js";
import type { WeaviateConnection } from "./weaviate-connection.js";

/** Of an object beside the chunks, the last in a cursor's order. It has no other property, so that no filter of ours finds it. */
export const MARK_ID = "ffffffff-ffff-8fff-bfff-ffffffffffff";
const [OPEN, CLOSED] = ["open", "closed"] as const;

/**
 * What a process knows of published chunks stays true until they are taken away with their source, or all of them are. Whoever does that says so in
 * a mark before and after it: knowledge holds as long as the mark is the one that it began with, and none begins while chunks are taken away.
 */
export class RemovalMark {
	constructor(private readonly connection: WeaviateConnection) {}

	/** Undefined where there is none. */
	async read({ collection }: ModelCollection): Promise<string | undefined> {
		const found = await this.connection.request("ask whether chunks were taken away", () =>
			collection.query.fetchObjectById(MARK_ID, { returnProperties: ["content"] as never }),
		);
		const content: unknown = found?.properties.content;
		return typeof content === "string" ? content : undefined;
	}

	/** One to begin with, set where there is none; undefined while chunks are taken away. */
	async begin(model: ModelCollection): Promise<string | undefined> {
		const mark = await this.read(model);
		if (mark === undefined) return this.#set(model, OPEN);
		return mark.startsWith(OPEN) ? mark : undefined;
	}

	/** Takes chunks away. Where that fails midway it is done again, by its caller, until it does not. */
	async around<T>(model: ModelCollection, removal: () => Promise<T>): Promise<T> {
		await this.#set(model, CLOSED);
		const removed = await removal();
		await this.#set(model, OPEN);
		return removed;
	}

	async #set({ collection }: ModelCollection, state: typeof OPEN | typeof CLOSED): Promise<string> {
		const content = `${state} ${randomUUID()}`;
		await this.connection.request("say that chunks are taken away", async () => {
			const { errors } = await collection.data.insertMany([{ id: MARK_ID, properties: { content } }] as never);
			const [failed] = Object.values(errors);
			if (failed !== undefined) throw new Error(failed.message);
		});
		return content;
	}
}
