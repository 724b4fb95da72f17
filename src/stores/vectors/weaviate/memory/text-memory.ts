import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import type { Snapshot } from "../../../../domain/snapshot.js";
import type { ModelCollection } from "../weaviate-collections.js";
import type { ChunkTable } from "./chunk-table.js";
import { CommittedChunks, type CommittedPorts, covers, Outrun } from "./committed-chunks.js";

/** Milliseconds from the first search to the reading: a process of one search is over by then. */
const READ_AFTER_MS = 100;
/** After a reading that failed. */
const AGAIN_AFTER_MS = 5_000;
/** How long a question waits for what came since the one before. It then asks Weaviate, and the reading goes on. */
const ADVANCE_MS = 100;
/** Collection deletes in Weaviate what stays here: with so many times the chunks that were read they are read anew. */
const GROWN = 2;
const FEW = 10_000;

type Held =
	| { readonly state: "waiting"; readonly timer: NodeJS.Timeout }
	| { readonly state: "reading"; readonly chunks?: CommittedChunks }
	| { readonly state: "off" }
	| { readonly state: "held"; readonly chunks: CommittedChunks; readonly count: number };

/**
 * The text of what is published, in the memory of a process that stays: of each collection, after the first search in it. A question then costs Weaviate
 * one small request: whether anything was taken away. It answers for the snapshot that is asked for, or not at all: then Weaviate has to.
 */
export class TextMemory {
	readonly #held = new Map<string, Held>();
	readonly #asked = new Map<string, Promise<string | undefined>>();
	#newest: Snapshot | undefined;
	#isClosed = false;

	constructor(
		private readonly ports: CommittedPorts,
		private readonly maxBytes: number,
	) {}

	/** Of all tables, those that are being read included. */
	get bytes(): number {
		return this.#bytesOf("held") + this.#bytesOf("reading");
	}

	#bytesOf(state: "held" | "reading"): number {
		let bytes = 0;
		for (const held of this.#held.values())
			if (held.state === state && "chunks" in held) bytes += held.chunks?.table.bytes ?? 0;
		return bytes;
	}

	/** What `ask` finds in a collection's table as the snapshot shows it; undefined where that cannot be told. */
	async answer<T>(model: ModelCollection, snapshot: Snapshot, ask: (table: ChunkTable) => T): Promise<T | undefined> {
		const chunks = await this.#chunks(model, snapshot);
		if (chunks === undefined) return undefined;
		const mark = this.#mark(model);
		// The question leaves before we begin.
		await nextTurn();
		try {
			const answer = ask(chunks.table);
			if ((await mark) === chunks.mark) return answer;
			this.#forget(model, chunks);
		} catch (error) {
			// A number that the table cannot hold.
			if (!(error instanceof RangeError)) throw error;
			this.#turnOff(model);
		}
		return undefined;
	}

	/** Resolves when all of these are held, or cannot be. */
	async ready(models: readonly ModelCollection[]): Promise<void> {
		for (const model of models) {
			while (["waiting", "reading"].includes(this.#held.get(model.collection.name)?.state ?? "")) await sleep(5);
		}
	}

	close(): void {
		this.#isClosed = true;
		for (const held of this.#held.values()) if (held.state === "waiting") clearTimeout(held.timer);
		this.#held.clear();
	}

	async #chunks(model: ModelCollection, snapshot: Snapshot): Promise<CommittedChunks | undefined> {
		if (this.#newest === undefined || !covers(this.#newest, snapshot)) this.#newest = snapshot;
		const held = this.#held.get(model.collection.name);
		if (held === undefined) this.#schedule(model, READ_AFTER_MS);
		if (held?.state !== "held") return undefined;
		const { chunks, count } = held;
		if (chunks.covers(snapshot)) return chunks;
		if (!chunks.precedes(snapshot)) return undefined;
		const advance = chunks.advance(snapshot).catch((error) => {
			if (error instanceof RangeError) this.#turnOff(model);
			else if (error instanceof Outrun) this.#forget(model, chunks);
		});
		const waited = new AbortController();
		await Promise.race([advance, sleep(ADVANCE_MS, undefined, { signal: waited.signal }).catch(() => undefined)]);
		waited.abort();
		if (chunks.table.count > FEW && chunks.table.count > count * GROWN) this.#forget(model, chunks);
		else if (chunks.covers(snapshot)) return chunks;
		return undefined;
	}

	/** One request for all that is asked before it leaves: a search asks several things at once. Undefined where there is no answer. */
	#mark(model: ModelCollection): Promise<string | undefined> {
		const { name } = model.collection;
		const asked = this.#asked.get(name);
		if (asked !== undefined) return asked;
		const answer = new Promise<void>((resolve) => process.nextTick(resolve)).then(() => {
			this.#asked.delete(name);
			return this.ports.marks.read(model).catch(() => undefined);
		});
		this.#asked.set(name, answer);
		return answer;
	}

	#schedule(model: ModelCollection, afterMs: number): void {
		const { name } = model.collection;
		if (this.#isClosed) return;
		if (this.maxBytes <= 0) {
			this.#held.set(name, { state: "off" });
			return;
		}
		const timer = setTimeout(() => void this.#read(model), afterMs);
		timer.unref();
		this.#held.set(name, { state: "waiting", timer });
	}

	async #read(model: ModelCollection): Promise<void> {
		const { name } = model.collection;
		const snapshot = this.#newest;
		if (this.#isClosed || snapshot === undefined) return;
		this.#held.set(name, { state: "reading" });
		try {
			let own: CommittedChunks | undefined;
			const current = () => this.#held.get(name) as { readonly chunks?: CommittedChunks } | undefined;
			const limits = {
				// One that is read takes no held one's place.
				room: () =>
					this.maxBytes -
					this.#bytesOf("held") -
					(this.#held.get(name)?.state === "held" ? 0 : (own?.table.bytes ?? 0)),
				isOver: () => this.#isClosed || current()?.chunks !== own,
			};
			const chunks = await CommittedChunks.read(model, snapshot, this.ports, limits, (begun) => {
				own = begun;
				this.#held.set(name, { state: "reading", chunks: begun });
			});
			if (this.#isClosed) return;
			if (chunks === "no room" || limits.room() < 0) this.#turnOff(model);
			else if (chunks === undefined) this.#schedule(model, AGAIN_AFTER_MS);
			else this.#held.set(name, { state: "held", chunks, count: chunks.table.count });
		} catch (error) {
			// The store answers without it; what is wrong shows there.
			if (error instanceof RangeError) this.#turnOff(model);
			else this.#schedule(model, AGAIN_AFTER_MS);
		}
	}

	#forget(model: ModelCollection, chunks: CommittedChunks): void {
		const held = this.#held.get(model.collection.name);
		if (held?.state === "held" && held.chunks === chunks) this.#held.delete(model.collection.name);
	}

	#turnOff(model: ModelCollection): void {
		if (!this.#isClosed) this.#held.set(model.collection.name, { state: "off" });
	}
}
