import { chunked } from "../../sqlite/chunked.js";
import type { ChunkHit } from "../vectors.port.js";
import type { ScoredId } from "./memory/chunk-table.js";
import { CONTENT_PROPERTIES, toHit } from "./stored-chunk.js";
import { countTerms, type TermCounts } from "./term-counts.js";
import type { RankedChunk } from "./text-ranking.js";
import type { ModelCollection } from "./weaviate-collections.js";
import type { WeaviateConnection } from "./weaviate-connection.js";

/** A chunk with all that a ranking needs. Its score is 0. */
export interface KnownChunk {
	readonly hit: ChunkHit;
	/** Counted when first asked for. */
	terms(): TermCounts;
}

/** What a question gave: the client's object, with its properties where they were asked for. */
interface Found {
	readonly uuid: string;
	readonly properties?: Readonly<Record<string, unknown>>;
}

/** Chunks of one question by id. */
const IDS = 500;
/** Where so many of a question's chunks were not known, the next one asks for contents at once. */
const OFTEN = 0.2;
const NEARLY_FULL = 0.8;
/** Besides text and terms: a hit's other fields, its places in maps. Bytes. */
const OVERHEAD = 1_000;
/** In a chunk's map of terms; the terms themselves are shared. A text has one for each ten characters or so. */
const TERM_BYTES = 40;
const CHARACTERS_A_TERM = 10;

/**
 * Chunks that were read before. What a seq has staged is never changed, and an id names a seq: a chunk that is known need not be read again.
 * Which ones a question finds is asked of Weaviate each time; an answer of ids takes it a fifth of the time.
 */
export class KnownChunks {
	readonly #known = new Map<string, { readonly chunk: KnownChunk; readonly bytes: number }>();
	#bytes = 0;
	#missing = 1;

	constructor(
		private readonly connection: WeaviateConnection,
		/** What they may take now, bytes. */
		private readonly room: () => number,
	) {}

	get bytes(): number {
		return this.#bytes;
	}

	/** The properties that a question should ask for. */
	get properties(): readonly string[] {
		return this.#missing > OFTEN ? CONTENT_PROPERTIES : [];
	}

	/** In the order of the objects. One that was deleted meanwhile is left out. */
	async of(model: ModelCollection, objects: readonly Found[]): Promise<KnownChunk[]> {
		const chunks = await this.#each(model, objects);
		return chunks.filter((chunk) => chunk !== undefined);
	}

	/** Chunks by id with the scores that they were found with; one that was deleted is left out. */
	async ranked(model: ModelCollection, scored: readonly ScoredId[]): Promise<RankedChunk[]> {
		const objects = scored.map(({ id }) => ({ uuid: id }));
		const chunks = await this.#each(model, objects);
		const ranked: RankedChunk[] = [];
		for (let at = 0; at < scored.length; at += 1) {
			const hit = chunks[at]?.hit;
			if (hit !== undefined) ranked.push({ hit, score: (scored[at] as ScoredId).score });
		}
		return ranked;
	}

	/** One for each object, undefined where it was deleted. */
	async #each(model: ModelCollection, objects: readonly Found[]): Promise<(KnownChunk | undefined)[]> {
		// Used last, dropped last. To move one takes time: only where one will be dropped soon.
		const isMoved = this.#bytes >= this.room() * NEARLY_FULL;
		const chunks = objects.map(({ uuid }) => this.#use(uuid, isMoved));
		const missing: number[] = [];
		for (let at = 0; at < chunks.length; at += 1) if (chunks[at] === undefined) missing.push(at);
		if (objects.length > 0) this.#missing = missing.length / objects.length;
		if (missing.length === 0) return chunks;
		const unread: string[] = [];
		for (const at of missing) {
			const { uuid, properties } = objects[at] as Found;
			if (properties?.content === undefined) unread.push(uuid);
			else chunks[at] = this.#keep(uuid, toHit(uuid, properties, model.model, 0));
		}
		const read = new Map<string, KnownChunk>();
		await Promise.all(
			chunked(unread, IDS).map(async (ids) => {
				for (const { uuid, properties = {} } of await this.#read(model, ids))
					read.set(uuid, this.#keep(uuid, toHit(uuid, properties, model.model, 0)));
			}),
		);
		for (const at of missing) chunks[at] ??= read.get((objects[at] as Found).uuid);
		return chunks;
	}

	/** A chunk that was read anyway: kept where that takes no other's place. */
	offer(hit: ChunkHit): void {
		if (!this.#known.has(hit.id) && this.#bytes + bytesOf(hit) <= this.room()) this.#keep(hit.id, hit);
	}

	clear(): void {
		this.#known.clear();
		this.#bytes = 0;
	}

	async #read({ collection }: ModelCollection, ids: readonly string[]): Promise<readonly Found[]> {
		const { objects } = await this.connection.request("read chunks", () =>
			collection.query.fetchObjects({
				filters: collection.filter.byId().containsAny([...ids]),
				limit: ids.length,
				returnProperties: [...CONTENT_PROPERTIES] as never,
			}),
		);
		return objects as unknown as readonly Found[];
	}

	#use(id: string, isMoved: boolean): KnownChunk | undefined {
		const known = this.#known.get(id);
		if (known === undefined || !isMoved) return known?.chunk;
		this.#known.delete(id);
		this.#known.set(id, known);
		return known.chunk;
	}

	#keep(id: string, hit: ChunkHit): KnownChunk {
		// Another question read it meanwhile.
		const there = this.#known.get(id);
		if (there !== undefined) return there.chunk;
		let terms: TermCounts | undefined;
		const chunk: KnownChunk = {
			hit,
			terms: () => {
				terms ??= countTerms(hit);
				return terms;
			},
		};
		const bytes = bytesOf(hit);
		this.#known.set(id, { chunk, bytes });
		this.#bytes += bytes;
		const room = this.room();
		for (const [oldest, { bytes: freed }] of this.#known) {
			if (this.#bytes <= room) break;
			this.#known.delete(oldest);
			this.#bytes -= freed;
		}
		return chunk;
	}
}

const bytesOf = ({ text }: ChunkHit): number =>
	OVERHEAD + text.length * 2 + (text.length / CHARACTERS_A_TERM) * TERM_BYTES;
