import type { Node } from "web-tree-sitter";
import { moduleKey, packageKey } from "../../../domain/keys.js";
import type { ChunkKind } from "../../../domain/mined-file.js";
import type { Binding, LanguageSpec, ModuleName, SymbolKind, Visitor } from "../language-spec.js";
import { basename, dirname, sourceName } from "../module-path.js";
import type { SymbolCollector } from "../symbol-collector.js";
import { childOf, mentionOf, namedChildren, onPath, pathOf, words } from "./syntax.js";

interface Crate {
	/** Path of the crate's root module: `crates/shop/src`, or the file itself for binaries, tests and examples. */
	readonly root: string;
	/** What other crates call it, guessed from its folder. */
	readonly name: string;
}

/** Modules are named by path: `src/a/b.rs` and `src/a/b/mod.rs` are `src/a/b`, `src/lib.rs` is `src`. */
function moduleOf(path: string): string {
	const module = path.replace(/\.rs$/, "");
	return /(?:^|\/)(?:mod|lib|main)$/.test(module) ? dirname(module) : module;
}

function crateOf({ path, source }: SymbolCollector): Crate {
	const binary = /^(?:(.*)\/)?(?:src\/bin|tests|examples|benches)\/[^/]+/.exec(path);
	if (binary) return { root: moduleOf(binary[0]), name: "" };
	const library = /^(?:(.*)\/)?src(?=\/)/.exec(path);
	if (!library) return { root: dirname(path), name: "" };
	const folder = library[1] ?? "";
	const name = (folder === "" ? sourceName(source) : basename(folder)).replaceAll("-", "_");
	return { root: library[0], name };
}

/** Within the source a crate is known by its path, to other crates by its name. */
function modules(collector: SymbolCollector): ModuleName[] {
	const module = moduleOf(collector.path);
	const rank = /(?:^|\/)(?:mod|main)\.rs$/.test(collector.path) ? 1 : 0;
	const { root, name } = crateOf(collector);
	const names = [{ module, rank }];
	if (name !== "" && (module === root || module.startsWith(`${root}/`))) {
		names.push({ module: `${name}${module.slice(root.length)}`, rank: rank + 1 });
	}
	return names.filter((entry) => entry.module !== "");
}

/** What a module defines is often re-exported (`pub use`) by the module around it and by the crate's root. */
function memberModules(collector: SymbolCollector): ModuleName[] {
	const { root, name } = crateOf(collector);
	const module = moduleOf(collector.path);
	const own = modules(collector).map((entry, index) => ({ module: entry.module, rank: index }));
	if (!module.startsWith(`${root}/`)) return own;
	const around = [
		{ module: dirname(module), rank: 1 },
		{ module: root, rank: 2 },
	];
	return [...own, ...around, ...(name === "" ? [] : [{ module: name, rank: 2 }])];
}

/** Path segments of a `use` or a call as a module path; undefined for the standard library. */
function resolve(segments: readonly string[], collector: SymbolCollector): string[] | undefined {
	const own = moduleOf(collector.path).split("/");
	const [first = "", ...rest] = segments;
	if (first === "crate") return [...crateOf(collector).root.split("/"), ...rest];
	if (first === "self") return [...own, ...rest];
	if (first === "super") {
		let up = 1;
		while (rest[0] === "super") {
			rest.shift();
			up += 1;
		}
		return up > own.length ? undefined : [...own.slice(0, own.length - up), ...rest];
	}
	if (collector.noted("modules").includes(first)) return [...own, ...segments];
	return STANDARD.has(first) ? undefined : [...segments];
}

/** In `mod tests { use super::*; }` the parent is the file itself. */
function fromFile(path: string, collector: SymbolCollector): string {
	let adjusted = path;
	for (let scope = collector.scope; scope !== undefined; scope = scope.parent) {
		if (scope.kind !== "module") continue;
		if (!/^super\b/.test(adjusted)) break;
		adjusted = adjusted.startsWith("super::super") ? adjusted.slice("super::".length) : `self${adjusted.slice(5)}`;
	}
	return adjusted;
}

/** Flattens a use tree into `a::b::c as d` lines. Iterative: trees may nest. */
const useDeclaration: Visitor = (node, collector) => {
	const argument = node.childForFieldName("argument");
	const open: { node: Node; prefix: string }[] = argument ? [{ node: argument, prefix: "" }] : [];
	const note = (use: string) => collector.note("uses", fromFile(use, collector));
	for (let steps = 0; open.length > 0 && steps < 2_000; steps += 1) {
		const { node: at, prefix } = open.pop() as { node: Node; prefix: string };
		if (prefix.length > 300) continue;
		const path = at.childForFieldName("path");
		const join = (text: string | undefined) =>
			text === undefined ? prefix : prefix === "" ? text : `${prefix}::${text}`;
		if (at.type === "scoped_use_list") {
			const list = at.childForFieldName("list");
			if (list) open.push({ node: list, prefix: join(collector.nameOf(path)) });
		} else if (at.type === "use_list") {
			for (const child of namedChildren(at)) open.push({ node: child, prefix });
		} else if (at.type === "use_wildcard") {
			note(`${join(collector.nameOf(at.namedChild(0)))}::*`);
		} else if (at.type === "use_as_clause") {
			const alias = collector.nameOf(at.childForFieldName("alias"));
			if (alias) note(`${join(collector.nameOf(path))} ${alias}`);
		} else note(join(collector.nameOf(at)));
	}
};

