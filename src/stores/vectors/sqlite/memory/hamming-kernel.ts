import { HAMMING_KERNEL } from "./hamming-kernel-code.js";

/** Distances of many rows of sign bits from one. */
export interface HammingKernel {
	/** Where rows lie: it grows, and its buffer is another one then. */
	readonly memory: { readonly buffer: ArrayBufferLike; grow(pages: number): unknown };
	/** From address `rows` to `end` rows of `stride` bytes (a multiple of 16); at `out` 16 bits for each. */
	distances(rows: number, end: number, stride: number, query: number, out: number): void;
}

/** What is used of it here: this project's types do not know browsers. */
interface WebAssemblyApi {
	readonly Module: new (code: Uint8Array) => object;
	readonly Instance: new (module: object) => { readonly exports: unknown };
}

export const PAGE_BYTES = 65_536;

/** In WebAssembly with its vector instructions; where these are missing, the same in JavaScript, some ten times slower. */
export function createHammingKernel(use: "fastest" | "javascript" = "fastest"): HammingKernel {
	if (use === "fastest") {
		try {
			const { Module, Instance } = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;
			return new Instance(new Module(Buffer.from(HAMMING_KERNEL, "base64"))).exports as HammingKernel;
		} catch {
			// No vector instructions, or no WebAssembly (`--jitless`).
		}
	}
	return new JavaScriptKernel();
}

class JavaScriptKernel implements HammingKernel {
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
}

/** The bits that are set, added up in pairs, fours and eights. */
function ones(word: number): number {
	let sum = word - ((word >>> 1) & 0x5555_5555);
	sum = (sum & 0x3333_3333) + ((sum >>> 2) & 0x3333_3333);
	return Math.imul((sum + (sum >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}
