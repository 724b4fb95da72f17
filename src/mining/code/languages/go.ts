import type { Node } from "web-tree-sitter";
import { packageKey } from "../../../domain/keys.js";
import type { LanguageSpec, ModuleName, SymbolKind, Visitor } from "../language-spec.js";
import { dirname, sourceName } from "../module-path.js";
import type { SymbolCollector } from "../symbol-collector.js";
import { namedChildren, onPath, pathOf, words } from "./syntax.js";

/**
 * A file does not know its module path (it is in go.mod), so importer and package meet at the last two segments: the import
 * `github.com/acme/shop/internal/db` points at `internal/db`, and the files in folder `internal/db` provide that. For the first two
 * levels of a repository the source's name stands for the module: folder `db` of a source `shop` provides `shop/db`, the root
 * folder `shop`. The full import path is kept as a name of its own.
 */
const lastTwo = (path: string): string => path.split("/").slice(-2).join("/");

const folderModule = ({ path, source }: SymbolCollector): string => {
	const folder = dirname(path);
	const name = sourceName(source);
	return folder === "" ? name : lastTwo(`${name}/${folder}`);
};

function modules(collector: SymbolCollector): ModuleName[] {
	const folder = dirname(collector.path);
	const own = { module: folderModule(collector), rank: 0 };
	// Tests are in the package's folder but nobody imports them.
	if (collector.path.endsWith("_test.go")) return [{ ...own, rank: 1 }];
	return folder.includes("/") || folder === "" ? [own] : [own, { module: folder, rank: 1 }];
}

/** Major versions are part of the import path but not, as a rule, of the folder. */
const importedModule = (path: string): string => {
	const plain = path.replace(/\/v\d+(?=\/|$)/, "");
	const segments = plain.split("/");
	// `github.com/acme/shop` is the root package of shop.
	return segments.length === 3 && segments[0]?.includes(".") ? (segments[2] ?? plain) : lastTwo(plain);
};

const importSpec: Visitor = (node, collector) => {
	const literal = collector.nameOf(node.childForFieldName("path"));
	const path = literal?.slice(1, -1);
	if (!path) return;
	const module = importedModule(path);
	collector.importModule(path);
	const [host = ""] = path.split("/");
	const isLibrary = STANDARD.has(host);
	if (!isLibrary) collector.importModule(module);
	if (host.includes(".")) collector.import(packageKey("go", repositoryOf(path)));
	const alias = collector.nameOf(node.childForFieldName("name"));
	if (alias === "_" || alias === ".") return;
	const local =
		alias ??
		path
			.replace(/\/v\d+$/, "")
			.split("/")
			.pop()
			?.replace(/^go-|\.v\d+$/g, "") ??
		path;
	if (isLibrary) collector.note("library", local);
	collector.bind(local, { module: isLibrary ? path : module });
};

/** The module's root on the common hosts; elsewhere the path as it is (vanity paths need a look-up). */
function repositoryOf(path: string): string {
	const segments = path.split("/");
	if (!/^(?:github\.com|gitlab\.com|bitbucket\.org)$/.test(segments[0] ?? "")) {
		return segments[0] === "golang.org" || segments[0] === "google.golang.org" ? segments.slice(0, 3).join("/") : path;
	}
	const major = /^v\d+$/.test(segments[3] ?? "") ? 4 : 3;
	return segments.slice(0, major).join("/");
}

const isLocalImport = (local: string, collector: SymbolCollector): boolean =>
	!collector.noted("library").includes(local) || !collector.bindings.has(local);

const callable =
	(kind: "function" | "method"): Visitor =>
	(node, collector) => {
		const nameNode = node.childForFieldName("name");
		const name = collector.nameOf(nameNode);
		if (!nameNode || !name || name === "_") return;
		const receiver = node.childForFieldName("receiver")?.namedChild(0);
		const owner = receiver ? collector.nameOf(typeName(receiver.childForFieldName("type"))) : undefined;
		collector.define({
			name,
			kind,
			nameNode,
			node,
			region: kind,
			owner,
			selfName: receiver ? collector.nameOf(receiver.childForFieldName("name")) : undefined,
			parameters: node.childForFieldName("parameters"),
		});
	};

