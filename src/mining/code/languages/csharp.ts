import type { Node } from "web-tree-sitter";
import type { ChunkKind } from "../../../domain/mined-file.js";
import type { LanguageSpec, ModuleName, SymbolKind, Visitor } from "../language-spec.js";
import type { SymbolCollector } from "../symbol-collector.js";
import { childOf, mentionOf, namedChildren, onPath, pathOf, words } from "./syntax.js";

const using: Visitor = (node, collector) => {
	const alias = collector.nameOf(node.childForFieldName("name"));
	const parts = namedChildren(node).filter((child) => child.type === "qualified_name" || child.type === "identifier");
	// An alias comes first, where there is one; the last part is what is used.
	const name = collector.nameOf(parts.at(-1))?.replace(/\s+/g, "");
	if (!name) return;
	collector.importModule(name);
	const dot = name.lastIndexOf(".");
	if (alias && parts.length > 1 && dot > 0) {
		collector.bind(alias, { module: name.slice(0, dot), member: name.slice(dot + 1) });
	}
};

/** A file has one namespace as a rule; of several the first names its members. */
const namespace: Visitor = (node, collector) => {
	const name = collector.nameOf(node.childForFieldName("name"))?.replace(/\s+/g, "");
	if (!name) return;
	collector.namespace ??= name;
	collector.note("namespaces", name);
};

const IDENTIFIER: ReadonlySet<string> = new Set(["identifier"]);
const step = (node: Node) => {
	if (node.type === "member_access_expression") {
		return { before: node.childForFieldName("expression"), name: bare(node.childForFieldName("name")) };
	}
	if (node.type === "qualified_name") {
		return { before: node.childForFieldName("qualifier"), name: bare(node.childForFieldName("name")) };
	}
	return undefined;
};

/** `List<int>` → `List`. */
function bare(node: Node | null): Node | null {
	return node?.type === "generic_name" ? node.namedChild(0) : node;
}

function mention(kind: "CALLS" | "REFERENCES", type: Node, collector: SymbolCollector): void {
	const named = type.type === "primary_constructor_base_type" ? type.childForFieldName("type") : type;
	const path = pathOf(bare(named), (n) => collector.textOf(n), IDENTIFIER, step);
	const found = path && mentionOf(path);
	if (found) collector.mention(kind, found);
}

const type =
	(kind: SymbolKind, region: ChunkKind): Visitor =>
	(node, collector) => {
		const nameNode = node.childForFieldName("name");
		const name = collector.nameOf(nameNode);
		if (!nameNode || !name) return;
		if (collector.scope === undefined) collector.note("types", name);
		collector.define({ name, kind, nameNode, node, region });
		const bases = childOf(node, "base_list");
		for (const base of bases ? namedChildren(bases) : []) mention("REFERENCES", base, collector);
	};

const method: Visitor = (node, collector) => {
	const nameNode = node.childForFieldName("name") ?? node.childForFieldName("operator");
	const text = collector.nameOf(nameNode);
	if (!nameNode || !text) return;
	const name =
		node.type === "operator_declaration"
			? `operator ${text}`
			: node.type === "destructor_declaration"
				? `~${text}`
				: text;
	const body = node.childForFieldName("body");
	const isLocal = node.type === "local_function_statement";
	collector.define({
		name,
		kind: isLocal ? "function" : "method",
		nameNode,
		node,
		region: body ? (isLocal ? "function" : "method") : undefined,
		declaration: !body,
		parameters: node.childForFieldName("parameters"),
	});
};

const invocation: Visitor = (node, collector) => {
	const callee = node.childForFieldName("function");
	if (!callee) return;
	const named = bare(callee);
	if (named?.type === "identifier") collector.call({ name: collector.textOf(named), on: "bare" });
	else if (callee.type === "member_access_expression") {
		const name = collector.nameOf(bare(callee.childForFieldName("name")));
		const object = callee.childForFieldName("expression");
		if (!name) return;
		if (object?.type === "this") collector.call({ name, on: "self" });
		else
			collector.call(
				onPath(
					name,
					pathOf(object, (n) => collector.textOf(n), IDENTIFIER, step),
				),
			);
	} else if (callee.type === "conditional_access_expression") {
		const binding = childOf(callee, "member_binding_expression");
		const name = collector.nameOf(bare(binding?.childForFieldName("name") ?? null));
		if (name) collector.call({ name, on: "opaque" });
	}
};

const creation: Visitor = (node, collector) => {
	const created = node.childForFieldName("type");
	if (created) mention("CALLS", created, collector);
};

function modules(collector: SymbolCollector): ModuleName[] {
	const { namespace: own } = collector;
	const types = collector.noted("types");
	return [
		...collector.noted("namespaces").map((module) => ({ module, rank: 0 })),
		...types.map((name) => ({ module: own === undefined ? name : `${own}.${name}`, rank: 0 })),
	];
}

const BUILTINS = words(
	`Add AddRange Aggregate All Any Append AppendLine AsEnumerable Average Clear Concat Contains ContainsKey ConfigureAwait Copy
	Count Dispose Distinct Equals First FirstOrDefault ForEach Format GetEnumerator GetHashCode GetType GetValueOrDefault
	GroupBy IndexOf Insert Invoke IsNullOrEmpty IsNullOrWhiteSpace Join Last LastOrDefault Max Min MoveNext OrderBy
	OrderByDescending Parse Read ReadLine Remove Replace Reverse Run Select SelectMany Single SingleOrDefault Skip Sort Split
	StartsWith EndsWith Substring Sum Take ToArray ToDictionary ToList ToLower ToString ToUpper Trim TryGetValue TryParse Wait
	Where Write WriteLine nameof typeof sizeof Main`,
	`Object String Int32 Int64 Boolean Double Decimal Exception ArgumentException ArgumentNullException InvalidOperationException
	NotImplementedException NotSupportedException List Dictionary HashSet Queue Stack StringBuilder Task ValueTask Console Math
	Guid DateTime TimeSpan IEnumerable IEnumerator IList ICollection IDictionary IDisposable IAsyncDisposable IComparable
	IEquatable Attribute EventArgs Action Func Nullable Tuple KeyValuePair CancellationToken CancellationTokenSource`,
);

export const csharp: LanguageSpec = {
	grammar: "c-sharp",
	family: "csharp",
	leads: ["comment"],
	ignored: ["comment", "using_directive", "string_literal", "verbatim_string_literal", "attribute_list"],
	builtins: BUILTINS,
	implicitSelf: true,
	callableParameters: true,
	modules,
	memberModules: (collector) => [{ module: collector.namespace ?? "", rank: 0 }],
	visitors: {
		using_directive: using,
		namespace_declaration: namespace,
		file_scoped_namespace_declaration: namespace,
		class_declaration: type("class", "class"),
		interface_declaration: type("interface", "type"),
		struct_declaration: type("struct", "class"),
		record_declaration: type("class", "class"),
		record_struct_declaration: type("struct", "class"),
		enum_declaration: type("enum", "type"),
		delegate_declaration: type("type", "type"),
		method_declaration: method,
		constructor_declaration: method,
		destructor_declaration: method,
		operator_declaration: method,
		local_function_statement: method,
		invocation_expression: invocation,
		object_creation_expression: creation,
	},
};
