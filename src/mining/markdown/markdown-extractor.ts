import { posix } from "node:path";
import type { Heading, Nodes } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import { gfmFromMarkdown } from "mdast-util-gfm";
import { toString as textOf } from "mdast-util-to-string";
import { gfm } from "micromark-extension-gfm";
import { sha256 } from "../../domain/digest.js";
import type { Edge, EntityKey, EntityState } from "../../domain/entities.js";
import { documentKey, fileKey, folderKey, nameKey, sectionKey } from "../../domain/keys.js";
import type { Skip } from "../../domain/mined-file.js";
import { LineIndex } from "../chunking/line-index.js";
import type { Extraction, Extractor, FileInput, Region } from "../extractor.js";
import { GithubSlugger } from "./github-slug.js";
import { linkTarget } from "./markdown-links.js";
import { markdownSlices } from "./markdown-slices.js";
import { ReferenceLabels } from "./reference-labels.js";

/** Characters. Longer documents are chunked plainly. */
const MAX_DOCUMENT = 1024 * 1024;
/** A slice with more marks than this takes about three seconds at worst; written by people it has a twentieth. */
const MAX_SLICE_MARKS = 6_000;
/** Quotes and lists inside each other on one line; micromark needs stack and quadratic time for each. */
const MAX_NESTING = 200;
/** Bounds the sum of squared marks over a document: about 8 s at worst; 1 MB written by people needs a third of it. */
const MAX_COST = 100_000_000;
const MAX_SECTIONS = 5_000;
const MAX_REFERENCES = 2_000;
const MAX_URLS = 200;

const SYNTAX = { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] };

/** A top-level heading, or (depth 0) the beginning of the document. */
interface Section {
	readonly key: EntityKey;
	readonly title: string;
	readonly depth: number;
	/** 0-based. */
	readonly line: number;
	readonly slug: string;
	readonly edges: Edge[];
}

/**
 * A document, its sections by headings (CONTAINS follows heading levels), and the links of each: REFERENCES leave from the
 * innermost section. Only headings at the top level make sections; those in quotes and lists still take part in numbering
 * anchors, as on GitHub.
 */
export const markdownExtractor: Extractor = {
	name: "markdown",
	version: 1,
	matches: (input) => input.language === "markdown" && input.text !== undefined,
	extract,
};

function extract(input: FileInput): Extraction {
	const text = input.text ?? "";
	if (text.length > MAX_DOCUMENT) {
		const detail = `sections are not read from Markdown of more than ${MAX_DOCUMENT} characters`;
		return { states: documentStates(input, "", [], new Set()), regions: [], skips: [{ reason: "too_large", detail }] };
	}
	const frontMatter = frontMatterOf(text);
	const lines = new LineIndex(frontMatter.blanked);
	const { sections, urls, skips } = readSections(input, lines);
	const title =
		frontMatter.title ||
		sections.find((section) => section.depth === 1)?.title ||
		sections.find((section) => section.depth > 0)?.title ||
		"";
	return {
		states: documentStates(input, title, sections, urls, lines),
		regions: sectionRegions(sections, lines),
		skips,
	};
}

function readSections(
	input: FileInput,
	lines: LineIndex,
): { sections: Section[]; urls: ReadonlySet<string>; skips: Skip[] } {
	const slugger = new GithubSlugger();
	const labels = new ReferenceLabels(lines.text);
	const urls = new Set<string>();
	const beginning: Section = {
		key: documentKey(input.source, input.path),
		title: "",
		depth: 0,
		line: 0,
		slug: "",
		edges: [],
	};
	const sections: Section[] = [beginning];
	let current = beginning;
	let unread = 0;
	let cost = 0;
	let references = 0;
	for (const slice of markdownSlices(lines)) {
		if (slice.marks > MAX_SLICE_MARKS || slice.nesting > MAX_NESTING || cost + slice.marks ** 2 > MAX_COST) {
			unread += slice.last - slice.first + 1;
			continue;
		}
		cost += slice.marks ** 2;
		const offset = lines.start(slice.first);
		const text = lines.text.slice(offset, lines.end(slice.last));
		const tree = fromMarkdown(text + labels.definitionsFor(text), SYNTAX);
		walk(tree, (node, topLevel) => {
			if (node.type === "heading") {
				const title = headingTitle(node);
				const slug = slugger.slug(title);
				if (!topLevel || sections.length > MAX_SECTIONS) return;
				const line = lines.lineAt(offset + (node.position?.start.offset ?? 0));
				const key = sectionKey(input.source, input.path, slug);
				current = { key, title: title || slug, depth: node.depth, line, slug, edges: [] };
				sections.push(current);
			} else if (node.type === "link" || node.type === "image" || node.type === "definition") {
				const target = linkTarget(input.path, node.url);
				if (target?.type === "url") urls.add(target.url);
				if (target?.type === "path" && references < MAX_REFERENCES) {
					references += 1;
					current.edges.push({ kind: "REFERENCES", to: nameKey(input.source, "path", "", target.path) });
				}
			}
		});
	}
	const detail = `${unread} lines have too many nested or repeated marks to be read as Markdown`;
	return { sections, urls, skips: unread === 0 ? [] : [{ reason: "nesting", detail }] };
}

