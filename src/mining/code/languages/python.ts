import type { Node } from "web-tree-sitter";
import { docLine } from "../doc-comment.js";
import type { LanguageSpec, Mention, ModuleName, Visitor } from "../language-spec.js";
import type { SymbolCollector } from "../symbol-collector.js";
import { mentionOf, namedChildren, onPath, pathOf, words } from "./syntax.js";

/** A dotted module without the source folder it may lie in: `src.httpx._models` is imported as `httpx._models`. */
function canonical(dotted: string): string {
	const parts = dotted.split(".");
	for (let i = parts.length - 2; i >= 0; i -= 1) {
		if (parts[i] === "src" || parts[i] === "lib") return parts.slice(i + 1).join(".");
	}
	return dotted;
}

const isPackage = (path: string): boolean => /(?:^|\/)__init__\.pyi?$/.test(path);
const dottedPath = (path: string): string =>
	path
		.replace(/\.pyi?w?$/, "")
		.replace(/(?:^|\/)__init__$/, "")
		.replaceAll("/", ".");

function modules({ path }: SymbolCollector): ModuleName[] {
	const dotted = dottedPath(path);
	if (dotted === "") return [];
	const rank = path.endsWith(".pyi") ? 1 : 0;
	const own = canonical(dotted);
	return own === dotted
		? [{ module: own, rank }]
		: [
				{ module: own, rank },
				{ module: dotted, rank },
			];
}

/** `..p.q` from this file as an absolute module; undefined where it leaves the source. "" is the root. */
function absolute(written: string, { path }: SymbolCollector): string | undefined {
	const [, dots = "", rest = ""] = /^(\.*)(.*)$/.exec(written.replace(/\s+/g, "")) ?? [];
	if (dots === "") return canonical(rest);
	const own = canonical(dottedPath(path));
	const parts = own === "" ? [] : own.split(".");
	const up = dots.length - (isPackage(path) ? 1 : 0);
	if (up > parts.length) return undefined;
	return [...parts.slice(0, parts.length - up), ...(rest === "" ? [] : [rest])].join(".");
}

const joined = (module: string, name: string): string => (module === "" ? name : `${module}.${name}`);

const importStatement: Visitor = (node, collector) => {
	for (const item of namedChildren(node)) {
		const aliased = item.type === "aliased_import";
		const module = collector.nameOf(aliased ? item.childForFieldName("name") : item);
		if (!module) continue;
		const absoluteModule = canonical(module);
		collector.importModule(absoluteModule);
		const alias = aliased ? collector.nameOf(item.childForFieldName("alias")) : undefined;
		if (alias) collector.bind(alias, { module: absoluteModule });
		// `import a.b.c` binds `a`; the path of the call then says the rest.
		else collector.bind(module.split(".")[0] ?? module, { module: absoluteModule.split(".")[0] ?? absoluteModule });
	}
};

const importFrom: Visitor = (node, collector) => {
	const written = node.childForFieldName("module_name");
	const name = collector.nameOf(written);
	const module = name === undefined ? undefined : absolute(name, collector);
	if (!written || module === undefined) return;
	collector.importModule(module);
	for (const item of namedChildren(node)) {
		if (item.startIndex === written.startIndex || item.type === "wildcard_import") continue;
		const aliased = item.type === "aliased_import";
		const member = collector.nameOf(aliased ? item.childForFieldName("name") : item);
		if (!member) continue;
		// Modules are lower-case (PEP 8): it may be one of the package.
		if (/^[\p{Ll}_][\p{Ll}\p{N}_]*$/u.test(member)) collector.importModule(joined(module, member));
		const local = aliased ? collector.nameOf(item.childForFieldName("alias")) : member;
		if (local) collector.bind(local, { module, member });
	}
};

const IDENTIFIER: ReadonlySet<string> = new Set(["identifier"]);
const step = (node: Node) =>
	node.type === "attribute"
		? { before: node.childForFieldName("object"), name: node.childForFieldName("attribute") }
		: undefined;

const call: Visitor = (node, collector) => {
	const callee = node.childForFieldName("function");
	const mention = callee && mentioned(callee, collector);
	if (mention) collector.call(mention);
};

function mentioned(callee: Node, collector: SymbolCollector): Mention | undefined {
	if (callee.type === "identifier") return { name: collector.textOf(callee), on: "bare" };
	if (callee.type !== "attribute") return undefined;
	const name = collector.nameOf(callee.childForFieldName("attribute"));
	if (!name) return undefined;
	const path = pathOf(callee.childForFieldName("object"), (n) => collector.textOf(n), IDENTIFIER, step);
	if (path?.length === 1 && (path[0] === "self" || path[0] === "cls")) return { name, on: "self" };
	return onPath(name, path);
}

