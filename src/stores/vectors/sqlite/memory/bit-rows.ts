import { signBits } from "../vector-codec.js";
import { BestRows } from "./best-rows.js";
import { type CoarseRows, RowNumbers } from "./coarse-rows.js";
import { createScanKernel, KernelMemory, type ScanKernel } from "./scan-kernel.js";

const BLOCK = 8_192;
/** More than any distance. */
const FARTHEST = 65_535;

interface Block {
	readonly bits: number;
	readonly distances: number;
}

/** Sign bits, in blocks that stay where they are: of vectors of a model that knows meaning they tell nearly all. */
export class BitRows implements CoarseRows {
	readonly #kernel: ScanKernel;
	readonly #memory: KernelMemory;
	readonly #size: number;
	readonly #stride: number;
	readonly #query: number;
	/** Where the rows of one block are put that are near enough: number and distance. */
	readonly #found: number;
	readonly #blocks: Block[] = [];
	readonly #rows = new RowNumbers();

	constructor(dimensions: number, kernel: ScanKernel = createScanKernel()) {
		this.#kernel = kernel;
		this.#memory = new KernelMemory(kernel);
		this.#size = Math.ceil(dimensions / 8);
		this.#stride = Math.ceil(this.#size / 16) * 16;
		this.#query = this.#memory.allocate(this.#stride);
		this.#found = this.#memory.allocate(BLOCK * 8);
	}

	get bytes(): number {
		return this.#memory.bytes.length + this.#rows.values.byteLength;
	}

	append(row: number, { bits }: { readonly bits: Uint8Array }): void {
		if (bits.length !== this.#size) throw new RangeError("bits of another length");
		const [block, place] = [Math.floor(this.#rows.count / BLOCK), this.#rows.count % BLOCK];
		if (block === this.#blocks.length) {
			const [all, distances] = [this.#memory.allocate(BLOCK * this.#stride), this.#memory.allocate(BLOCK * 2)];
			this.#blocks.push({ bits: all, distances });
		}
		this.#memory.bytes.set(bits, (this.#blocks[block] as Block).bits + place * this.#stride);
		this.#rows.push(row);
	}

	/** The earlier first where they are as near: what the scan in SQL does. */
	nearest(query: Float32Array, passing: Uint8Array, limit: number): number[] {
		const bits = signBits(query);
		if (bits.length !== this.#size) throw new RangeError("bits of another length");
		this.#memory.bytes.set(bits, this.#query);
		const { values: rows } = this.#rows;
		const best = new BestRows(limit);
		this.#blocks.forEach(({ bits, distances }, block) => {
			const from = block * BLOCK;
			const count = Math.min(BLOCK, this.#rows.count - from);
			this.#kernel.distances(bits, bits + count * this.#stride, this.#stride, this.#query, distances);
			// Most rows are farther than is wanted by now: the kernel passes over them, eight at a time.
			const most = Math.max(0, Math.min(FARTHEST, -best.least));
			const end = this.#kernel.collectBelow(distances, distances + eights(count) * 2, most, from, this.#found);
			const found = new Int32Array(this.#memory.buffer, this.#found, (end - this.#found) >> 2);
			for (let at = 0; at < found.length; at += 2) {
				const number = found[at] as number;
				const row = rows[number] as number;
				// What lies behind the last row has distance 0.
				if (number < this.#rows.count && passing[row] === 1) best.add(row, -(found[at + 1] as number));
			}
		});
		return best.rows().sort((a, b) => a - b);
	}
}

const eights = (count: number): number => Math.ceil(count / 8) * 8;
