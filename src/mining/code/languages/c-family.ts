import type { Node } from "web-tree-sitter";
import type { ChunkKind } from "../../../domain/mined-file.js";
import type { LanguageSpec, ModuleName, SymbolKind, Visitor } from "../language-spec.js";
import { basename, dirname, resolvePath } from "../module-path.js";
import type { SymbolCollector } from "../symbol-collector.js";
import { childOf, mentionOf, namedChildren, onPath, pathOf, words } from "./syntax.js";

/**
 * Which folders are searched for includes is in build files. So an include points at the path beside the file, at the path as
 * written and at the file's name, and a header provides its path, its last two segments and its name, in that order.
 */
const include: Visitor = (node, collector) => {
	const path = node.childForFieldName("path");
	const written = collector.nameOf(path)?.replace(/^[<"]|[>"]$/g, "");
	if (!path || !written) return;
	collector.importModule(written);
	if (path.type !== "string_literal") return;
	collector.importModule(resolvePath(dirname(collector.path), written) ?? "");
	collector.importModule(basename(written));
};

function modules({ path }: SymbolCollector): ModuleName[] {
	const short = path.split("/").slice(-2).join("/");
	return [
		{ module: path, rank: 0 },
		{ module: short, rank: 1 },
		{ module: basename(path), rank: 2 },
	];
}

/** The declarator inside pointers, references and parentheses: the function or name that is declared. */
function innermost(node: Node | null): Node | null {
	let at = node;
	for (let i = 0; i < 16 && at; i += 1) {
		if (!/^(?:pointer|reference|parenthesized|init|array|attributed)_declarator$/.test(at.type)) return at;
		at = at.childForFieldName("declarator") ?? at.namedChild(0);
	}
	return null;
}

/** `ns::A<int>::m` → ["ns", "A", "m"], without template arguments. */
function nameSegments(node: Node | null, collector: SymbolCollector): string[] | undefined {
	const segments: string[] = [];
	let at = node;
	for (let i = 0; i < 16 && at; i += 1) {
		if (at.type === "qualified_identifier") {
			const scope = at.childForFieldName("scope");
			const text = collector.nameOf(scope?.type === "template_type" ? scope.childForFieldName("name") : scope);
			if (text) segments.push(text);
			at = at.childForFieldName("name");
		} else if (/^template_(?:type|function|method)$/.test(at.type)) at = at.childForFieldName("name");
		else {
			const text = collector.nameOf(at)?.replace(/\s+/g, " ");
			return text ? [...segments, text] : undefined;
		}
	}
	return undefined;
}

const isStatic = (node: Node, collector: SymbolCollector): boolean => {
	const storage = childOf(node, "storage_class_specifier");
	return storage !== undefined && collector.textOf(storage) === "static";
};

/** Function definitions and, in headers and classes, their declarations. */
function callable(node: Node, declarator: Node | null, collector: SymbolCollector, declaration: boolean): void {
	const functionNode = innermost(declarator);
	let nameNode: Node | null = null;
	let segments: string[] | undefined;
	if (functionNode?.type === "function_declarator") {
		nameNode = innermost(functionNode.childForFieldName("declarator"));
		segments = nameSegments(nameNode, collector);
	} else if (functionNode?.type === "operator_cast") {
		nameNode = functionNode;
		const type = collector.nameOf(functionNode.childForFieldName("type"));
		segments = type ? [`operator ${type}`] : undefined;
	}
	const name = segments?.at(-1);
	if (!functionNode || !nameNode || !segments || !name) return;
	// Namespaces do not make part of a name here: a definition may lie in the namespace's block or name it.
	const owner = segments.slice(0, -1).filter((segment) => !collector.noted("namespaces").includes(segment));
	const isMethod = owner.length > 0 || collector.inType;
	collector.define({
		name,
		kind: isMethod ? "method" : "function",
		nameNode,
		node,
		region: declaration ? undefined : isMethod ? "method" : "function",
		owner: owner.length > 0 ? owner.join(".") : undefined,
		declaration,
		fileLocal: !isMethod && isStatic(node, collector),
		parameters: functionNode.childForFieldName("parameters"),
	});
}

const functionDefinition: Visitor = (node, collector) =>
	callable(node, node.childForFieldName("declarator"), collector, false);

const isHeader = (path: string): boolean => /\.(?:h|hh|hpp|hxx|h\+\+|ipp|inl)$/i.test(path);

const declaration: Visitor = (node, collector) => {
	if (collector.insideFunction) return;
	const declarator = node.childForFieldName("declarator");
	const inner = innermost(declarator);
	if (inner?.type === "function_declarator") {
		if (collector.inType || isHeader(collector.path)) callable(node, declarator, collector, true);
		return;
	}
	const name = inner?.type === "identifier" ? collector.nameOf(inner) : undefined;
	const constant = namedChildren(node).some(
		(child) => child.type === "type_qualifier" && /^const/.test(collector.textOf(child)),
	);
	if (constant && inner && name && collector.scope === undefined) {
		collector.define({ name, kind: "constant", nameNode: inner, node, fileLocal: isStatic(node, collector) });
	}
};

const type =
	(kind: SymbolKind, region: ChunkKind): Visitor =>
	(node, collector) => {
		const body = node.childForFieldName("body");
		const nameNode = node.childForFieldName("name");
		const segments = body ? nameSegments(nameNode, collector) : undefined;
		const name = segments?.at(-1);
		// Without a body it is a mention of the type, not its definition.
		if (!nameNode || !segments || !name) return;
		const owner = segments.slice(0, -1).filter((segment) => !collector.noted("namespaces").includes(segment));
		collector.define({ name, kind, nameNode, node, region, owner: owner.length > 0 ? owner.join(".") : undefined });
		const bases = childOf(node, "base_class_clause");
		for (const base of bases ? namedChildren(bases) : []) {
			if (base.type === "access_specifier") continue;
			const path = nameSegments(base, collector);
			const mention = path && mentionOf(path);
			if (mention) collector.mention("REFERENCES", mention);
		}
	};

