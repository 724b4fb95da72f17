import { floatsFrom } from "../vector-codec.js";
import { type CoarseRows, RowNumbers } from "./coarse-rows.js";
import { createScanKernel, KernelMemory, type ScanKernel } from "./scan-kernel.js";

/** Rows whose values of one dimension lie beside each other. */
const BLOCK = 8_192;
/** Four bits hold -7 to 7. */
const LARGEST = 7;
const LARGEST_SUM = 32_000;
const LARGEST_WEIGHT = 127;
const STEPS = 8_192;

interface Block {
	readonly values: number;
	readonly sums: number;
}

/**
 * Vectors in four bits a dimension, dimension by dimension: of a question that has few dimensions (a few hashed words) only these are read.
 * Each row has the measure of its largest value, so that a product is off by a sixtieth or so.
 */
export class NibbleRows implements CoarseRows {
	readonly #kernel: ScanKernel;
	readonly #memory: KernelMemory;
	readonly #dimensions: number;
	readonly #blocks: Block[] = [];
	readonly #rows = new RowNumbers();
	#measures = new Float32Array(1_024);
	/** Of the latest question. */
	#scores = new Float32Array(0);

	constructor(dimensions: number, kernel: ScanKernel = createScanKernel()) {
		this.#kernel = kernel;
		this.#memory = new KernelMemory(kernel);
		this.#dimensions = dimensions;
	}

	get bytes(): number {
		return this.#memory.bytes.length + this.#rows.values.byteLength + 2 * this.#measures.byteLength;
	}

	append(row: number, { floats }: { readonly floats: Uint8Array | null }): void {
		const vector = floats && floatsFrom(floats);
		if (vector?.length !== this.#dimensions) throw new RangeError("a vector of another length");
		const at = this.#rows.count;
		const [block, place] = [Math.floor(at / BLOCK), at % BLOCK];
		if (block === this.#blocks.length) {
			const values = this.#memory.allocate((this.#dimensions * BLOCK) / 2);
			this.#blocks.push({ values, sums: this.#memory.allocate(BLOCK * 2) });
		}
		let largest = 0;
		for (const value of vector) if (Math.abs(value) > largest) largest = Math.abs(value);
		const factor = largest > 0 ? LARGEST / largest : 0;
		// 16 rows in the low bits of 16 bytes, the next 16 in the high ones.
		const isHigh = (place & 16) !== 0;
		let address = (this.#blocks[block] as Block).values + (place >> 5) * 16 + (place & 15);
		const { bytes } = this.#memory;
		for (let dimension = 0; dimension < vector.length; dimension += 1) {
			const value = Math.round((vector[dimension] as number) * factor) & 15;
			bytes[address] = (bytes[address] as number) | (isHigh ? value << 4 : value);
			address += BLOCK / 2;
		}
		if (at === this.#measures.length) {
			const more = new Float32Array(Math.ceil(at * 1.5));
			more.set(this.#measures);
			this.#measures = more;
		}
		this.#measures[at] = largest;
		this.#rows.push(row);
	}

	nearest(query: Float32Array, passing: Uint8Array, limit: number): number[] {
		if (query.length !== this.#dimensions) throw new RangeError("a vector of another length");
		const weights = this.#weights(query);
		this.#blocks.forEach(({ values, sums }, block) => {
			this.#memory.bytes.fill(0, sums, sums + BLOCK * 2);
			const used = Math.ceil(Math.min(BLOCK, this.#rows.count - block * BLOCK) / 32) * 16;
			for (const { dimension, weight } of weights) {
				const from = values + (dimension * BLOCK) / 2;
				this.#kernel.addProducts(from, from + used, weight, sums);
			}
		});
		const { count, values: rows } = this.#rows;
		if (this.#scores.length < count) this.#scores = new Float32Array(this.#measures.length);
		const scores = this.#scores;
		const best = this.#score(passing);
		// Above `last` steps all are wanted, at `last` so many of them. What is not similar at all has step 0.
		const step = best > 0 ? (STEPS - 1) / best : 0;
		const counts = new Uint32Array(STEPS);
		for (let at = 0; at < count; at += 1) {
			const score = scores[at] as number;
			// Nearly all, as a rule: they are wanted only where all others are.
			if (score <= 0) continue;
			const reached = (score * step) | 0;
			counts[reached] = (counts[reached] as number) + 1;
		}
		let [last, wanted] = [STEPS - 1, limit];
		while (last > 0 && (counts[last] as number) < wanted) wanted -= counts[last--] as number;
		const chosen: number[] = [];
		for (let at = 0; at < count; at += 1) {
			const score = scores[at] as number;
			if (score < 0) continue;
			const reached = (score * step) | 0;
			if (reached > last || (reached === last && wanted-- > 0)) chosen.push(rows[at] as number);
		}
		return chosen;
	}

	/** Fills `#scores`: 0 for what is not similar, less for what does not pass. Returns the highest. One plain loop: it goes through a million rows. */
	#score(passing: Uint8Array): number {
		const { values: rows, count } = this.#rows;
		const [scores, measures] = [this.#scores, this.#measures];
		let best = 0;
		for (let block = 0; block < this.#blocks.length; block += 1) {
			const from = block * BLOCK;
			const end = Math.min(BLOCK, count - from);
			const found = new Int16Array(this.#memory.buffer, (this.#blocks[block] as Block).sums, end);
			for (let at = 0; at < end; at += 1) {
				const row = from + at;
				if (passing[rows[row] as number] !== 1) {
					scores[row] = -1;
					continue;
				}
				const product = found[at] as number;
				const score = product > 0 ? product * (measures[row] as number) : 0;
				scores[row] = score;
				if (score > best) best = score;
			}
		}
		// As it is rounded there.
		return Math.fround(best);
	}

	/** The query's dimensions in whole numbers, so that no sum of products overflows 16 bits. */
	#weights(query: Float32Array): { readonly dimension: number; readonly weight: number }[] {
		let [largest, all] = [0, 0];
		for (const value of query) {
			largest = Math.max(largest, Math.abs(value));
			all += Math.abs(value);
		}
		if (largest === 0) return [];
		const factor = Math.min(LARGEST_WEIGHT / largest, LARGEST_SUM / LARGEST / all);
		return [...query]
			.map((value, dimension) => ({ dimension, weight: Math.trunc(value * factor) }))
			.filter(({ weight }) => weight !== 0);
	}
}
