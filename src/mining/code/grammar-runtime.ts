import { createRequire } from "node:module";
import { endianness } from "node:os";
import type * as TreeSitter from "web-tree-sitter";
import { LodeError } from "../../domain/errors.js";
import type { Skip } from "../../domain/mined-file.js";

const require = createRequire(import.meta.url);

const MIB = 1024 * 1024;
const PAGE = 64 * 1024;
/** The least the library starts with, and what one thread may ever use. */
const INITIAL_BYTES = 32 * MIB;
const MAX_BYTES = 512 * MIB;
/** Used up further, an instance is given up with its memory: WebAssembly memory never shrinks. */
const KEEP_BYTES = 128 * MIB;
/**
 * What a text may take: the densest harmless one (a list of digits) needs 200 bytes a character, code 30. Ambiguous ones, which
 * grow with the square of their length, end here.
 */
const memoryLimit = (text: string): number =>
	Math.min(MAX_BYTES - MIB, Math.max(KEEP_BYTES, 64 * MIB + 220 * text.length));
/**
 * The parser reports every 100 steps of its automaton. Code takes 7 reports a kilobyte, a list of digits 100; one report
 * takes 10 to 50 µs as a rule. So this is some seconds of work, and the same on every machine.
 */
const MAX_REPORTS = 300_000;
/**
 * The last resort: some texts that are no code of the language at all make error recovery take ever longer a step (in Rust, line
 * comments between lines of words), and nothing the library reports tells of it. Below the time a mining thread gives a file.
 */
const MAX_MILLISECONDS = 15_000;
/** The library's own transfer buffer takes 5,120 characters. */
const PIECE = 5_000;

type Library = typeof TreeSitter;

interface WasmMemory {
	readonly buffer: ArrayBuffer;
}
/** TypeScript declares WebAssembly with the browser's library only. */
const wasm = (
	globalThis as unknown as {
		WebAssembly: {
			Memory: new (pages: { initial: number; maximum: number }) => WasmMemory;
			RuntimeError: new () => Error;
		};
	}
).WebAssembly;

/** What the library makes of the options that it was started with. */
interface LibraryModule {
	setValue?: (address: number, value: number, type: string) => void;
	getValue?: (address: number, type: string) => number;
	/** A view of its memory, of the present size. */
	readonly HEAP32?: Int32Array;
}

/**
 * Every step of a cursor and every node is some numbers of 32 bits on their way to the WebAssembly instance or back. The library looks at the
 * name of their type each time; here they go straight to the memory.
 */
function hastenTransfers(module: LibraryModule): void {
	const { setValue, getValue, HEAP32 } = module;
	if (setValue === undefined || getValue === undefined || HEAP32 === undefined || endianness() !== "LE") return;
	let view = HEAP32;
	// A memory that grows leaves a view without length behind.
	const heap = (): Int32Array => {
		if (view.length === 0) view = module.HEAP32 as Int32Array;
		return view;
	};
	module.setValue = (address, value, type) => {
		if (type === "i32") heap()[address >> 2] = value;
		else setValue(address, value, type);
	};
	module.getValue = (address, type) => (type === "i32" ? (heap()[address >> 2] as number) : getValue(address, type));
}

/** One WebAssembly instance with its grammars. Thrown away when it aborted or grew large. */
class Instance {
	/** Nothing was parsed here yet: all of the memory is free. */
	pristine = true;
	readonly #parsers = new Map<string, Promise<TreeSitter.Parser>>();
	#loading: Promise<unknown> = Promise.resolve();

	readonly #library: Library;
	readonly #memory: WasmMemory;

	private constructor(library: Library, memory: WasmMemory) {
		this.#library = library;
		this.#memory = memory;
	}

	static async open(): Promise<Instance> {
		// The library keeps its WebAssembly module for ever, so only forgetting a copy of the library frees the memory. Its parent
		// module remembers it too: hence a loader of its own.
		const load = createRequire(import.meta.url);
		const file = load.resolve("web-tree-sitter");
		delete load.cache[file];
		const library = load(file) as Library;
		delete load.cache[file];
		const memory = new wasm.Memory({ initial: INITIAL_BYTES / PAGE, maximum: MAX_BYTES / PAGE });
		// An abort is thrown as well; without this the library also writes it to standard error.
		const options = { wasmMemory: memory, printErr: () => {} };
		await library.Parser.init(options as unknown as Parameters<typeof library.Parser.init>[0]);
		hastenTransfers(options as LibraryModule);
		return new Instance(library, memory);
	}

