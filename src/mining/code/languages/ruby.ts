import type { Node } from "web-tree-sitter";
import { packageKey } from "../../../domain/keys.js";
import type { LanguageSpec, ModuleName, Visitor } from "../language-spec.js";
import { dirname, resolvePath } from "../module-path.js";
import type { SymbolCollector } from "../symbol-collector.js";
import { mentionOf, namedChildren, onPath, pathOf, stringContent, words } from "./syntax.js";

/** By path without `.rb`, and below the last `lib` as `require` looks for it. */
function modules({ path }: SymbolCollector): ModuleName[] {
	const module = path.replace(/\.rb$/, "");
	const required = /^(?:.*\/)?lib\/(.+)$/.exec(module)?.[1];
	return required === undefined
		? [{ module, rank: 0 }]
		: [
				{ module, rank: 0 },
				{ module: required, rank: 1 },
			];
}

/** Library and gem share one search path, so `require "a/b"` may be either: the module `a/b`, and the gem `a`. */
function requireCall(method: string, node: Node, collector: SymbolCollector): void {
	const literal = node.childForFieldName("arguments")?.namedChild(0);
	const written =
		literal?.type === "string" ? stringContent(collector.textOf(literal))?.replace(/\.rb$/, "") : undefined;
	if (!written) return;
	if (method === "require_relative") {
		collector.importModule(resolvePath(dirname(collector.path), written) ?? "");
		return;
	}
	collector.importModule(written);
	const gem = written.split("/")[0] ?? written;
	if (method === "require" && !STANDARD.has(gem) && !/^[./]/.test(written)) collector.import(packageKey("gem", gem));
}

const CONSTANT: ReadonlySet<string> = new Set(["constant", "identifier"]);
const step = (node: Node) =>
	node.type === "scope_resolution"
		? { before: node.childForFieldName("scope"), name: node.childForFieldName("name") }
		: undefined;

const call: Visitor = (node, collector) => {
	const methodNode = node.childForFieldName("method");
	const receiver = node.childForFieldName("receiver");
	const name = collector.nameOf(methodNode);
	if (!name) return;
	if (!receiver) {
		if (/^(?:require|require_relative|load)$/.test(name)) requireCall(name, node, collector);
		else if (/^(?:include|extend|prepend)$/.test(name) && collector.inType) mixin(node, collector);
		else collector.call({ name, on: "bare" });
		return;
	}
	if (receiver.type === "self") {
		collector.call({ name, on: "self" });
		return;
	}
	const path = pathOf(receiver, (n) => collector.textOf(n), CONSTANT, step);
	const created = name === "new" && path ? mentionOf(path) : undefined;
	collector.call(created ?? onPath(name, path));
};

function mixin(node: Node, collector: SymbolCollector): void {
	const list = node.childForFieldName("arguments");
	for (const item of list ? namedChildren(list) : []) reference(item, collector);
}

function reference(node: Node, collector: SymbolCollector): void {
	const path = pathOf(node, (n) => collector.textOf(n), CONSTANT, step);
	const mention = path && mentionOf(path);
	if (mention && /^\p{Lu}/u.test(mention.name)) collector.mention("REFERENCES", mention);
}

/** `class A::B` is B in A, also where A is of another file. */
const type =
	(kind: "class" | "module"): Visitor =>
	(node, collector) => {
		const nameNode = node.childForFieldName("name");
		const path = pathOf(nameNode, (n) => collector.textOf(n), CONSTANT, step);
		const name = path?.at(-1);
		if (!nameNode || !path || !name) return;
		const outside = path.slice(0, -1);
		const owner = [collector.scope?.qualified, ...outside].filter((part) => part !== undefined).join(".");
		const placed = outside.length > 0 ? { owner } : {};
		collector.define({ name, kind, nameNode, node, region: "class", ...placed });
		const superclass = node.childForFieldName("superclass")?.namedChild(0);
		if (superclass) reference(superclass, collector);
	};

const method: Visitor = (node, collector) => {
	const nameNode = node.childForFieldName("name");
	const name = collector.nameOf(nameNode);
	if (!nameNode || !name) return;
	const kind = collector.inType ? "method" : "function";
	collector.define({
		name,
		kind,
		nameNode,
		node,
		region: kind,
		parameters: node.childForFieldName("parameters"),
	});
};

const assignment: Visitor = (node, collector) => {
	const left = node.childForFieldName("left");
	const name = left?.type === "constant" ? collector.nameOf(left) : undefined;
	if (left && name && !collector.insideFunction) collector.define({ name, kind: "constant", nameNode: left, node });
};

const STANDARD =
	words(`abbrev base64 benchmark bigdecimal bundler cgi coverage csv date delegate digest English erb etc fiddle
	fileutils find forwardable io ipaddr irb json logger matrix minitest monitor mutex_m net objspace observer open-uri open3
	openssl optparse ostruct pathname pp prettyprint prime pstore psych racc rake rbconfig readline reline resolv ripper rss rubygems
	securerandom set shellwords singleton socket stringio strscan syslog tempfile thread time timeout tmpdir tracer tsort un
	uri weakref yaml zlib`);

const BUILTINS = words(
	`abort all any append attr_accessor attr_reader attr_writer block_given call capitalize catch class clone collect compact
	concat count define_method delete detect downcase dup each each_pair each_with_index each_with_object empty end_with exit
	extend fail fetch find find_all first flatten format freeze gsub include inject insert inspect instance_of instance_variable_get
	instance_variable_set is_a join key keys kind_of lambda last length load loop map max merge message method_missing min
	module_function new nil none now object_id open p parse pop pp prepend present print printf private private_class_method
	proc protected public public_send push puts raise rand read reduce reject replace require require_relative respond_to
	reverse round scan select send shift size sleep slice sort sort_by split sprintf start_with strip sub sum super tap then
	throw times to_a to_h to_i to_s to_sym transform_values upcase uniq values warn with_index write yield zip initialize
	describe it context expect let before after`,
	`Array BasicObject Class Comparable Enumerable Exception Float Hash Integer Kernel Module NilClass Numeric Object Proc Range
	Regexp StandardError String Struct Symbol Time ArgumentError RuntimeError TypeError NameError NoMethodError KeyError
	IndexError IOError NotImplementedError File Dir IO`,
);

export const ruby: LanguageSpec = {
	grammar: "ruby",
	family: "ruby",
	leads: ["comment"],
	ignored: ["comment", "string_content"],
	builtins: BUILTINS,
	implicitSelf: true,
	modules,
	memberModules: () => [],
	visitors: {
		call,
		class: type("class"),
		module: type("module"),
		method,
		singleton_method: method,
		assignment,
	},
};