/** `*G[T]` → the node of `G`. */
function typeName(node: Node | null): Node | null {
	let at = node;
	for (let i = 0; i < 4 && at; i += 1) {
		if (at.type === "type_identifier" || at.type === "qualified_type") return at;
		at = at.childForFieldName("type") ?? at.namedChild(0);
	}
	return null;
}

const typeSpec: Visitor = (node, collector) => {
	const nameNode = node.childForFieldName("name");
	const name = collector.nameOf(nameNode);
	const type = node.childForFieldName("type");
	if (!nameNode || !name) return;
	const kind: SymbolKind =
		type?.type === "struct_type" ? "struct" : type?.type === "interface_type" ? "interface" : "type";
	collector.define({ name, kind, nameNode, node, region: kind === "struct" ? "class" : "type" });
	if (kind === "struct") {
		const fields = type?.namedChild(0);
		for (const field of fields ? namedChildren(fields) : []) {
			// A field without a name embeds its type.
			if (field.type === "field_declaration" && !field.childForFieldName("name")) reference(field, collector);
		}
	}
	for (const element of kind === "interface" && type ? namedChildren(type) : []) {
		if (element.type === "type_elem") reference(element, collector);
	}
};

function reference(holder: Node, collector: SymbolCollector): void {
	const type = typeName(holder.childForFieldName("type") ?? holder.namedChild(0));
	const [first, second] = collector.nameOf(type)?.split(".") ?? [];
	if (first === undefined) return;
	if (second === undefined) collector.mention("REFERENCES", { name: first, on: "bare" });
	else if (isLocalImport(first, collector)) {
		collector.mention("REFERENCES", { name: second, on: "path", path: [first] });
	}
}

/** Exported constants and variables, one symbol a name. */
const values: Visitor = (node, collector) => {
	if (collector.scope !== undefined) return;
	for (const child of namedChildren(node)) {
		const name = child.type === "identifier" ? collector.nameOf(child) : undefined;
		if (name && /^\p{Lu}/u.test(name)) collector.define({ name, kind: "constant", nameNode: child, node, flat: true });
		else if (child.type !== "identifier") break;
	}
};

const IDENTIFIER: ReadonlySet<string> = new Set(["identifier"]);
const step = (node: Node) =>
	node.type === "selector_expression"
		? { before: node.childForFieldName("operand"), name: node.childForFieldName("field") }
		: undefined;

const call: Visitor = (node, collector) => {
	const callee = node.childForFieldName("function");
	if (callee?.type === "identifier") collector.call({ name: collector.textOf(callee), on: "bare" });
	if (callee?.type !== "selector_expression") return;
	const name = collector.nameOf(callee.childForFieldName("field"));
	if (!name) return;
	const path = pathOf(callee.childForFieldName("operand"), (n) => collector.textOf(n), IDENTIFIER, step);
	// Calls into the standard library say nothing about this source.
	if (path?.length === 1 && path[0] !== undefined && !isLocalImport(path[0], collector)) return;
	collector.call(onPath(name, path));
};

const STANDARD =
	words(`archive bufio builtin bytes cmp compress container context crypto database debug embed encoding errors
	expvar flag fmt go hash html image index io iter log maps math mime net os path plugin reflect regexp runtime slices sort
	strconv strings structs sync syscall testing text time unicode unique unsafe weak C`);

const BUILTINS = words(
	`append cap clear close complex copy delete imag len make max min new panic print println real recover bool byte
	complex64 complex128 error float32 float64 int int8 int16 int32 int64 rune string uint uint8 uint16 uint32 uint64 uintptr
	any comparable`,
	`Error String Close Read Write Lock Unlock RLock RUnlock Done Wait Add Errorf Fatal Fatalf Log Logf Helper Run Printf
	Println Sprintf Len Less Swap Unwrap Err Get Set Load Store`,
);

export const go: LanguageSpec = {
	grammar: "go",
	family: "go",
	leads: ["comment"],
	wrappers: ["type_declaration", "const_declaration", "var_declaration"],
	ignored: ["comment", "interpreted_string_literal", "raw_string_literal"],
	builtins: BUILTINS,
	callableParameters: true,
	packageScope: true,
	modules,
	visitors: {
		import_spec: importSpec,
		function_declaration: callable("function"),
		method_declaration: callable("method"),
		type_spec: typeSpec,
		type_alias: typeSpec,
		const_spec: values,
		var_spec: values,
		call_expression: call,
	},
};
