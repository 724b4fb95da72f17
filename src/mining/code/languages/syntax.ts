import type { Node } from "web-tree-sitter";
import type { Mention } from "../language-spec.js";

/** Deeper receivers (`a.b.c.d.e()`) are chains of values, not of modules. */
const MAX_PATH = 4;

/** First child of one of these types. Children are few at the nodes this is asked of. */
export function childOf(node: Node, ...types: readonly string[]): Node | undefined {
	for (let i = 0; i < node.namedChildCount && i < 64; i += 1) {
		const child = node.namedChild(i);
		if (child && types.includes(child.type)) return child;
	}
	return undefined;
}

/** The named children, at most 1,000: lists longer than that are generated. */
export function namedChildren(node: Node): Node[] {
	const children: Node[] = [];
	for (let i = 0; i < node.namedChildCount && i < 1_000; i += 1) {
		const child = node.namedChild(i);
		if (child) children.push(child);
	}
	return children;
}

/**
 * A chain of identifiers as a list, or undefined where it is any other expression. `step` splits the node of one link into what is
 * before its last name, and that name.
 */
export function pathOf(
	node: Node | null,
	textOf: (node: Node) => string,
	identifiers: ReadonlySet<string>,
	step: (node: Node) => { before: Node | null; name: Node | null } | undefined,
): string[] | undefined {
	const path: string[] = [];
	let at = node;
	while (at !== null && path.length < MAX_PATH) {
		if (identifiers.has(at.type)) return [textOf(at), ...path];
		const link = step(at);
		if (!link?.name) return undefined;
		path.unshift(textOf(link.name));
		at = link.before;
	}
	return undefined;
}

/** The mention of `name` on a receiver that is a path, or on one that is not. */
export function onPath(name: string, path: readonly string[] | undefined): Mention {
	return path === undefined ? { name, on: "opaque" } : { name, on: "path", path };
}

/** A dotted or scoped name as a mention: the last segment on the path before it. */
export function mentionOf(segments: readonly string[]): Mention | undefined {
	const name = segments.at(-1);
	if (name === undefined || name === "") return undefined;
	return segments.length === 1 ? { name, on: "bare" } : { name, on: "path", path: segments.slice(0, -1) };
}

/** The content of a string literal without its quotes; undefined for templates and anything with a line break. */
export function stringContent(literal: string): string | undefined {
	const content = /^[a-zA-Z]{0,2}(["'`])([^"'`\n]{0,500})\1$/.exec(literal)?.[2];
	return content?.includes("${") ? undefined : content;
}

export const words = (...lists: readonly string[]): ReadonlySet<string> =>
	new Set(lists.flatMap((list) => list.split(/\s+/)).filter((word) => word !== ""));