const alias: Visitor = (node, collector) => {
	if (collector.insideFunction) return;
	const nameNode = node.childForFieldName("name") ?? typedefName(node.childForFieldName("declarator"));
	const name = collector.nameOf(nameNode);
	if (!nameNode || !name) return;
	const body = node.childForFieldName("type")?.childForFieldName("body");
	const tag = collector.nameOf(node.childForFieldName("type")?.childForFieldName("name"));
	// `typedef struct A { … } A` is one type.
	if (tag === name) return;
	collector.define({ name, kind: "type", nameNode, node, region: body && !tag ? "type" : undefined, flat: true });
};

function typedefName(declarator: Node | null): Node | null {
	const inner = innermost(declarator);
	return inner?.type === "function_declarator" ? innermost(inner.childForFieldName("declarator")) : inner;
}

const namespace: Visitor = (node, collector) => {
	const name = collector.nameOf(node.childForFieldName("name"));
	for (const part of name?.split("::") ?? []) collector.note("namespaces", part.replace(/^inline\s+/, ""));
};

const macro: Visitor = (node, collector) => {
	const nameNode = node.childForFieldName("name");
	const name = collector.nameOf(nameNode);
	// A macro without a value is an include guard or a switch.
	if (!nameNode || !name || !node.childForFieldName("value") || collector.scope !== undefined) return;
	const isCallable = node.type === "preproc_function_def";
	collector.define({ name, kind: isCallable ? "macro" : "constant", nameNode, node });
};

const IDENTIFIERS: ReadonlySet<string> = new Set(["identifier", "namespace_identifier"]);
const step = (node: Node) =>
	node.type === "field_expression"
		? { before: node.childForFieldName("argument"), name: node.childForFieldName("field") }
		: undefined;

const call: Visitor = (node, collector) => {
	let callee = node.childForFieldName("function");
	if (callee && /^template_(?:function|method)$/.test(callee.type)) callee = callee.childForFieldName("name");
	if (!callee) return;
	if (callee.type === "identifier") collector.call({ name: collector.textOf(callee), on: "bare" });
	else if (callee.type === "field_expression") {
		const name = nameSegments(callee.childForFieldName("field"), collector)?.at(-1);
		const object = callee.childForFieldName("argument");
		if (!name) return;
		if (object?.type === "this") collector.call({ name, on: "self" });
		else
			collector.call(
				onPath(
					name,
					pathOf(object, (n) => collector.textOf(n), IDENTIFIERS, step),
				),
			);
	} else if (callee.type === "qualified_identifier") {
		const segments = nameSegments(callee, collector);
		if (!segments || segments[0] === "std") return;
		const mention = mentionOf(segments.filter((segment) => !collector.noted("namespaces").includes(segment)));
		if (mention) collector.call(mention);
	}
};

const creation: Visitor = (node, collector) => {
	const segments = nameSegments(node.childForFieldName("type"), collector);
	const mention = segments && segments[0] !== "std" ? mentionOf(segments) : undefined;
	if (mention) collector.call(mention);
};

const BUILTINS = words(
	`abort abs assert atoi atol calloc ceil close exit fclose fflush fgets floor fopen fprintf fputs fread free fseek fwrite
	getenv isalnum isalpha isdigit isspace log malloc max memcmp memcpy memmove memset min open perror pow printf putchar puts
	qsort rand read realloc scanf sizeof snprintf sprintf sqrt srand sscanf strcat strchr strcmp strcpy strdup strerror strlen
	strncmp strncpy strrchr strstr strtol strtoul time tolower toupper usleep vprintf vsnprintf write defined offsetof va_start
	va_end va_arg static_assert likely unlikely`,
	`begin end cbegin cend size empty push_back emplace_back pop_back front back insert erase find at clear resize reserve
	data c_str str length substr append get reset release swap move forward make_unique make_shared make_pair make_tuple
	to_string stoi stol stod first second count emplace lock unlock what static_cast dynamic_cast reinterpret_cast const_cast
	sort copy fill transform string vector map set pair tuple unique_ptr shared_ptr function exception runtime_error
	invalid_argument logic_error out_of_range endl getline int char long short float double bool unsigned signed void`,
);

const shared: Omit<LanguageSpec, "implicitSelf"> = {
	// The C++ grammar reads C as well, and headers of either are called .h.
	grammar: "cpp",
	family: "c",
	leads: ["comment", "attribute_declaration"],
	wrappers: ["template_declaration", "type_definition"],
	ignored: ["comment", "string_literal", "raw_string_literal", "preproc_include", "friend_declaration"],
	builtins: BUILTINS,
	callableParameters: true,
	modules,
	memberModules: () => [],
	visitors: {
		preproc_include: include,
		preproc_def: macro,
		preproc_function_def: macro,
		namespace_definition: namespace,
		function_definition: functionDefinition,
		declaration,
		field_declaration: declaration,
		class_specifier: type("class", "class"),
		struct_specifier: type("struct", "class"),
		union_specifier: type("struct", "class"),
		enum_specifier: type("enum", "type"),
		type_definition: alias,
		alias_declaration: alias,
		concept_definition: (node, collector) => {
			const nameNode = node.childForFieldName("name");
			const name = collector.nameOf(nameNode);
			if (nameNode && name) collector.define({ name, kind: "type", nameNode, node, region: "type" });
		},
		call_expression: call,
		new_expression: creation,
	},
};

export const c: LanguageSpec = shared;
export const cpp: LanguageSpec = { ...shared, implicitSelf: true };
