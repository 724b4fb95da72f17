import type { Node } from "web-tree-sitter";
import type { EdgeKind, EntityKey } from "../../domain/entities.js";
import { nameKey } from "../../domain/keys.js";
import type { ChunkKind } from "../../domain/mined-file.js";
import { docLine } from "./doc-comment.js";
import type { Binding, DefinitionInput, LanguageSpec, Mention, SymbolKind } from "./language-spec.js";

/** Bounds on what one file may say, so that generated or hostile files stay small records. Characters and counts. */
const MAX_NAME = 200;
const MAX_QUALIFIED = 400;
export const MAX_SYMBOLS = 5_000;
const MAX_IMPORTS = 2_000;
const MAX_MENTIONS = 40_000;
const MAX_SIGNATURE = 200;

export interface Definition {
	readonly name: string;
	readonly qualified: string;
	readonly kind: SymbolKind;
	readonly parent: Definition | undefined;
	/** Qualified name of the type that `self` means inside. */
	readonly owner: string | undefined;
	readonly selfName: string | undefined;
	/** Inside a function: nobody outside can name it. */
	readonly local: boolean;
	readonly fileLocal: boolean;
	readonly declaration: boolean;
	readonly onlyIfExported: boolean;
	readonly exportedAs: Set<string>;
	/** 0-based rows, with the comments and decorators before it. */
	readonly startRow: number;
	readonly endRow: number;
	/** UTF-16 offsets of the definition itself. */
	readonly startIndex: number;
	readonly endIndex: number;
	readonly region: ChunkKind | undefined;
	readonly signature: string;
	readonly doc: string | undefined;
	/** UTF-16 offsets of the parameter list. */
	readonly parameters: readonly [number, number] | undefined;
}

export interface Mentioned extends Mention {
	readonly kind: EdgeKind;
	readonly from: Definition | undefined;
}

/** Comments, decorators and wrappers before a definition, by position. */
export interface Lead {
	readonly startRow: number;
	readonly endRow: number;
	readonly startIndex: number;
	readonly endIndex: number;
	/** Offset where the definition proper begins when a wrapper (`export`) stands before it. */
	readonly wrapperIndex: number | undefined;
}

const FUNCTION_KINDS: ReadonlySet<SymbolKind> = new Set(["function", "method", "macro"]);
export const isFunction = (definition: Definition): boolean => FUNCTION_KINDS.has(definition.kind);
const TYPE_KINDS: ReadonlySet<SymbolKind> = new Set([
	"class",
	"interface",
	"trait",
	"impl",
	"struct",
	"enum",
	"module",
]);
export const isType = (definition: Definition): boolean => TYPE_KINDS.has(definition.kind);

interface Frame {
	readonly depth: number;
	readonly definition: Definition | undefined;
	/** Dotted prefix of what is defined inside, where there is no definition of its own (an `impl` of a foreign type). */
	readonly owner: string | undefined;
}

/** Gathers what visitors find while the tree is walked. Keeps the scopes; knows no grammar. */
export class SymbolCollector {
	readonly definitions: Definition[] = [];
	readonly byQualified = new Map<string, Definition>();
	readonly mentions: Mentioned[] = [];
	readonly imports = new Set<EntityKey>();
	readonly bindings = new Map<string, Binding>();
	/** Local name → names under which the file exports it, by statements apart from the definition. */
	readonly exports = new Map<string, Set<string>>();
	/** The package or namespace that the file declares. */
	namespace: string | undefined;
	/** What a language's visitors remember for its `finish` (namespaces seen, use paths, declared modules). */
	readonly notes = new Map<string, string[]>();
	truncated = false;

	/** Set by the walk before each visitor. */
	depth = 0;
	/** Node type of the parent. */
	parentType = "";
	lead: Lead | undefined;
	leadUsed = false;

	#frames: Frame[] = [];
	#exportMark: { depth: number; scope: Definition | undefined; as: "name" | "default" } | undefined;

	readonly source: string;
	readonly path: string;
	readonly text: string;
	readonly spec: LanguageSpec;

	constructor(source: string, path: string, text: string, spec: LanguageSpec) {
		this.source = source;
		this.path = path;
		this.text = text;
		this.spec = spec;
	}

	/** The innermost enclosing definition. */
	get scope(): Definition | undefined {
		for (let i = this.#frames.length - 1; i >= 0; i -= 1) {
			const definition = this.#frames[i]?.definition;
			if (definition !== undefined) return definition;
		}
		return undefined;
	}

