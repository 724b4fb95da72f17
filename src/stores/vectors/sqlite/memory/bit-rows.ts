import { signBits } from "../vector-codec.js";
import { type CoarseRows, RowNumbers } from "./coarse-rows.js";
import { createScanKernel, KernelMemory, type ScanKernel } from "./scan-kernel.js";

const BLOCK = 32_768;

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
	readonly #blocks: Block[] = [];
	readonly #rows = new RowNumbers();

	constructor(dimensions: number, kernel: ScanKernel = createScanKernel()) {
		this.#kernel = kernel;
		this.#memory = new KernelMemory(kernel);
		this.#size = Math.ceil(dimensions / 8);
		this.#stride = Math.ceil(this.#size / 16) * 16;
		this.#query = this.#memory.allocate(this.#stride);
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
		const near = new Uint32Array(this.#size * 8 + 1);
		this.#blocks.forEach(({ bits, distances }, block) => {
			const from = block * BLOCK;
			const count = Math.min(BLOCK, this.#rows.count - from);
			this.#kernel.distances(bits, bits + count * this.#stride, this.#stride, this.#query, distances);
			const found = new Uint16Array(this.#memory.buffer, distances, count);
			for (let at = 0; at < count; at += 1) {
				const distance = found[at] as number;
				near[distance] = (near[distance] as number) + (passing[rows[from + at] as number] as number);
			}
		});
		// Nearer than `last` are all wanted, at `last` so many of them.
		let [last, wanted] = [0, limit];
		while (last < near.length && (near[last] as number) < wanted) wanted -= near[last++] as number;
		const chosen: number[] = [];
		this.#blocks.forEach(({ distances }, block) => {
			const from = block * BLOCK;
			const count = Math.min(BLOCK, this.#rows.count - from);
			const found = new Uint16Array(this.#memory.buffer, distances, count);
			for (let at = 0; at < count; at += 1) {
				const distance = found[at] as number;
				if (distance > last || passing[rows[from + at] as number] === 0) continue;
				if (distance === last && wanted-- <= 0) continue;
				chosen.push(rows[from + at] as number);
			}
		});
		return chosen;
	}
}