/** Depth first in document order, without recursion: quotes and lists nest as deep as a line is long. */
function walk(root: Nodes, visit: (node: Nodes, topLevel: boolean) => void): void {
	const stack: { node: Nodes; depth: number }[] = [{ node: root, depth: 0 }];
	for (let entry = stack.pop(); entry !== undefined; entry = stack.pop()) {
		const { node, depth } = entry;
		visit(node, depth === 1);
		if (!("children" in node)) continue;
		for (let index = node.children.length - 1; index >= 0; index--) {
			const child = node.children[index];
			if (child !== undefined) stack.push({ node: child, depth: depth + 1 });
		}
	}
}

function headingTitle(heading: Heading): string {
	return textOf(heading, { includeHtml: false }).replace(/\s+/g, " ").trim();
}

function documentStates(
	input: FileInput,
	title: string,
	sections: readonly Section[],
	urls: ReadonlySet<string>,
	lines?: LineIndex,
): EntityState[] {
	const { source, path } = input;
	const key = documentKey(source, path);
	const basename = posix.basename(path);
	const edges: Edge[] = [...(sections[0]?.edges ?? [])];
	if (/^readme\.\w+$/i.test(basename)) {
		const folder = posix.dirname(path);
		edges.push({ kind: "DESCRIBES", to: folderKey(source, folder === "." ? "" : folder) });
	}
	const links = [...urls].sort().slice(0, MAX_URLS);
	const states = new Map<EntityKey, EntityState & { readonly edges: Edge[] }>();
	states.set(key, {
		key,
		kind: "document",
		name: title || basename,
		props: { path, title: title || basename, ...(links.length === 0 ? {} : { links }) },
		edges,
		provides: [],
	});
	const ancestors: Section[] = [];
	sections.forEach((section, index) => {
		if (section.depth === 0 || lines === undefined) return;
		while ((ancestors.at(-1)?.depth ?? 0) >= section.depth) ancestors.pop();
		const parent = states.get(ancestors.at(-1)?.key ?? key);
		parent?.edges.push({ kind: "CONTAINS", to: section.key });
		ancestors.push(section);
		const end = sections[index + 1]?.line ?? lines.count;
		const body = lines.text.slice(lines.start(section.line), lines.start(end));
		states.set(section.key, {
			key: section.key,
			kind: "section",
			name: section.title,
			// The hash tells a section that changed from one that only moved; line numbers would change with both.
			props: { path, anchor: section.slug, level: section.depth, hash: sha256(body).slice(0, 16) },
			edges: [...section.edges],
			provides: [],
		});
	});
	const file: EntityState = {
		key: fileKey(source, path),
		kind: "file",
		name: basename,
		props: {},
		edges: [{ kind: "DEFINES", to: key }],
		provides: [],
	};
	return [file, ...states.values()];
}

function sectionRegions(sections: readonly Section[], lines: LineIndex): Region[] {
	return sections.flatMap((section, index): Region[] => {
		if (section.depth === 0) return [];
		const endLine = sections[index + 1]?.line ?? lines.count;
		return [{ startLine: section.line + 1, endLine, kind: "section", symbol: section.title }];
	});
}

/** YAML front matter would read as a heading with a rule above it: replaced by spaces, so that all offsets stay. */
function frontMatterOf(text: string): { blanked: string; title: string } {
	const fence = /^---[ \t]*\r?\n/.exec(text);
	if (fence === null) return { blanked: text, title: "" };
	const closing = /^(?:---|\.\.\.)[ \t]*\r?$/m.exec(text.slice(fence[0].length, 20_000));
	if (closing === null) return { blanked: text, title: "" };
	const end = fence[0].length + closing.index + closing[0].length;
	const front = text.slice(0, end);
	const title =
		/^title:[ \t]*(\S.{0,300})$/m
			.exec(front)?.[1]
			?.trim()
			.replace(/^(["'])(.*)\1$/, "$2") ?? "";
	return { blanked: front.replace(/[^\n]/g, " ") + text.slice(end), title };
}
