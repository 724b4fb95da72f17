import { setImmediate as nextTurn } from "node:timers/promises";
import { type Committed, isCommitted, type Snapshot } from "../../../../domain/snapshot.js";
import { and, goneIn, known, newlyGone, unknown } from "../chunk-filter.js";
import type { ChunkReader } from "../chunk-reader.js";
import type { KnownChunks } from "../known-chunks.js";
import { isMark } from "../mark-ids.js";
import type { RemovalMark } from "../removal-mark.js";
import { type StoredChunk, toHit } from "../stored-chunk.js";
import { type TermCounts, weightedTerms } from "../term-counts.js";
import type { ModelCollection } from "../weaviate-collections.js";
import type { WeaviateConnection } from "../weaviate-connection.js";
import { ChunkTable } from "./chunk-table.js";

const PROPERTIES = ["content", "addedAt", "removedAt", "terms", "pathTerms", "symbolTerms"] as const;
/** Objects of one answer while all are read: some milliseconds between two turns of the event loop. */
const PAGE = 250;
/** Rows before it is reckoned what all of them will take. */
const SAMPLE = 1_000;

export interface CommittedPorts {
	readonly connection: WeaviateConnection;
	readonly reader: ChunkReader;
	readonly marks: RemovalMark;
	/** Chunks that are read are offered to it. */
	readonly known: KnownChunks;
}

interface Found {
	readonly uuid: string;
	readonly properties: Readonly<Record<string, unknown>>;
}

/** Whether all that one snapshot knows is known to another. */
export const covers = (all: Snapshot, some: Committed): boolean =>
	some.seq <= all.seq && all.excluding.every((seq) => isCommitted(some, seq) === false);

/** Collection has deleted chunks of whose retirement had not been read: the table may show them for ever. */
export class Outrun extends Error {}

/** What bounds a table, asked while it is read. */
interface Limits {
	/** Bytes that are left; negative where all that is in memory takes more than it may. */
	room(): number;
	isOver(): boolean;
}

/**
 * The chunks of one collection that seqs of a snapshot added, with what its seqs retired, in memory. These are final once they are published, so it
 * answers for every snapshot that it covers, whatever is staged, retired or discarded meanwhile: none of that is read. To go on to a later snapshot,
 * what the seqs between the two added and retired is read, and nothing else. What collection deletes, no snapshot that may be asked for shows; a table to
 * which that was not yet told is `Outrun`.
 * Only a removal takes away what a snapshot shows: see `RemovalMark`.
 */
export class CommittedChunks {
	readonly table = new ChunkTable();
	#covered: Snapshot;
	#advancing: Promise<unknown> = Promise.resolve();

	private constructor(
		private readonly model: ModelCollection,
		private readonly ports: CommittedPorts,
		private readonly limits: Limits,
		snapshot: Snapshot,
		/** Of the removals that it knows. */
		readonly mark: string,
	) {
		this.#covered = snapshot;
	}

	/** Reads all of them. `began` is given them before they are read. Undefined while a source is removed, or when `isOver()`. */
	static async read(
		model: ModelCollection,
		snapshot: Snapshot,
		ports: CommittedPorts,
		limits: Limits,
		began: (chunks: CommittedChunks) => void,
	): Promise<CommittedChunks | "no room" | undefined> {
		const { connection, marks, known } = ports;
		const mark = await marks.begin(model);
		if (mark === undefined) return undefined;
		const chunks = new CommittedChunks(model, ports, limits, snapshot, mark);
		began(chunks);
		const { collection } = model;
		const ask = (after: string | undefined) =>
			connection.request("read all chunks", () =>
				collection.query.fetchObjects({ limit: PAGE, after, returnProperties: [...PROPERTIES] as never }),
			);
		let isReckoned = false;
		for (let after: string | undefined; ; ) {
			// By cursor, which goes by ids: an object that is written anew meanwhile is read once, as it was or as it is.
			const { objects } = await ask(after);
			for (const object of objects) if (!isMark(object.uuid)) chunks.#add(object, snapshot, known);
			after = objects.at(-1)?.uuid;
			if (after === undefined) return chunks;
			if (!isReckoned && chunks.table.count >= SAMPLE) {
				isReckoned = true;
				const { totalCount } = await connection.request("count chunks", () => collection.aggregate.overAll());
				const { bytes, count } = chunks.table;
				if ((bytes / count) * totalCount - bytes > limits.room()) return "no room";
			}
			if (limits.room() < 0) return "no room";
			await nextTurn();
			if (limits.isOver()) return undefined;
		}
	}

	covers(snapshot: Snapshot): boolean {
		return covers(this.#covered, snapshot);
	}

	/** Whether `advance` leads to it. */
	precedes(snapshot: Snapshot): boolean {
		return covers(snapshot, this.#covered);
	}

	/**
	 * Resolves when it covers the snapshot. One after the other; where one fails, what it read stays and does no harm.
	 * @throws RangeError where there is no room for it; Outrun
	 */
	advance(to: Snapshot): Promise<void> {
		const turn = this.#advancing.then(() => this.#advance(to));
		this.#advancing = turn.catch(() => undefined);
		return turn;
	}

	async #advance(to: Snapshot): Promise<void> {
		const from = this.#covered;
		if (covers(from, to) || !covers(to, from)) return;
		const {
			model,
			table,
			limits,
			ports: { reader, marks },
		} = this;
		const came = and(known(model, to), unknown(model, from));
		for await (const { id, properties } of reader.read(model, came, PROPERTIES, false)) {
			this.#add({ uuid: id, properties: properties as unknown as Record<string, unknown> }, to);
			if (limits.room() < 0) throw new RangeError("no room for what was published");
			if (limits.isOver()) return;
		}
		const went = and(goneIn(model, to), newlyGone(model, from));
		for await (const { id, properties } of reader.read(model, went, ["removedAt"], false)) {
			table.retire(id, Number(properties.removedAt));
		}
		// Asked last: whoever deletes says so first.
		const collected = await marks.collected(model);
		if (collected !== undefined && !covers(from, collected)) throw new Outrun();
		this.#covered = to;
	}

	#add({ uuid, properties }: Found, snapshot: Snapshot, keep?: KnownChunks): void {
		const { addedAt, removedAt } = properties as unknown as StoredChunk;
		// What is not published may still go, or change.
		if (!isCommitted(snapshot, addedAt)) return;
		const hit = toHit(uuid, properties, this.model.model, 0);
		this.table.append(hit, isCommitted(snapshot, removedAt) ? removedAt : null, countStored(properties));
		keep?.offer(hit);
	}
}

/** The terms that Weaviate searches. */
function countStored({ terms, pathTerms, symbolTerms }: Readonly<Record<string, unknown>>): TermCounts {
	const list = (text: unknown) => (typeof text === "string" && text !== "" ? text.split(" ") : []);
	return weightedTerms([list(terms), list(pathTerms), list(symbolTerms)]);
}
