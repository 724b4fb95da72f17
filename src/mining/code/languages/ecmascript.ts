import type { Node } from "web-tree-sitter";
import type { LanguageSpec, Mention, SymbolKind, Visitor } from "../language-spec.js";
import type { SymbolCollector } from "../symbol-collector.js";
import { importFrom, importTarget, modules } from "./ecmascript-modules.js";
import { childOf, mentionOf, namedChildren, onPath, pathOf, stringContent, words } from "./syntax.js";

const sourceOf = (node: Node | null, collector: SymbolCollector): string | undefined =>
	node?.type === "string" ? stringContent(collector.textOf(node)) : undefined;

const importStatement: Visitor = (node, collector) => {
	const clause = childOf(node, "import_clause");
	const required = childOf(node, "import_require_clause");
	const from = node.childForFieldName("source") ?? required?.childForFieldName("source") ?? null;
	const module = importFrom(sourceOf(from, collector), collector);
	if (module === undefined) return;
	if (required) {
		const local = collector.nameOf(childOf(required, "identifier"));
		if (local) collector.bind(local, { module });
	}
	for (const part of clause ? namedChildren(clause) : []) {
		if (part.type === "identifier") collector.bind(collector.textOf(part), { module, member: "default" });
		else if (part.type === "namespace_import") {
			const local = collector.nameOf(childOf(part, "identifier"));
			if (local) collector.bind(local, { module });
		} else if (part.type === "named_imports") {
			for (const specifier of namedChildren(part)) {
				const member = collector.nameOf(specifier.childForFieldName("name"));
				const local = collector.nameOf(specifier.childForFieldName("alias")) ?? member;
				if (member && local) collector.bind(local, { module, member });
			}
		}
	}
};

const exportStatement: Visitor = (node, collector) => {
	const from = node.childForFieldName("source");
	if (from) {
		importFrom(sourceOf(from, collector), collector);
		return;
	}
	const isDefault = node.children.some((child) => child?.type === "default");
	const clause = childOf(node, "export_clause");
	if (clause && collector.scope === undefined) {
		for (const specifier of namedChildren(clause)) {
			const local = collector.nameOf(specifier.childForFieldName("name"));
			const exported = collector.nameOf(specifier.childForFieldName("alias")) ?? local;
			if (local && exported) collector.exportName(local, exported);
		}
	}
	const value = node.childForFieldName("value") ?? childOf(node, "identifier");
	if (value?.type === "identifier") collector.exportName(collector.textOf(value), "default");
	collector.markExport(isDefault ? "default" : "name");
	if (value && (FUNCTIONS.has(value.type) || value.type === "class") && !value.childForFieldName("name")) {
		define(value, value, "default", collector);
	}
};

const FUNCTIONS: ReadonlySet<string> = new Set(["arrow_function", "function_expression", "generator_function"]);

/** A function or class that gets its name from where it is assigned. */
function define(
	value: Node,
	node: Node,
	name: string,
	collector: SymbolCollector,
	owner?: string,
	as?: string[],
): void {
	const isClass = value.type === "class";
	const kind: SymbolKind = isClass ? "class" : owner === undefined && !isClassBody(collector) ? "function" : "method";
	collector.define({
		name,
		kind,
		nameNode: node,
		node,
		region: isClass ? "class" : kind === "method" ? "method" : "function",
		owner,
		...(as ? { exportedAs: as } : {}),
		fileLocal: name.startsWith("#"),
		parameters: value.childForFieldName("parameters") ?? value.childForFieldName("parameter"),
	});
	if (isClass) heritage(value, collector);
}

const isClassBody = (collector: SymbolCollector): boolean => collector.parentType === "class_body";