/** Only now is it known which first segments are modules of this file. */
function finish(collector: SymbolCollector): void {
	for (const use of [...collector.noted("uses")].sort()) {
		const [path = "", alias] = use.replace(/\s*::\s*/g, "::").split(" ");
		const wildcard = path.endsWith("::*");
		const isModule = /(?:^|::)self$/.test(path) && path !== "self";
		const segments = path
			.replace(/::(?:\*|self)$/, "")
			.replace(/^::/, "")
			.split("::");
		const last = segments.at(-1) ?? "";
		const resolved = resolve(segments, collector);
		const [first = ""] = segments;
		if (resolved === undefined) {
			if (STANDARD.has(first)) collector.import(moduleKey("rust", segments.slice(0, 2).join("::")));
			if (!wildcard && STANDARD.has(first)) collector.note("library", alias ?? last);
			continue;
		}
		if (isExternal(first, collector)) collector.import(packageKey("cargo", first));
		const module = resolved.slice(0, -1).join("/");
		const whole = resolved.join("/");
		// A lower-case name may be a module or a function; types and constants are not.
		if (wildcard || isModule || /^[\p{Ll}_]/u.test(last)) collector.importModule(whole);
		if (!wildcard && !isModule && module !== "") collector.importModule(module);
		if (wildcard) continue;
		if (isModule || module === "") collector.bind(alias ?? last, { module: whole });
		else collector.bind(alias ?? last, { module, member: last });
	}
}

const isExternal = (first: string, collector: SymbolCollector): boolean =>
	!["crate", "self", "super"].includes(first) && !collector.noted("modules").includes(first);

const externCrate: Visitor = (node, collector) => {
	const name = collector.nameOf(node.childForFieldName("name"));
	if (name && !STANDARD.has(name) && name !== "self") collector.import(packageKey("cargo", name));
};

const mod: Visitor = (node, collector) => {
	const nameNode = node.childForFieldName("name");
	const name = collector.nameOf(nameNode);
	if (!nameNode || !name) return;
	if (node.childForFieldName("body")) {
		collector.define({ name, kind: "module", nameNode, node });
	} else if (collector.scope === undefined) {
		collector.note("modules", name);
		collector.importModule(`${moduleOf(collector.path)}/${name}`);
	}
};

const item =
	(kind: SymbolKind, region: ChunkKind | undefined): Visitor =>
	(node, collector) => {
		const nameNode = node.childForFieldName("name");
		const name = collector.nameOf(nameNode);
		if (!nameNode || !name) return;
		if (kind === "constant") {
			const atTop = collector.scope === undefined || collector.scope.kind === "module";
			if (atTop && name !== "_" && childOf(node, "visibility_modifier")) {
				collector.define({ name, kind, nameNode, node });
			}
			return;
		}
		collector.define({ name, kind, nameNode, node, region });
		const bounds = kind === "trait" ? node.childForFieldName("bounds") : null;
		for (const bound of bounds ? namedChildren(bounds) : []) reference(bound, collector);
	};

const callable: Visitor = (node, collector) => {
	const nameNode = node.childForFieldName("name");
	const name = collector.nameOf(nameNode);
	if (!nameNode || !name) return;
	const body = node.childForFieldName("body");
	const parameters = node.childForFieldName("parameters");
	const isMethod = collector.inType && collector.scope?.kind !== "module";
	collector.define({
		name,
		kind: isMethod ? "method" : "function",
		nameNode,
		node,
		region: body ? (isMethod ? "method" : "function") : undefined,
		declaration: !body,
		parameters,
	});
};

/** The methods belong to the type. Where the type is of another file, the block itself is the symbol. */
const impl: Visitor = (node, collector) => {
	const typeNode = node.childForFieldName("type");
	const path = pathOf(bare(typeNode), (n) => collector.textOf(n), IDENTIFIERS, step);
	const name = path?.at(-1);
	if (!typeNode || !name) return;
	collector.define({ name, kind: "impl", nameNode: typeNode, node, region: "class", declaration: true });
	const trait = node.childForFieldName("trait");
	if (trait) reference(trait, collector);
};

function bare(node: Node | null): Node | null {
	let at = node;
	for (let i = 0; i < 4 && at; i += 1) {
		if (at.type !== "generic_type" && at.type !== "reference_type" && at.type !== "generic_function") return at;
		at = at.childForFieldName("type") ?? at.childForFieldName("function");
	}
	return at;
}