	get bytes(): number {
		return this.#memory.buffer.byteLength;
	}

	parser(grammar: string): Promise<TreeSitter.Parser> {
		let parser = this.#parsers.get(grammar);
		if (parser === undefined) {
			// One after the other: the library's dynamic linker mixes up the tables of modules that load at the same time.
			parser = this.#loading.then(() => this.#load(grammar));
			this.#loading = parser.catch(() => undefined);
			this.#parsers.set(grammar, parser);
		}
		return parser;
	}

	async #load(grammar: string): Promise<TreeSitter.Parser> {
		const file = require.resolve(`@vscode/tree-sitter-wasm/wasm/tree-sitter-${grammar}.wasm`);
		const parser = new this.#library.Parser();
		parser.setLanguage(await this.#library.Language.load(file));
		return parser;
	}

	/** Without this the garbage collector would free the parsers later: in an aborted instance that throws where nobody can catch. */
	async close(): Promise<void> {
		const parsers = [...this.#parsers.values()];
		this.#parsers.clear();
		for (const parser of await Promise.allSettled(parsers)) {
			try {
				if (parser.status === "fulfilled") parser.value.delete();
			} catch {
				// Its memory goes with the instance.
			}
		}
	}
}

let current: Promise<Instance> | undefined;

type Parsed<T> = { readonly value: T } | { readonly skip: Skip };
/** Why a parse did not come to an end: out of memory, steps or time. */
type Stop = "memory" | "steps" | "time";

/**
 * Parses `text` and hands the tree to `use`, which must be synchronous; the tree is freed afterwards. One instance a thread,
 * opened on first use; grammars load on first use. Returns a skip where the text costs too much to parse.
 */
export async function withTree<T>(
	grammar: string,
	text: string,
	use: (tree: TreeSitter.Tree, language: TreeSitter.Language) => T,
): Promise<Parsed<T>> {
	let spent = 0;
	for (;;) {
		current ??= Instance.open();
		const opened = current;
		const instance = await opened;
		const parser = await instance.parser(grammar).catch((cause: unknown) => {
			throw new LodeError("INTERNAL", `loading the tree-sitter grammar ${grammar} failed`, {
				next: "Run npm ci again: the package @vscode/tree-sitter-wasm seems incomplete.",
				cause,
			});
		});
		// Another file may have used up the instance while this one waited.
		if (opened !== current) {
			await instance.close();
			continue;
		}
		const wasPristine = instance.pristine;
		instance.pristine = false;
		const limit = wasPristine ? memoryLimit(text) : KEEP_BYTES;
		const started = performance.now();
		const stops = { isFull: () => instance.bytes > limit, deadline: started + MAX_MILLISECONDS - spent };
		const result = parse(parser, text, use, stops);
		spent += performance.now() - started;
		if (result === "memory" || instance.bytes > KEEP_BYTES) {
			current = undefined;
			await instance.close();
		}
		if (typeof result !== "string") return result;
		// What is too much must not depend on the files before: only an empty memory decides.
		if (result === "memory" && !wasPristine) continue;
		return { skip: skipOf(result) };
	}
}

function skipOf(stop: Stop): Skip {
	switch (stop) {
		case "memory":
			return { reason: "too_large", detail: "parsing takes too much memory" };
		case "steps":
			return { reason: "timeout", detail: `parsing takes too many steps` };
		case "time":
			return { reason: "timeout", detail: `parsing took more than ${MAX_MILLISECONDS} ms` };
	}
}

function parse<T>(
	parser: TreeSitter.Parser,
	text: string,
	use: (tree: TreeSitter.Tree, language: TreeSitter.Language) => T,
	{ isFull, deadline }: { isFull: () => boolean; deadline: number },
): Parsed<T> | Stop {
	let reports = 0;
	let stop: Stop | undefined;
	const progressCallback = (): boolean => {
		reports += 1;
		if (reports > MAX_REPORTS) stop = "steps";
		else if (isFull()) stop = "memory";
		else if (reports % 16 === 0 && performance.now() > deadline) stop = "time";
		return stop !== undefined;
	};
	try {
		const tree = parser.parse((index) => text.slice(index, index + PIECE), null, { progressCallback });
		if (tree === null) {
			parser.reset();
			return stop ?? "steps";
		}
		try {
			return { value: use(tree, tree.language) };
		} finally {
			tree.delete();
		}
	} catch (error) {
		// The library aborts where it cannot allocate; reports are rare enough for that.
		if (error instanceof wasm.RuntimeError) return "memory";
		throw error;
	}
}