const declared =
	(kind: SymbolKind, region: "function" | "class" | "type" | undefined): Visitor =>
	(node, collector) => {
		const nameNode = node.childForFieldName("name");
		const quoted = collector.nameOf(nameNode);
		if (!nameNode || !quoted) return;
		const name = quoted.replace(/^["']|["']$/g, "");
		const declaration = node.type === "function_signature";
		const parameters = node.childForFieldName("parameters");
		collector.define({ name, kind, nameNode, node, region: declaration ? undefined : region, parameters, declaration });
		if (kind === "class" || kind === "interface") heritage(node, collector);
	};

const REFERENCE_STEP = (node: Node) => {
	if (node.type === "member_expression") {
		return { before: node.childForFieldName("object"), name: node.childForFieldName("property") };
	}
	if (node.type === "nested_type_identifier") {
		return { before: node.childForFieldName("module"), name: node.childForFieldName("name") };
	}
	if (node.type === "nested_identifier") {
		return { before: node.childForFieldName("object"), name: node.childForFieldName("property") };
	}
	return undefined;
};
const NAMES: ReadonlySet<string> = new Set(["identifier", "type_identifier"]);

function heritage(node: Node, collector: SymbolCollector): void {
	const clauses = [childOf(node, "class_heritage"), childOf(node, "extends_type_clause", "extends_clause")];
	for (const clause of clauses) {
		if (!clause) continue;
		// TypeScript wraps each clause, JavaScript holds the expression itself.
		const lists = namedChildren(clause).filter((child) => child.type.endsWith("_clause"));
		for (const list of lists.length > 0 ? lists : [clause]) {
			for (const base of namedChildren(list)) {
				const named = base.type === "generic_type" ? base.childForFieldName("name") : base;
				const path = pathOf(named, (n) => collector.textOf(n), NAMES, REFERENCE_STEP);
				const mention = path && mentionOf(path);
				if (mention) collector.mention("REFERENCES", mention);
			}
		}
	}
}

const method: Visitor = (node, collector) => {
	const nameNode = node.childForFieldName("name");
	const name = memberName(nameNode, collector);
	if (!isClassBody(collector) || !nameNode || !name) return;
	const declaration = node.type !== "method_definition";
	collector.define({
		name,
		kind: "method",
		nameNode,
		node,
		region: declaration ? undefined : "method",
		declaration,
		fileLocal: name.startsWith("#"),
		parameters: node.childForFieldName("parameters"),
	});
};

/** Fields that hold functions are methods; others are data. */
const field: Visitor = (node, collector) => {
	const nameNode = node.childForFieldName("name") ?? node.childForFieldName("property");
	const value = node.childForFieldName("value");
	const name = memberName(nameNode, collector);
	if (value && FUNCTIONS.has(value.type) && name) define(value, node, name, collector);
};

function memberName(node: Node | null, collector: SymbolCollector): string | undefined {
	if (!node || node.type === "computed_property_name") return undefined;
	return collector.nameOf(node)?.replace(/^["']|["']$/g, "");
}

const declarator: Visitor = (node, collector) => {
	const nameNode = node.childForFieldName("name");
	const value = node.childForFieldName("value");
	if (!nameNode) return;
	const required = requiredModule(value, collector);
	if (required !== undefined) bindRequired(nameNode, required, collector);
	if (nameNode.type === "identifier") {
		const name = collector.nameOf(nameNode);
		if (!name) return;
		if (value && (FUNCTIONS.has(value.type) || value.type === "class")) define(value, node, name, collector);
		else if (collector.scope === undefined && required === undefined) constant(nameNode, node, name, collector);
		return;
	}
	if (nameNode.type !== "object_pattern" || collector.scope !== undefined || required !== undefined) return;
	for (const part of namedChildren(nameNode)) {
		const local = part.type === "pair_pattern" ? part.childForFieldName("value") : part;
		const name = local?.type === "identifier" || local === part ? collector.nameOf(local) : undefined;
		if (local && name && /^[\p{L}\p{N}_$]+$/u.test(name)) constant(local, node, name, collector);
	}
};

/** Kept only where the file exports it, now or in a later statement. */
function constant(nameNode: Node, node: Node, name: string, collector: SymbolCollector): void {
	collector.define({ name, kind: "constant", nameNode, node, onlyIfExported: true });
}

/** The module of `require("x")` or `await import("x")`. */
function requiredModule(value: Node | null, collector: SymbolCollector): string | undefined {
	const call = value?.type === "await_expression" ? value.namedChild(0) : value;
	if (call?.type !== "call_expression") return undefined;
	const callee = call.childForFieldName("function");
	if (callee?.type !== "import" && !(callee?.type === "identifier" && collector.textOf(callee) === "require")) {
		return undefined;
	}
	const specifier = sourceOf(call.childForFieldName("arguments")?.namedChild(0) ?? null, collector);
	return specifier === undefined ? undefined : importTarget(specifier, collector)?.module;
}

function bindRequired(nameNode: Node, module: string, collector: SymbolCollector): void {
	if (nameNode.type === "identifier") {
		const name = collector.nameOf(nameNode);
		if (name) collector.bind(name, { module });
	}
	if (nameNode.type !== "object_pattern") return;
	for (const part of namedChildren(nameNode)) {
		const isPair = part.type === "pair_pattern";
		const member = collector.nameOf(isPair ? part.childForFieldName("key") : part);
		const local = collector.nameOf(isPair ? part.childForFieldName("value") : part);
		if (member && local) collector.bind(local, { module, member });
	}
}

/** `module.exports = …`, `exports.x = …`, `A.prototype.x = function …`. */
const assignment: Visitor = (node, collector) => {
	const left = node.childForFieldName("left");
	const right = node.childForFieldName("right");
	if (left?.type !== "member_expression" || !right || collector.scope !== undefined) return;
	const path = pathOf(left, (n) => collector.textOf(n), NAMES, REFERENCE_STEP);
	if (!path) return;
	if (path[0] === "module" && path[1] === "exports") path.shift();
	if (path[0] === "exports" && path.length === 1) {
		if (right.type === "identifier") collector.exportName(collector.textOf(right), "default");
		for (const part of right.type === "object" ? namedChildren(right) : []) {
			const exported = collector.nameOf(part.type === "pair" ? part.childForFieldName("key") : part);
			const value = part.type === "pair" ? part.childForFieldName("value") : part;
			if (exported && (value?.type === "identifier" || value?.type === "shorthand_property_identifier")) {
				collector.exportName(collector.textOf(value), exported);
			}
		}
		return;
	}
	const name = path.at(-1);
	if (name === undefined || name.length > 100) return;
	const isValue = FUNCTIONS.has(right.type) || right.type === "class";
	if (path[0] === "exports" && path.length === 2) {
		if (isValue) define(right, node, name, collector, undefined, [name]);
		else if (right.type === "identifier") collector.exportName(collector.textOf(right), name);
	} else if (path[1] === "prototype" && path.length === 3 && isValue) define(right, node, name, collector, path[0]);
};

const call: Visitor = (node, collector) => {
	const callee = node.childForFieldName("function");
	if (!callee) return;
	const name = callee.type === "identifier" ? collector.textOf(callee) : "";
	if (callee.type === "import" || name === "require") {
		const specifier = sourceOf(node.childForFieldName("arguments")?.namedChild(0) ?? null, collector);
		importFrom(specifier, collector);
		return;
	}
	const mention = mentioned(callee, collector);
	if (mention) collector.call(mention);
};

const construct: Visitor = (node, collector) => {
	const created = node.childForFieldName("constructor");
	const mention = created && mentioned(created, collector);
	if (mention) collector.call(mention);
};

function mentioned(callee: Node, collector: SymbolCollector): Mention | undefined {
	if (callee.type === "identifier") return { name: collector.textOf(callee), on: "bare" };
	if (callee.type !== "member_expression") return undefined;
	const name = collector.nameOf(callee.childForFieldName("property"));
	const object = callee.childForFieldName("object");
	if (!name) return undefined;
	if (object?.type === "this") return { name, on: "self" };
	return onPath(
		name,
		pathOf(object, (n) => collector.textOf(n), NAMES, REFERENCE_STEP),
	);
}

const jsx: Visitor = (node, collector) => {
	const name = node.childForFieldName("name");
	const path = pathOf(name, (n) => collector.textOf(n), NAMES, REFERENCE_STEP);
	const mention = path && mentionOf(path);
	// Lower-case elements are the platform's.
	if (mention && /^\p{Lu}/u.test(mention.name)) collector.call(mention);
};

const BUILTINS = words(
	`Array ArrayBuffer BigInt Boolean Date Error EvalError Function Infinity Intl JSON Map Math Number Object Promise Proxy
	RangeError ReferenceError Reflect RegExp Set String Symbol SyntaxError TypeError URIError URL URLSearchParams Uint8Array
	WeakMap WeakSet WeakRef Buffer AbortController TextEncoder TextDecoder EventEmitter HTMLElement Event Record Partial
	Readonly Pick Omit Iterable Iterator AsyncIterable PromiseLike`,
	`alert apply atob bind btoa call catch clearInterval clearTimeout concat console constructor debug decodeURIComponent
	encodeURIComponent endsWith entries error every exec fetch fill filter finally find findIndex flat flatMap forEach from
	fromEntries get getTime has hasOwnProperty includes indexOf info isArray isInteger isNaN join keys lastIndexOf log map
	match matchAll max min next now padEnd padStart parse parseFloat parseInt pop push queueMicrotask reduce reduceRight
	reject repeat replace replaceAll require resolve reverse set setImmediate setInterval setTimeout shift slice some sort
	splice split startsWith stringify structuredClone substr substring super test then toFixed toISOString toJSON
	toLocaleString toLowerCase toString toUpperCase trace trim trimEnd trimStart unshift valueOf values warn add delete clear
	assign freeze create defineProperty all race allSettled done callback cwd emit end exit off on once pipe write describe it expect beforeEach afterEach beforeAll
	afterAll addEventListener removeEventListener querySelector getElementById`,
);

const shared: Omit<LanguageSpec, "grammar"> = {
	family: "js",
	leads: ["comment", "decorator"],
	wrappers: [
		"export_statement",
		"ambient_declaration",
		"lexical_declaration",
		"variable_declaration",
		"expression_statement",
	],
	ignored: ["comment", "string", "regex", "type_annotation", "type_parameters", "type_arguments", "import_statement"],
	builtins: BUILTINS,
	callableParameters: true,
	explicitExports: true,
	reexportSeparator: "/",
	modules,
	visitors: {
		import_statement: importStatement,
		export_statement: exportStatement,
		function_declaration: declared("function", "function"),
		generator_function_declaration: declared("function", "function"),
		function_signature: declared("function", undefined),
		class_declaration: declared("class", "class"),
		abstract_class_declaration: declared("class", "class"),
		interface_declaration: declared("interface", "type"),
		type_alias_declaration: declared("type", "type"),
		enum_declaration: declared("enum", "type"),
		internal_module: declared("module", undefined),
		module: declared("module", undefined),
		method_definition: method,
		abstract_method_signature: method,
		method_signature: method,
		public_field_definition: field,
		field_definition: field,
		variable_declarator: declarator,
		assignment_expression: assignment,
		call_expression: call,
		new_expression: construct,
		jsx_opening_element: jsx,
		jsx_self_closing_element: jsx,
	},
};

export const typescript: LanguageSpec = { ...shared, grammar: "typescript" };
export const tsx: LanguageSpec = { ...shared, grammar: "tsx" };
export const javascript: LanguageSpec = { ...shared, grammar: "javascript" };
