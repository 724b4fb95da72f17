import { createHammingKernel, type HammingKernel, PAGE_BYTES } from "./hamming-kernel.js";

const BLOCK = 32_768;

interface Block {
	readonly bits: number;
	readonly distances: number;
}

/** Sign bits of one model's vectors, in blocks that stay where they are. */
export class BitRows {
	readonly #kernel: HammingKernel;
	readonly #bytes: number;
	readonly #stride: number;
	readonly #query: number;
	readonly #blocks: Block[] = [];
	#used = 0;
	#view: Uint8Array;
	#count = 0;
	/** The number of each one's row in the table, ascending. */
	#rows = new Int32Array(1_024);

	constructor(dimensions: number, kernel: HammingKernel = createHammingKernel()) {
		this.#kernel = kernel;
		this.#bytes = Math.ceil(dimensions / 8);
		this.#stride = Math.ceil(this.#bytes / 16) * 16;
		this.#view = new Uint8Array(kernel.memory.buffer);
		this.#query = this.#allocate(this.#stride);
	}

	get bytes(): number {
		return this.#view.byteLength + this.#rows.byteLength;
	}

	/** @throws RangeError where the bits are not those of such a vector */
	append(row: number, bits: Uint8Array): void {
		if (bits.length !== this.#bytes) throw new RangeError("bits of another length");
		const [block, place] = [Math.floor(this.#count / BLOCK), this.#count % BLOCK];
		if (block === this.#blocks.length) {
			this.#blocks.push({ bits: this.#allocate(BLOCK * this.#stride), distances: this.#allocate(BLOCK * 2) });
		}
		this.#view.set(bits, (this.#blocks[block] as Block).bits + place * this.#stride);
		if (this.#count === this.#rows.length) {
			const larger = new Int32Array(Math.ceil(this.#count * 1.5));
			larger.set(this.#rows);
			this.#rows = larger;
		}
		this.#rows[this.#count] = row;
		this.#count += 1;
	}

	/** Of the rows that pass the `limit` nearest, the earlier first where they are as near; in order of rows. */
	nearest(query: Uint8Array, passing: Uint8Array, limit: number): number[] {
		if (query.length !== this.#bytes) throw new RangeError("bits of another length");
		this.#view.fill(0, this.#query, this.#query + this.#stride);
		this.#view.set(query, this.#query);
		const rows = this.#rows;
		const near = new Uint32Array(this.#bytes * 8 + 1);
		this.#blocks.forEach(({ bits, distances }, block) => {
			const from = block * BLOCK;
			const count = Math.min(BLOCK, this.#count - from);
			this.#kernel.distances(bits, bits + count * this.#stride, this.#stride, this.#query, distances);
			const found = new Uint16Array(this.#kernel.memory.buffer, distances, count);
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
			const count = Math.min(BLOCK, this.#count - from);
			const found = new Uint16Array(this.#kernel.memory.buffer, distances, count);
			for (let at = 0; at < count; at += 1) {
				const distance = found[at] as number;
				if (distance > last || passing[rows[from + at] as number] === 0) continue;
				if (distance === last && wanted-- <= 0) continue;
				chosen.push(rows[from + at] as number);
			}
		});
		return chosen;
	}

	#allocate(bytes: number): number {
		const address = this.#used;
		this.#used += Math.ceil(bytes / 16) * 16;
		const missing = this.#used - this.#kernel.memory.buffer.byteLength;
		if (missing > 0) {
			this.#kernel.memory.grow(Math.ceil(missing / PAGE_BYTES));
			this.#view = new Uint8Array(this.#kernel.memory.buffer);
		}
		return address;
	}
}
