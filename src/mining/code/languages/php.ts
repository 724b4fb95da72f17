import type { Node } from "web-tree-sitter";
import type { ChunkKind } from "../../../domain/mined-file.js";
import type { Binding, LanguageSpec, Mention, ModuleName, SymbolKind, Visitor } from "../language-spec.js";
import { dirname, resolvePath } from "../module-path.js";
import type { SymbolCollector } from "../symbol-collector.js";
import { childOf, namedChildren, words } from "./syntax.js";

/** `App\Models\User` → User of `App\Models`. Module names keep PHP's backslash. */
function split(qualified: string): Binding {
	const name = qualified.replace(/^\\/, "");
	const cut = name.lastIndexOf("\\");
	return { module: cut < 0 ? "" : name.slice(0, cut), member: name.slice(cut + 1) };
}

const namespace: Visitor = (node, collector) => {
	collector.namespace ??= collector.nameOf(node.childForFieldName("name"));
};

const use: Visitor = (node, collector) => {
	const prefix = collector.nameOf(childOf(node, "namespace_name"));
	const group = node.childForFieldName("body");
	for (const clause of namedChildren(group ?? node)) {
		if (clause.type !== "namespace_use_clause") continue;
		const name = collector.nameOf(childOf(clause, "qualified_name", "name", "namespace_name"));
		if (!name) continue;
		const qualified = (prefix ? `${prefix}\\${name}` : name).replace(/^\\/, "");
		collector.importModule(qualified);
		const alias = collector.nameOf(clause.childForFieldName("alias"));
		const binding = split(qualified);
		collector.bind(alias ?? binding.member ?? qualified, binding);
	}
};

/** `require __DIR__ . "/x.php"` and `include "x.php"`: by path, as the file beside this one. */
const include: Visitor = (node, collector) => {
	let argument = node.namedChild(0);
	if (argument?.type === "parenthesized_expression") argument = argument.namedChild(0);
	if (argument?.type === "binary_expression") {
		if (collector.nameOf(argument.childForFieldName("left")) !== "__DIR__") return;
		argument = argument.childForFieldName("right");
	}
	if (argument?.type !== "string" && argument?.type !== "encapsed_string") return;
	const written = collector.nameOf(argument)?.slice(1, -1);
	if (!written || /[$\\]/.test(written)) return;
	collector.importModule(resolvePath(dirname(collector.path), written.replace(/^\/+/, "")) ?? "");
};

/** A class or function name as it stands: unqualified, or with its namespace. */
function named(node: Node | null, collector: SymbolCollector): readonly string[] | undefined {
	const text = node && /^(?:name|qualified_name|relative_name)$/.test(node.type) ? collector.nameOf(node) : undefined;
	return text?.replace(/^\\/, "").split("\\");
}

/** `Foo\bar()` where Foo is imported goes through the import; other namespaces are left to the name. */
function mentionOf(segments: readonly string[]): Mention | undefined {
	const name = segments.at(-1);
	if (!name) return undefined;
	return segments.length === 1 ? { name, on: "bare" } : { name, on: "path", path: segments.slice(0, -1) };
}

const type =
	(kind: SymbolKind, region: ChunkKind): Visitor =>
	(node, collector) => {
		const nameNode = node.childForFieldName("name");
		const name = collector.nameOf(nameNode);
		if (!nameNode || !name) return;
		if (collector.scope === undefined) collector.note("types", name);
		collector.define({ name, kind, nameNode, node, region });
		const clauses = [childOf(node, "base_clause"), childOf(node, "class_interface_clause")];
		for (const clause of clauses) for (const base of clause ? namedChildren(clause) : []) reference(base, collector);
	};

function reference(node: Node, collector: SymbolCollector): void {
	const segments = named(node, collector);
	const mention = segments && mentionOf(segments);
	if (mention) collector.mention("REFERENCES", mention);
}

/** `use SomeTrait;` inside a class. */
const traitUse: Visitor = (node, collector) => {
	for (const trait of namedChildren(node)) reference(trait, collector);
};

const callable =
	(kind: "function" | "method"): Visitor =>
	(node, collector) => {
		const nameNode = node.childForFieldName("name");
		const name = collector.nameOf(nameNode);
		if (!nameNode || !name) return;
		const body = node.childForFieldName("body");
		if (kind === "function" && collector.scope === undefined) collector.note("types", name);
		collector.define({
			name,
			kind,
			nameNode,
			node,
			region: body ? kind : undefined,
			declaration: !body,
			parameters: node.childForFieldName("parameters"),
		});
	};

