import type { Node } from "web-tree-sitter";
import type { ChunkKind } from "../../../domain/mined-file.js";
import type { Binding, LanguageSpec, ModuleName, SymbolKind, Visitor } from "../language-spec.js";
import type { SymbolCollector } from "../symbol-collector.js";
import { childOf, mentionOf, namedChildren, onPath, pathOf, words } from "./syntax.js";

/** Packages are lower-case and types are not, by a convention that everyone keeps: `com.a.Outer.Inner` is `Outer.Inner` of `com.a`. */
function split(qualified: string): Binding {
	const segments = qualified.split(".");
	const first = segments.findIndex((segment) => /^\p{Lu}/u.test(segment));
	const cut = first > 0 ? first : segments.length - 1;
	return { module: segments.slice(0, cut).join("."), member: segments.slice(cut).join(".") };
}

const packageDeclaration: Visitor = (node, collector) => {
	const name = childOf(node, "scoped_identifier", "identifier");
	collector.namespace = collector.nameOf(name)?.replace(/\s+/g, "");
};

const importDeclaration: Visitor = (node, collector) => {
	const name = collector.nameOf(childOf(node, "scoped_identifier", "identifier"))?.replace(/\s+/g, "");
	if (!name) return;
	const isStatic = node.children.some((child) => child?.type === "static");
	const wildcard = childOf(node, "asterisk") !== undefined;
	collector.importModule(isStatic && !wildcard ? name.slice(0, Math.max(0, name.lastIndexOf("."))) : name);
	const local = name.split(".").pop();
	if (!wildcard && local) collector.bind(local, split(name));
};

const IDENTIFIERS: ReadonlySet<string> = new Set(["identifier", "type_identifier"]);
const step = (node: Node) => {
	if (node.type === "field_access") {
		return { before: node.childForFieldName("object"), name: node.childForFieldName("field") };
	}
	if (node.type === "scoped_type_identifier") return { before: node.namedChild(0), name: node.namedChild(1) };
	return undefined;
};

function reference(type: Node, collector: SymbolCollector, kind: "CALLS" | "REFERENCES"): void {
	const named = type.type === "generic_type" ? type.namedChild(0) : type;
	const path = pathOf(named, (n) => collector.textOf(n), IDENTIFIERS, step);
	const mention = path && mentionOf(path);
	if (mention) collector.mention(kind, mention);
}

const type =
	(kind: SymbolKind, region: ChunkKind): Visitor =>
	(node, collector) => {
		const nameNode = node.childForFieldName("name");
		const name = collector.nameOf(nameNode);
		if (!nameNode || !name) return;
		if (collector.scope === undefined) collector.note("types", name);
		collector.define({ name, kind, nameNode, node, region });
		const clauses = [node.childForFieldName("superclass"), node.childForFieldName("interfaces")];
		for (const clause of [...clauses, childOf(node, "extends_interfaces")]) {
			for (const child of clause ? namedChildren(clause) : []) {
				for (const base of child.type === "type_list" ? namedChildren(child) : [child]) {
					reference(base, collector, "REFERENCES");
				}
			}
		}
	};

const method: Visitor = (node, collector) => {
	const nameNode = node.childForFieldName("name");
	const name = collector.nameOf(nameNode);
	if (!nameNode || !name) return;
	const body = node.childForFieldName("body");
	collector.define({
		name,
		kind: "method",
		nameNode,
		node,
		region: body ? "method" : undefined,
		declaration: !body,
		parameters: node.childForFieldName("parameters"),
	});
};

const invocation: Visitor = (node, collector) => {
	const name = collector.nameOf(node.childForFieldName("name"));
	const object = node.childForFieldName("object");
	if (!name) return;
	if (!object) collector.call({ name, on: "bare" });
	else if (object.type === "this") collector.call({ name, on: "self" });
	else
		collector.call(
			onPath(
				name,
				pathOf(object, (n) => collector.textOf(n), IDENTIFIERS, step),
			),
		);
};

const creation: Visitor = (node, collector) => {
	const created = node.childForFieldName("type");
	if (created) reference(created, collector, "CALLS");
};

function modules(collector: SymbolCollector): ModuleName[] {
	const { namespace } = collector;
	const types = collector.noted("types");
	return [
		...(namespace === undefined ? [] : [{ module: namespace, rank: 0 }]),
		...types.map((name) => ({ module: namespace === undefined ? name : `${namespace}.${name}`, rank: 0 })),
	];
}

const BUILTINS = words(
	`add addAll append apply asList await charAt clear clone close collect compareTo contains containsKey copyOf entrySet
	equals filter findFirst flatMap forEach format get getClass getKey getMessage getName getOrDefault getValue hasNext
	hashCode indexOf isEmpty isPresent iterator join keySet length map max min name next notify notifyAll of ofNullable
	orElse orElseThrow ordinal parseInt print println printf printStackTrace put putAll putIfAbsent remove replace run set
	size sleep sort split startsWith endsWith stream sub substring toArray toList toLowerCase toString toUpperCase trim
	valueOf values wait accept test compare reduce sum sorted limit main`,
	`Object String Integer Long Double Float Boolean Byte Short Character Number Math System Thread Runnable Exception
	RuntimeException IllegalArgumentException IllegalStateException NullPointerException UnsupportedOperationException
	IOException InterruptedException IndexOutOfBoundsException Throwable Error StringBuilder StringBuffer ArrayList
	LinkedList HashMap LinkedHashMap TreeMap HashSet LinkedHashSet TreeSet List Map Set Collection Collections Arrays Optional
	Objects Iterable Iterator Comparable Comparator Override Deprecated FunctionalInterface SuppressWarnings Serializable
	Cloneable AutoCloseable Closeable Record Enum Void AtomicInteger AtomicLong ConcurrentHashMap CompletableFuture`,
);

export const java: LanguageSpec = {
	grammar: "java",
	family: "java",
	leads: ["line_comment", "block_comment"],
	ignored: ["line_comment", "block_comment", "import_declaration", "package_declaration", "string_literal"],
	builtins: BUILTINS,
	implicitSelf: true,
	modules,
	// Members are known by their package, `com.a#Outer.method`; without one by the class alone.
	memberModules: ({ namespace }) => [{ module: namespace ?? "", rank: 0 }],
	visitors: {
		package_declaration: packageDeclaration,
		import_declaration: importDeclaration,
		class_declaration: type("class", "class"),
		interface_declaration: type("interface", "type"),
		enum_declaration: type("enum", "class"),
		record_declaration: type("class", "class"),
		annotation_type_declaration: type("interface", "type"),
		method_declaration: method,
		constructor_declaration: method,
		compact_constructor_declaration: method,
		method_invocation: invocation,
		object_creation_expression: creation,
	},
};