/** `@decorator` without a call is one all the same. */
const decorator: Visitor = (node, collector) => {
	const expression = node.namedChild(0);
	const mention = expression && mentioned(expression, collector);
	if (mention) collector.call(mention);
};

const definition: Visitor = (node, collector) => {
	const nameNode = node.childForFieldName("name");
	const name = collector.nameOf(nameNode);
	if (!nameNode || !name) return;
	const doc = docstring(node.childForFieldName("body"), collector);
	if (node.type === "class_definition") {
		collector.define({ name, kind: "class", nameNode, node, region: "class", doc });
		const bases = node.childForFieldName("superclasses");
		for (const base of bases ? namedChildren(bases) : []) {
			const named = base.type === "subscript" ? base.childForFieldName("value") : base;
			const path = pathOf(named, (n) => collector.textOf(n), IDENTIFIER, step);
			const mention = path && mentionOf(path);
			if (mention) collector.mention("REFERENCES", mention);
		}
		return;
	}
	const isMethod = collector.scope?.kind === "class";
	collector.define({
		name,
		kind: isMethod ? "method" : "function",
		nameNode,
		node,
		region: isMethod ? "method" : "function",
		parameters: node.childForFieldName("parameters"),
		doc,
	});
};

function docstring(body: Node | null, collector: SymbolCollector): string | undefined {
	const first = body?.namedChild(0);
	const literal = first?.type === "expression_statement" ? first.namedChild(0) : first;
	if (literal?.type !== "string") return undefined;
	const prefix = /^[a-zA-Z]{0,2}/.exec(collector.text.slice(literal.startIndex, literal.startIndex + 2))?.[0] ?? "";
	const start = literal.startIndex + prefix.length;
	if (/^(?:"""|''')/.test(collector.text.slice(start, start + 3)))
		return docLine(collector.text, start, literal.endIndex);
	const words = collector.text.slice(start + 1, Math.min(literal.endIndex - 1, start + 201)).trim();
	return words === "" ? undefined : words;
}

/** Constants are upper-case (PEP 8), at the top of the module. */
const assignment: Visitor = (node, collector) => {
	const left = node.childForFieldName("left");
	if (left?.type !== "identifier" || collector.scope !== undefined) return;
	const name = collector.nameOf(left);
	if (name && /^[\p{Lu}][\p{Lu}\p{N}_]*$/u.test(name)) {
		collector.define({ name, kind: "constant", nameNode: left, node });
	}
};

const typeAlias: Visitor = (node, collector) => {
	const left = node.childForFieldName("left");
	const name = collector.nameOf(left);
	if (left && name && /^[\p{L}_][\p{L}\p{N}_]*$/u.test(name)) {
		collector.define({ name, kind: "type", nameNode: left, node });
	}
};

const BUILTINS = words(
	`abs aiter all anext any append ascii bin bool breakpoint bytearray bytes callable capitalize chr classmethod clear close
	compile complex copy count decode delattr dict dir divmod encode endswith enumerate eval exec exit extend filter find float
	format frozenset get getattr globals hasattr hash help hex id index input insert int isdigit isinstance issubclass items
	iter join keys len list locals lower lstrip map max memoryview min next object oct open ord pop popitem pow print property
	put range read readline readlines remove repr replace reversed round rsplit rstrip set setattr setdefault slice sort sorted
	split splitlines startswith staticmethod str strip sub sum super title tuple type update upper values vars write zip
	isalpha partition discard add group groups match search debug info warning error exception __init__ __new__ __repr__`,
	`Any BaseException Exception ValueError TypeError KeyError IndexError RuntimeError AttributeError NotImplementedError
	StopIteration StopAsyncIteration OSError IOError ImportError AssertionError LookupError ArithmeticError
	ZeroDivisionError UnicodeDecodeError UnicodeEncodeError PermissionError FileNotFoundError TimeoutError
	ConnectionError EOFError Generic Protocol Enum IntEnum ABC NamedTuple TypedDict Warning UserWarning DeprecationWarning
	TypeVar Path defaultdict OrderedDict deque Counter partial dataclass`,
);

export const python: LanguageSpec = {
	grammar: "python",
	family: "python",
	leads: ["comment", "decorator"],
	wrappers: ["decorated_definition"],
	ignored: ["comment", "import_statement", "import_from_statement", "future_import_statement"],
	builtins: BUILTINS,
	callableParameters: true,
	submoduleSeparator: ".",
	reexportSeparator: ".",
	modules,
	visitors: {
		import_statement: importStatement,
		import_from_statement: importFrom,
		function_definition: definition,
		class_definition: definition,
		assignment,
		type_alias_statement: typeAlias,
		call,
		decorator,
	},
};
