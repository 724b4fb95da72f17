import type { Node } from "web-tree-sitter";
import type { ChunkKind } from "../../domain/mined-file.js";
import type { SymbolCollector } from "./symbol-collector.js";

/** What a symbol is, as `props.symbolKind` names it. */
export type SymbolKind =
	| "function"
	| "method"
	| "class"
	| "interface"
	| "trait"
	| "impl"
	| "struct"
	| "enum"
	| "type"
	| "constant"
	| "module"
	| "macro";

/** Where an imported name comes from: a module as a whole, or (with `member`) one export of it. */
export interface Binding {
	readonly module: string;
	readonly member?: string;
}

/** A name under which the file, or what it defines, can be imported. Lower ranks win. */
export interface ModuleName {
	readonly module: string;
	readonly rank: number;
}

/** A callee or a type as the text names it; resolved only when the whole file is known. */
export interface Mention {
	readonly name: string;
	/** `self`: on the enclosing type. `path`: after the dotted `path`. `bare`: alone. `opaque`: on any other expression. */
	readonly on: "bare" | "self" | "path" | "opaque";
	readonly path?: readonly string[];
}

export interface DefinitionInput {
	readonly name: string;
	readonly kind: SymbolKind;
	/** The node that holds the name: its line is the signature. */
	readonly nameNode: Node;
	/** The node of the whole definition. */
	readonly node: Node;
	/** Chunk kind of its lines; omitted where the definition should not be cut out (constants, prototypes). */
	readonly region?: ChunkKind;
	/** Dotted owner for definitions outside the owner's body (`func (s *S) M`, `int A::m()`, `impl A { … }`). */
	readonly owner?: string;
	/** Names under which importers know it; overrides the language's rule (see `exportsOf`). */
	readonly exportedAs?: readonly string[];
	/** Keep it only if the file exports it. */
	readonly onlyIfExported?: boolean;
	/** A declaration without a body: a definition elsewhere is preferred. */
	readonly declaration?: boolean;
	/** Not visible outside the file (`static` in C). */
	readonly fileLocal?: boolean;
	readonly parameters?: Node | null;
	/** What the receiver is called inside (`s` in `func (s *S) M`). */
	readonly selfName?: string;
	readonly doc?: string;
	/** What is defined inside does not belong to it (`typedef struct A { … } B`). */
	readonly flat?: boolean;
}

export type Visitor = (node: Node, collector: SymbolCollector) => void;

/** All that the engine has to know of one language. Node types are those of the grammar, visitors run once per node, outer before inner. */
export interface LanguageSpec {
	/** `tree-sitter-<grammar>.wasm`. */
	readonly grammar: string;
	/** Languages that can import one another share a family; it is the language part of name keys. */
	readonly family: string;
	readonly visitors: Readonly<Record<string, Visitor>>;
	/** Nodes that belong to the definition after them: comments, decorators, attributes. */
	readonly leads: readonly string[];
	/** Nodes around a definition whose lines belong to it (`export …`, `template <…>`). */
	readonly wrappers?: readonly string[];
	/** Subtrees that hold nothing of interest. */
	readonly ignored?: readonly string[];
	/** Names too common to link: never a call or reference to a name key. */
	readonly builtins: ReadonlySet<string>;
	/** A bare call may mean a method of the enclosing type (Java, C#, C++, Ruby). */
	readonly implicitSelf?: boolean;
	/** Parameters can be called like functions, so a bare name among them is not a global. */
	readonly callableParameters?: boolean;
	/** A bare name that the file does not define is of the file's own package (Go). */
	readonly packageScope?: boolean;
	/** Lower-case segments before a name are modules of their own, joined by this (Python `.`, Rust `/`). */
	readonly submoduleSeparator?: string;
	/** Top-level definitions are importable from the module only when exported by a statement (JavaScript). */
	readonly explicitExports?: boolean;
	/** Importers may reach a definition through an enclosing package that re-exports it: this splits off the last segment. */
	readonly reexportSeparator?: string;
	/** The names of the file as a module. The first is the one its own members are known by. */
	modules(collector: SymbolCollector): readonly ModuleName[];
	/** Further names that members of the file are known by. */
	memberModules?(collector: SymbolCollector): readonly ModuleName[];
	/** After the walk, when all definitions are known: imports whose meaning depends on them. */
	finish?(collector: SymbolCollector): void;
	/** What the first segment of a path means where no import binds it. */
	rootOf?(segment: string, collector: SymbolCollector): Binding | undefined;
}