	/** The dotted prefix of a definition made here. */
	get #prefix(): string | undefined {
		const frame = this.#frames.at(-1);
		return frame?.owner ?? frame?.definition?.qualified;
	}

	/** Directly inside the body of a type (or of a module that works as one), not in a function of it. */
	get inType(): boolean {
		const { scope } = this;
		return scope !== undefined && isType(scope) && !this.insideFunction;
	}

	get insideFunction(): boolean {
		return this.#frames.some((frame) => frame.definition !== undefined && isFunction(frame.definition));
	}

	textOf(node: Node): string {
		return this.text.slice(node.startIndex, node.endIndex);
	}

	/** The text of an optional node; undefined also where it is too long to be a name. */
	nameOf(node: Node | null | undefined): string | undefined {
		if (!node || node.endIndex - node.startIndex > MAX_NAME) return undefined;
		const text = this.textOf(node);
		return text === "" ? undefined : text;
	}

	leave(depth: number): void {
		while (this.#frames.length > 0 && (this.#frames.at(-1)?.depth ?? -1) >= depth) this.#frames.pop();
		if (this.#exportMark !== undefined && this.#exportMark.depth >= depth) this.#exportMark = undefined;
	}

	/** Definitions directly inside the current node are exported by it. */
	markExport(as: "name" | "default"): void {
		this.#exportMark = { depth: this.depth, scope: this.scope, as };
	}

	exportName(local: string, exported: string): void {
		const names = this.exports.get(local);
		if (names) names.add(exported);
		else if (this.exports.size < MAX_SYMBOLS) this.exports.set(local, new Set([exported]));
	}

	get isExporting(): boolean {
		return this.#exportMark !== undefined && this.#exportMark.scope === this.scope;
	}

	/** Everything inside the current node is defined under this dotted name. */
	enterOwner(owner: string): void {
		this.#frames.push({ depth: this.depth, definition: undefined, owner });
	}

	/** Records a definition and makes it the scope of what is inside the current node. */
	define(input: DefinitionInput): Definition | undefined {
		const prefix = input.owner ?? this.#prefix;
		const qualified = prefix === undefined ? input.name : `${prefix}.${input.name}`;
		if (input.name.length > MAX_NAME || qualified.length > MAX_QUALIFIED) return undefined;
		if (this.definitions.length >= MAX_SYMBOLS) {
			this.truncated = true;
			return undefined;
		}
		const parent = this.scope;
		const local = this.insideFunction;
		const { node, nameNode } = input;
		const start = node.startPosition.row;
		const end = node.endPosition;
		const lead = this.lead !== undefined && this.lead.endRow + 1 >= start ? this.lead : undefined;
		this.leadUsed = true;
		const exportedAs = new Set(input.exportedAs ?? []);
		if (this.isExporting) {
			exportedAs.add(this.#exportMark?.as === "default" ? "default" : input.name);
			if (this.#exportMark?.as === "default") this.#exportMark = undefined;
		}
		const frameOwner = this.#frames.at(-1)?.owner;
		const definition: Definition = {
			name: input.name,
			qualified,
			kind: input.kind,
			parent,
			owner: TYPE_KINDS.has(input.kind) ? qualified : (input.owner ?? frameOwner ?? parent?.owner),
			selfName: input.selfName ?? parent?.selfName,
			local,
			fileLocal: input.fileLocal ?? false,
			declaration: input.declaration ?? false,
			onlyIfExported: input.onlyIfExported ?? false,
			exportedAs,
			startRow: Math.min(start, lead?.startRow ?? start),
			// Some grammars count the line break into the node.
			endRow: end.column === 0 && end.row > start ? end.row - 1 : end.row,
			startIndex: node.startIndex,
			endIndex: node.endIndex,
			region: local ? undefined : input.region,
			signature: this.#signature(nameNode, lead?.wrapperIndex ?? node.startIndex, node.endIndex),
			doc: input.doc ?? (lead === undefined ? undefined : docLine(this.text, lead.startIndex, lead.endIndex)),
			parameters: input.parameters ? [input.parameters.startIndex, input.parameters.endIndex] : undefined,
		};
		this.definitions.push(definition);
		if (!this.byQualified.has(qualified)) this.byQualified.set(qualified, definition);
		if (!input.flat) this.#frames.push({ depth: this.depth, definition, owner: undefined });
		return definition;
	}

	/** The line of the name, at most 200 characters. Bounded look-back: a minified file is one line. */
	#signature(nameNode: Node, from: number, to: number): string {
		const at = nameNode.startIndex;
		const earliest = Math.max(from, at - MAX_SIGNATURE);
		const before = this.text.slice(earliest, at);
		const start = earliest + before.lastIndexOf("\n") + 1;
		const line = this.text.slice(start, Math.min(to, start + MAX_SIGNATURE));
		const end = line.indexOf("\n", at - start);
		return (end < 0 ? line : line.slice(0, end)).trim().replace(/\s*\{$/, "");
	}

	mention(kind: "CALLS" | "REFERENCES", mention: Mention, from: Definition | undefined = this.scope): void {
		if (mention.name.length > MAX_NAME || this.mentions.length >= MAX_MENTIONS) return;
		this.mentions.push({ ...mention, kind, from });
	}

	call(mention: Mention): void {
		this.mention("CALLS", mention);
	}

	import(to: EntityKey): void {
		if (to.length <= MAX_QUALIFIED + 200 && this.imports.size < MAX_IMPORTS) this.imports.add(to);
	}

	importModule(module: string): void {
		if (module !== "" && module.length <= MAX_QUALIFIED) {
			this.import(nameKey(this.source, "module", this.spec.family, module));
		}
	}

	/** The first binding of a name wins: later ones are in inner scopes as a rule. */
	bind(local: string, binding: Binding): void {
		if (local.length > MAX_NAME || binding.module.length > MAX_QUALIFIED || this.bindings.has(local)) return;
		if (this.bindings.size < MAX_SYMBOLS) this.bindings.set(local, binding);
	}

	note(topic: string, text: string): void {
		const notes = this.notes.get(topic);
		if (notes === undefined) this.notes.set(topic, [text]);
		else if (notes.length < MAX_IMPORTS) notes.push(text);
	}

	noted(topic: string): readonly string[] {
		return this.notes.get(topic) ?? [];
	}
}
