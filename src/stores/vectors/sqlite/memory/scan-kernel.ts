import { SCAN_KERNEL } from "./scan-kernel-code.js";

/** Compares one vector with many; see scan-kernel.wat. */
export interface ScanKernel {
	/** Where rows lie: it grows, and its buffer is another one then. */
	readonly memory: { readonly buffer: ArrayBufferLike; grow(pages: number): unknown };
	/** From address `rows` to `end` rows of `stride` bytes (a multiple of 16); at `out` 16 bits for each. */
	distances(rows: number, end: number, stride: number, query: number, out: number): void;
	/** From address `values` to `end` four bits a row; at `sums` 16 bits for each. */
	addProducts(values: number, end: number, weight: number, sums: number): void;
	/**
	 * From address `sums` to `end` 16 bits a row, in eights; at `measures` what each counts. At `out` numbers, from `row` on, and scores of those
	 * whose score is above `least`, 8 bytes each. Returns the address behind the last.
	 */
	collectAbove(sums: number, end: number, measures: number, least: number, row: number, out: number): number;
	/**
	 * From address `distances` to `end` 16 bits a row, in eights. At `out` numbers, from `row` on, and distances of those whose distance is below
	 * `most`, 8 bytes each. Returns the address behind the last.
	 */
	collectBelow(distances: number, end: number, most: number, row: number, out: number): number;
}

/** What is used of it here: this project's types do not know browsers. */
interface WebAssemblyApi {
	readonly Module: new (code: Uint8Array) => object;
	readonly Instance: new (module: object) => { readonly exports: unknown };
}

const PAGE_BYTES = 65_536;

/** In WebAssembly with its vector instructions; where these are missing, the same in JavaScript, some ten times slower. */
export function createScanKernel(use: "fastest" | "javascript" = "fastest"): ScanKernel {
	if (use === "fastest") {
		try {
			const { Module, Instance } = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;
			return new Instance(new Module(Buffer.from(SCAN_KERNEL, "base64"))).exports as ScanKernel;
		} catch {
			// No vector instructions, or no WebAssembly (`--jitless`).
		}
	}
	return new JavaScriptKernel();
}

class JavaScriptKernel implements ScanKernel {
	readonly memory = {
		buffer: new ArrayBuffer(PAGE_BYTES),
		grow(pages: number) {
			const larger = new ArrayBuffer(this.buffer.byteLength + pages * PAGE_BYTES);
			new Uint8Array(larger).set(new Uint8Array(this.buffer));
			this.buffer = larger;
		},
	};

	distances(rows: number, end: number, stride: number, query: number, out: number): void {
		const words = new Int32Array(this.memory.buffer);
		const found = new Uint16Array(this.memory.buffer);
		const [from, parts] = [query >> 2, stride >> 2];
		for (let row = rows >> 2, place = out >> 1; row < end >> 2; row += parts, place += 1) {
			let distance = 0;
			for (let part = 0; part < parts; part += 1)
				distance += ones((words[row + part] as number) ^ (words[from + part] as number));
			found[place] = distance;
		}
	}

	addProducts(values: number, end: number, weight: number, sums: number): void {
		const bytes = new Int8Array(this.memory.buffer);
		const words = new Int16Array(this.memory.buffer);
		for (let at = values, place = sums >> 1; at < end; at += 16, place += 32) {
			for (let row = 0; row < 16; row += 1) {
				const both = bytes[at + row] as number;
				words[place + row] = (words[place + row] as number) + ((both << 28) >> 28) * weight;
				words[place + 16 + row] = (words[place + 16 + row] as number) + (both >> 4) * weight;
			}
		}
	}

	collectAbove(sums: number, end: number, measures: number, least: number, row: number, out: number): number {
		const words = new Int16Array(this.memory.buffer, sums, (end - sums) >> 1);
		const floats = new Float32Array(this.memory.buffer);
		const numbers = new Int32Array(this.memory.buffer);
		let place = out >> 2;
		for (let at = 0; at < words.length; at += 1) {
			const score = Math.fround((words[at] as number) * (floats[(measures >> 2) + at] as number));
			if (score <= least) continue;
			numbers[place] = row + at;
			floats[place + 1] = score;
			place += 2;
		}
		return place << 2;
	}

	collectBelow(distances: number, end: number, most: number, row: number, out: number): number {
		const words = new Uint16Array(this.memory.buffer, distances, (end - distances) >> 1);
		const numbers = new Int32Array(this.memory.buffer);
		let place = out >> 2;
		for (let at = 0; at < words.length; at += 1) {
			if ((words[at] as number) >= most) continue;
			numbers[place] = row + at;
			numbers[place + 1] = words[at] as number;
			place += 2;
		}
		return place << 2;
	}
}

/** Memory of a kernel, given out piece by piece and never taken back. */
export class KernelMemory {
	readonly #kernel: ScanKernel;
	#used = 0;
	/** All of it, for writing. */
	bytes: Uint8Array;
	floats: Float32Array;

	constructor(kernel: ScanKernel) {
		this.#kernel = kernel;
		this.bytes = new Uint8Array(kernel.memory.buffer);
		this.floats = new Float32Array(kernel.memory.buffer);
	}

	/** The address of so many zeros, a multiple of 16. */
	allocate(size: number): number {
		const address = this.#used;
		this.#used += Math.ceil(size / 16) * 16;
		const missing = this.#used - this.bytes.length;
		if (missing > 0) {
			this.#kernel.memory.grow(Math.ceil(missing / PAGE_BYTES));
			this.bytes = new Uint8Array(this.#kernel.memory.buffer);
			this.floats = new Float32Array(this.#kernel.memory.buffer);
		}
		return address;
	}

	get buffer(): ArrayBufferLike {
		return this.#kernel.memory.buffer;
	}
}

/** The bits that are set, added up in pairs, fours and eights. */
function ones(word: number): number {
	let sum = word - ((word >>> 1) & 0x5555_5555);
	sum = (sum & 0x3333_3333) + ((sum >>> 2) & 0x3333_3333);
	return Math.imul((sum + (sum >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}
