import { randomUUID } from "node:crypto";
import { type Committed, isCommitted } from "../../../domain/snapshot.js";
import { markId } from "./mark-ids.js";
import type { ModelCollection } from "./weaviate-collections.js";
import type { WeaviateConnection } from "./weaviate-connection.js";

const MARK_ID = markId(0);
const COLLECTED_ID = markId(1);
const [OPEN, CLOSED] = ["open", "closed"] as const;

/**
 * What a process knows of published chunks stays true until they are taken away with their source, or all of them are. Whoever does that says so in
 * a mark before and after it: knowledge holds as long as the mark is the one that it began with, and none begins while chunks are taken away.
 */
export class RemovalMark {
	constructor(private readonly connection: WeaviateConnection) {}

	/** Undefined where there is none. */
	read(model: ModelCollection): Promise<string | undefined> {
		return this.#content(model, MARK_ID);
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

	/**
	 * What retired the chunks that collection has deleted so far: who has not yet read of all these retirements cannot any more. Undefined where
	 * nothing was.
	 */
	async collected(model: ModelCollection): Promise<Committed | undefined> {
		const content = await this.#content(model, COLLECTED_ID);
		return content === undefined ? undefined : (JSON.parse(content) as Committed);
	}

	/** Says before the first is deleted that those go which the horizon shows no more. One at a time. */
	async collect(model: ModelCollection, { seq, excluding }: Committed): Promise<void> {
		const before = await this.collected(model);
		const both = before === undefined ? [{ seq, excluding }] : [before, { seq, excluding }];
		const horizon: Committed = {
			seq: Math.max(...both.map((one) => one.seq)),
			// Shown by neither.
			excluding: [...new Set(both.flatMap((one) => one.excluding))].filter(
				(open) => !both.some((one) => isCommitted(one, open)),
			),
		};
		const content = JSON.stringify(horizon);
		if (content !== JSON.stringify(before)) await this.#write(model, COLLECTED_ID, content);
	}

	#content({ collection }: ModelCollection, id: string): Promise<string | undefined> {
		return this.connection.search("ask whether chunks were taken away", (searches) =>
			searches.text(collection.name, collection.filter.byId().equal(id), "content"),
		);
	}

	async #set(model: ModelCollection, state: typeof OPEN | typeof CLOSED): Promise<string> {
		const content = `${state} ${randomUUID()}`;
		await this.#write(model, MARK_ID, content);
		return content;
	}

	async #write({ collection }: ModelCollection, id: string, content: string): Promise<void> {
		await this.connection.request("say that chunks are taken away", async () => {
			const { errors } = await collection.data.insertMany([{ id, properties: { content } }] as never);
			const [failed] = Object.values(errors);
			if (failed !== undefined) throw new Error(failed.message);
		});
	}
}