const IDENTIFIERS: ReadonlySet<string> = new Set([
	"identifier",
	"type_identifier",
	"crate",
	"self",
	"super",
	"metavariable",
]);
const step = (node: Node) => {
	if (node.type === "scoped_identifier" || node.type === "scoped_type_identifier") {
		return { before: bare(node.childForFieldName("path")), name: node.childForFieldName("name") };
	}
	return undefined;
};

function reference(type: Node, collector: SymbolCollector): void {
	const path = pathOf(bare(type), (n) => collector.textOf(n), IDENTIFIERS, step);
	const mention = path && mentionOf(path);
	if (mention) collector.mention("REFERENCES", mention);
}

const call: Visitor = (node, collector) => {
	const callee = bare(node.childForFieldName("function"));
	if (!callee) return;
	if (callee.type === "identifier") collector.call({ name: collector.textOf(callee), on: "bare" });
	else if (callee.type === "field_expression") {
		const name = collector.nameOf(callee.childForFieldName("field"));
		const value = callee.childForFieldName("value");
		if (name) collector.call({ name, on: value?.type === "self" ? "self" : "opaque" });
	} else if (callee.type === "scoped_identifier") {
		const path = pathOf(callee, (n) => collector.textOf(n), IDENTIFIERS, step);
		const name = path?.at(-1) ?? collector.nameOf(callee.childForFieldName("name"));
		if (!name) return;
		const before = path?.slice(0, -1);
		if (before?.[0] === "Self") collector.call({ name, on: "self" });
		else if (!STANDARD.has(before?.[0] ?? "")) collector.call(onPath(name, before));
	}
};

const macroCall: Visitor = (node, collector) => {
	const macro = node.childForFieldName("macro");
	const name = macro?.type === "identifier" ? collector.nameOf(macro) : undefined;
	if (name) collector.call({ name, on: "bare" });
};

/** `crate::a::f()`, `m::f()`; a type that is not imported is left to its name. */
function rootOf(segment: string, collector: SymbolCollector): Binding | undefined {
	if (
		segment !== "crate" &&
		segment !== "self" &&
		segment !== "super" &&
		!collector.noted("modules").includes(segment)
	) {
		return undefined;
	}
	const resolved = resolve([segment], collector);
	return resolved && { module: resolved.join("/") };
}

const STANDARD = words("std core alloc proc_macro test");

const BUILTINS = words(
	`Some None Ok Err Box Vec String Arc Rc Mutex RwLock Option Result HashMap HashSet BTreeMap Default Clone Debug Display Copy
	PartialEq Eq PartialOrd Ord Hash Send Sync Iterator IntoIterator From Into TryFrom TryInto AsRef Drop Fn FnMut FnOnce Error
	Deref DerefMut Sized ToString FromStr Serialize Deserialize Read Write`,
	`abs all and_then any append as_bytes as_mut as_ref as_str assert assert_eq assert_ne await borrow borrow_mut bytes cfg
	chain chars clear clone cloned cmp collect concat contains contains_key context copied count debug default drain drop
	ends_with enumerate env eprint eprintln eq err error expect extend filter filter_map find first flat_map flatten flush fmt
	fold for_each format from get get_mut get_or_insert_with hash insert into into_iter is_empty is_err is_none is_ok is_some
	iter iter_mut join keys last len lines lock map map_err matches max min mem new next ok ok_or ok_or_else or_else panic
	parse pop position print println push push_str read recv remove replace retain rev send skip sort sort_by split spawn
	starts_with sum swap take then to_owned to_string to_vec todo trim try_from try_into unimplemented unreachable unwrap
	unwrap_err unwrap_or unwrap_or_default unwrap_or_else values vec warn with_capacity write writeln zip info trace include
	include_str concat_idents stringify line file column debug_assert debug_assert_eq from_str as_slice is_some_and`,
);

export const rust: LanguageSpec = {
	grammar: "rust",
	family: "rust",
	leads: ["line_comment", "block_comment", "attribute_item"],
	ignored: [
		"line_comment",
		"block_comment",
		"use_declaration",
		"attribute_item",
		"string_literal",
		"token_tree",
		"macro_definition",
	],
	builtins: BUILTINS,
	callableParameters: true,
	submoduleSeparator: "/",
	modules,
	memberModules,
	finish,
	rootOf,
	visitors: {
		use_declaration: useDeclaration,
		extern_crate_declaration: externCrate,
		mod_item: mod,
		function_item: callable,
		function_signature_item: callable,
		struct_item: item("struct", "class"),
		union_item: item("struct", "class"),
		enum_item: item("enum", "type"),
		trait_item: item("trait", "type"),
		type_item: item("type", undefined),
		const_item: item("constant", undefined),
		static_item: item("constant", undefined),
		macro_definition: item("macro", "function"),
		impl_item: impl,
		call_expression: call,
		macro_invocation: macroCall,
	},
};
