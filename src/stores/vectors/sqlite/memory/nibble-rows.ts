import { floatsFrom } from "../vector-codec.js";
import { BestRows } from "./best-rows.js";
import { type CoarseRows, RowNumbers } from "./coarse-rows.js";
import { createScanKernel, KernelMemory, type ScanKernel } from "./scan-kernel.js";

/** Rows whose values of one dimension lie beside each other. */
const BLOCK = 8_192;
/** Four bits hold -7 to 7. */
const LARGEST = 7;
const LARGEST_SUM = 32_000;
const LARGEST_WEIGHT = 127;

interface Block {
	readonly values: number;
	readonly sums: number;
	/** Of each row's largest value. */
	readonly measures: number;
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
	/** Where the rows of one block are put that are near enough: number and score. */
	readonly #found: number;

	constructor(dimensions: number, kernel: ScanKernel = createScanKernel()) {
		this.#kernel = kernel;
		this.#memory = new KernelMemory(kernel);
		this.#dimensions = dimensions;
		this.#found = this.#memory.allocate(BLOCK * 8);
	}

	get bytes(): number {
		return this.#memory.bytes.length + this.#rows.values.byteLength;
	}

	append(row: number, { floats }: { readonly floats: Uint8Array | null }): void {
		const vector = floats && floatsFrom(floats);
		if (vector?.length !== this.#dimensions) throw new RangeError("a vector of another length");
		const at = this.#rows.count;
		const [block, place] = [Math.floor(at / BLOCK), at % BLOCK];
		if (block === this.#blocks.length) {
			const values = this.#memory.allocate((this.#dimensions * BLOCK) / 2);
			const sums = this.#memory.allocate(BLOCK * 2);
			this.#blocks.push({ values, sums, measures: this.#memory.allocate(BLOCK * 4) });
		}
		let largest = 0;
		for (const value of vector) if (Math.abs(value) > largest) largest = Math.abs(value);
		const factor = largest > 0 ? LARGEST / largest : 0;
		// 16 rows in the low bits of 16 bytes, the next 16 in the high ones.
		const isHigh = (place & 16) !== 0;
		const { values, measures } = this.#blocks[block] as Block;
		let address = values + (place >> 5) * 16 + (place & 15);
		const { bytes } = this.#memory;
		for (let dimension = 0; dimension < vector.length; dimension += 1) {
			const value = Math.round((vector[dimension] as number) * factor) & 15;
			bytes[address] = (bytes[address] as number) | (isHigh ? value << 4 : value);
			address += BLOCK / 2;
		}
		this.#memory.floats[measures / 4 + place] = largest;
		this.#rows.push(row);
	}

	/** The earlier first where they are as near. What is not similar at all is wanted only where all that is similar is. */
	nearest(query: Float32Array, passing: Uint8Array, limit: number): number[] {
		if (query.length !== this.#dimensions) throw new RangeError("a vector of another length");
		const weights = this.#weights(query);
		const { count, values: rows } = this.#rows;
		const best = new BestRows(limit);
		this.#blocks.forEach(({ values, sums, measures }, block) => {
			const from = block * BLOCK;
			const used = Math.ceil(Math.min(BLOCK, count - from) / 32) * 16;
			this.#memory.bytes.fill(0, sums, sums + BLOCK * 2);
			for (const { dimension, weight } of weights) {
				const first = values + (dimension * BLOCK) / 2;
				this.#kernel.addProducts(first, first + used, weight, sums);
			}
			// Most rows are below what is needed by now: the kernel passes over them, eight at a time.
			const least = Math.max(0, best.least);
			const end = this.#kernel.collectAbove(sums, sums + used * 4, measures, least, from, this.#found);
			const numbers = new Int32Array(this.#memory.buffer, this.#found, (end - this.#found) >> 2);
			const scores = new Float32Array(this.#memory.buffer, this.#found, numbers.length);
			for (let at = 0; at < numbers.length; at += 2) {
				const row = rows[numbers[at] as number] as number;
				if (passing[row] === 1) best.add(row, scores[at + 1] as number);
			}
		});
		const chosen = best.rows();
		if (chosen.length < limit) {
			const similar = new Set(chosen);
			for (let at = 0; at < count && chosen.length < limit; at += 1) {
				const row = rows[at] as number;
				if (passing[row] === 1 && !similar.has(row)) chosen.push(row);
			}
		}
		return chosen.sort((a, b) => a - b);
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