const constants: Visitor = (node, collector) => {
	const nameNode = childOf(node, "name");
	const name = collector.nameOf(nameNode);
	if (nameNode && name && collector.scope === undefined) {
		collector.define({ name, kind: "constant", nameNode, node });
	}
};

const functionCall: Visitor = (node, collector) => {
	const segments = named(node.childForFieldName("function"), collector);
	const mention = segments && mentionOf(segments);
	if (mention) collector.call(mention);
};

const memberCall: Visitor = (node, collector) => {
	const nameNode = node.childForFieldName("name");
	const name = nameNode?.type === "name" ? collector.nameOf(nameNode) : undefined;
	const object = collector.nameOf(node.childForFieldName("object"));
	if (name) collector.call({ name, on: object === "$this" ? "self" : "opaque" });
};

const scopedCall: Visitor = (node, collector) => {
	const nameNode = node.childForFieldName("name");
	const name = nameNode?.type === "name" ? collector.nameOf(nameNode) : undefined;
	const scope = node.childForFieldName("scope");
	if (!name || !scope) return;
	const relative = scope.type === "relative_scope" ? collector.nameOf(scope) : undefined;
	const segments = named(scope, collector);
	if (relative === "self" || relative === "static") collector.call({ name, on: "self" });
	else if (segments) collector.call({ name, on: "path", path: segments });
	else collector.call({ name, on: "opaque" });
};

const creation: Visitor = (node, collector) => {
	const segments = named(childOf(node, "name", "qualified_name") ?? null, collector);
	const mention = segments && mentionOf(segments);
	if (mention && !["self", "static", "parent"].includes(mention.name)) collector.call(mention);
};

/** The file by its path (for `require`), and each class and function by its qualified name (for `use`). */
function modules(collector: SymbolCollector): ModuleName[] {
	const { namespace: own, path } = collector;
	const names = collector.noted("types").map((name) => (own === undefined ? name : `${own}\\${name}`));
	return [{ module: path, rank: 0 }, ...names.map((module) => ({ module, rank: 0 }))];
}

const BUILTINS = words(
	`abs array_filter array_key_exists array_keys array_map array_merge array_pop array_push array_reverse array_search
	array_shift array_slice array_unique array_values assert basename call_user_func ceil class_exists compact count date define
	defined dirname echo empty end explode extract fclose feof fgets file_exists file_get_contents file_put_contents floor
	fopen fprintf func_get_args function_exists fwrite get_class gettype htmlspecialchars implode in_array intval is_array
	is_bool is_callable is_dir is_file is_int is_null is_numeric is_object is_string isset iterator_to_array join json_decode
	json_encode key ksort list ltrim max mb_strlen mb_substr md5 method_exists microtime min mkdir number_format ob_start
	parse_url preg_match preg_match_all preg_quote preg_replace preg_replace_callback preg_split print print_r printf rand
	range realpath reset round rtrim serialize sha1 sleep sort spl_object_hash sprintf str_repeat str_replace str_contains
	str_starts_with strcmp strlen strpos strrpos strstr strtolower strtoupper strtotime strtr substr time trigger_error trim
	ucfirst ucwords unlink unserialize unset urlencode usort var_dump var_export get set has add remove all toArray map filter
	push merge first last each isEmpty format __construct __toString`,
	`ArrayAccess ArrayIterator ArrayObject Closure Countable DateInterval DateTime DateTimeImmutable DateTimeInterface DateTimeZone
	Error ErrorException Exception Generator InvalidArgumentException Iterator IteratorAggregate JsonSerializable LogicException
	OutOfBoundsException RuntimeException Serializable SplObjectStorage stdClass Stringable Throwable Traversable TypeError
	UnexpectedValueException BadMethodCallException`,
);

export const php: LanguageSpec = {
	grammar: "php",
	family: "php",
	leads: ["comment"],
	ignored: ["comment", "string", "namespace_use_declaration", "text"],
	builtins: BUILTINS,
	modules,
	memberModules: ({ namespace: own }) => [{ module: own ?? "", rank: 0 }],
	visitors: {
		namespace_definition: namespace,
		namespace_use_declaration: use,
		require_expression: include,
		require_once_expression: include,
		include_expression: include,
		include_once_expression: include,
		class_declaration: type("class", "class"),
		interface_declaration: type("interface", "type"),
		trait_declaration: type("trait", "class"),
		enum_declaration: type("enum", "class"),
		use_declaration: traitUse,
		function_definition: callable("function"),
		method_declaration: callable("method"),
		const_element: constants,
		function_call_expression: functionCall,
		member_call_expression: memberCall,
		nullsafe_member_call_expression: memberCall,
		scoped_call_expression: scopedCall,
		object_creation_expression: creation,
	},
};
