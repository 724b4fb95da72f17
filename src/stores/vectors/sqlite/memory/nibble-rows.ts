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

	constructor(dimensions: number, kernel: ScanKernel = createScanKernel()) {
		this.#kernel = kernel;
		this.#memory = new KernelMemory(kernel);
		this.#dimensions = dimensions;
	}

	get bytes(): number {
		return this.#memory.bytes.length + this.#rows.values.byteLength + this.#measures.byteLength;
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
		const { values: rows } = this.#rows;
		const measures = this.#measures;
		this.#blocks.forEach(({ values, sums }, block) => {
			this.#memory.bytes.fill(0, sums, sums + BLOCK * 2);
			const used = Math.ceil(Math.min(BLOCK, this.#rows.count - block * BLOCK) / 32) * 16;
			for (const { dimension, weight } of weights) {
				const from = values + (dimension * BLOCK) / 2;
				this.#kernel.addProducts(from, from + used, weight, sums);
			}
		});
		const each = (visit: (row: number, score: number) => void) => {
			this.#blocks.forEach(({ sums }, block) => {
				const from = block * BLOCK;
				const count = Math.min(BLOCK, this.#rows.count - from);
				const found = new Int16Array(this.#memory.buffer, sums, count);
				for (let at = 0; at < count; at += 1) {
					const row = rows[from + at] as number;
					if (passing[row] === 1) visit(row, (found[at] as number) * (measures[from + at] as number));
				}
			});
		};
		let best = 0;
		each((_, score) => {
			if (score > best) best = score;
		});
		// Above `last` steps all are wanted, at `last` so many of them. What is not similar at all has step 0.
		const step = best > 0 ? (STEPS - 1) / best : 0;
		const counts = new Uint32Array(STEPS);
		each((_, score) => {
			const at = score > 0 ? Math.floor(score * step) : 0;
			counts[at] = (counts[at] as number) + 1;
		});
		let [last, wanted] = [STEPS - 1, limit];
		while (last > 0 && (counts[last] as number) < wanted) wanted -= counts[last--] as number;
		const chosen: number[] = [];
		each((row, score) => {
			const at = score > 0 ? Math.floor(score * step) : 0;
			if (at > last || (at === last && wanted-- > 0)) chosen.push(row);
		});
		return chosen;
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
