import type { Edge, EdgeKind, EntityKey, EntityState, ProvidedName } from "../../domain/entities.js";
import { fileKey, nameKey, symbolKey } from "../../domain/keys.js";
import type { ModuleName } from "./language-spec.js";
import { MentionResolver } from "./mention-resolver.js";
import { basename } from "./module-path.js";
import type { Definition, SymbolCollector } from "./symbol-collector.js";

/** Calls that one symbol may state; the first in key order are kept. */
const MAX_CALLS = 500;
/** How many enclosing packages may re-export a definition. */
const MAX_REEXPORTS = 3;

/** Edges of one state to be, without doubles. */
class EdgeSet {
	readonly #byKind = new Map<EdgeKind, Set<EntityKey>>();

	add(kind: EdgeKind, to: EntityKey): void {
		const targets = this.#byKind.get(kind);
		if (targets) targets.add(to);
		else this.#byKind.set(kind, new Set([to]));
	}

	build(): Edge[] {
		const edges: Edge[] = [];
		for (const kind of [...this.#byKind.keys()].sort()) {
			const targets = [...(this.#byKind.get(kind) ?? [])].sort();
			for (const to of kind === "CALLS" ? targets.slice(0, MAX_CALLS) : targets) edges.push({ kind, to });
		}
		return edges;
	}
}

/** The states of a file and its symbols, from what the walk found. The file's own properties are stated elsewhere. */
export function buildStates(collector: SymbolCollector, language: string): EntityState[] {
	const { source, path, spec } = collector;
	const kept = collector.definitions.filter((definition) => !isDropped(definition, collector));
	const byQualified = new Map<string, Definition>();
	const groups = new Map<string, Definition[]>();
	for (const definition of kept) {
		const group = groups.get(definition.qualified);
		if (group) group.push(definition);
		else groups.set(definition.qualified, [definition]);
	}
	for (const [qualified, group] of groups) {
		// The type stands for its `impl` blocks, wherever they are.
		const first = group.find(({ kind }) => kind !== "impl") ?? group[0];
		if (first) byQualified.set(qualified, first);
	}

	/** The nearest enclosing definition that has a state; undefined is the file. */
	const stated = (definition: Definition | undefined): Definition | undefined => {
		let at = definition;
		while (at !== undefined && !byQualified.has(at.qualified)) at = at.parent;
		return at && byQualified.get(at.qualified);
	};
	const edges = new Map<Definition | undefined, EdgeSet>([[undefined, new EdgeSet()]]);
	for (const definition of byQualified.values()) edges.set(definition, new EdgeSet());
	const add = (from: Definition | undefined, kind: EdgeKind, to: EntityKey) => edges.get(from)?.add(kind, to);
	const key = (definition: Definition) => symbolKey(source, path, definition.qualified);

	for (const definition of byQualified.values()) {
		const owner = byQualified.get(prefixOf(definition.qualified) ?? "");
		add(owner ?? stated(definition.parent), "DEFINES", key(definition));
	}
	for (const to of collector.imports) add(undefined, "IMPORTS", to);
	const resolver = new MentionResolver(collector, byQualified);
	for (const mention of collector.mentions) {
		const to = resolver.resolve(mention);
		const from = stated(mention.from);
		if (to !== undefined && !(mention.kind === "REFERENCES" && from && to === key(from))) add(from, mention.kind, to);
	}

	const modules = spec.modules(collector);
	const file: EntityState = {
		key: fileKey(source, path),
		kind: "file",
		name: basename(path),
		props: {},
		edges: edges.get(undefined)?.build() ?? [],
		provides: uniqueNames(
			modules.map(({ module, rank }) => ({ name: nameKey(source, "module", spec.family, module), rank })),
		),
	};
	const members = memberModules(collector, modules);
	const memberNames = memoizedMemberNames(collector, byQualified);
	const symbols = [...byQualified.values()].map((first): EntityState => {
		const group = groups.get(first.qualified) ?? [first];
		const count = group.filter(({ kind }) => kind === first.kind).length;
		return {
			key: key(first),
			kind: "symbol",
			name: first.name,
			props: {
				symbolKind: first.kind,
				qualified: first.qualified,
				language,
				path,
				startLine: first.startRow + 1,
				endLine: first.endRow + 1,
				signature: first.signature,
				...(first.doc === undefined ? {} : { doc: first.doc }),
				...(count > 1 ? { count } : {}),
			},
			edges: edges.get(first)?.build() ?? [],
			provides: uniqueNames(providesOf(group, collector, members, memberNames(first))),
		};
	});
	return [file, ...symbols];
}

function isDropped(definition: Definition, collector: SymbolCollector): boolean {
	return definition.onlyIfExported && definition.exportedAs.size === 0 && !collector.exports.has(definition.qualified);
}

const prefixOf = (qualified: string): string | undefined => {
	const dot = qualified.lastIndexOf(".");
	return dot < 0 ? undefined : qualified.slice(0, dot);
};

/** Top-level definitions rank before methods, definitions before declarations; what is local to a function has no name outside. */
function providesOf(
	group: readonly Definition[],
	collector: SymbolCollector,
	members: readonly ModuleName[],
	names: readonly string[],
): ProvidedName[] {
	const { source, spec } = collector;
	const visible = group.filter((definition) => !definition.local && !definition.fileLocal);
	if (visible.length === 0) return [];
	const declared = visible.every((definition) => definition.declaration) ? 1 : 0;
	const nested = visible.every((definition) => definition.qualified !== definition.name) ? 1 : 0;
	const provided: ProvidedName[] = [
		{ name: nameKey(source, "symbol", spec.family, (visible[0] as Definition).name), rank: nested + declared },
	];
	for (const { module, rank } of members) {
		for (const name of names) {
			// Nobody re-exports a default under that name.
			if (rank > 0 && spec.explicitExports && /^default(?:\.|$)/.test(name)) continue;
			provided.push({ name: nameKey(source, "member", spec.family, `${module}#${name}`), rank: rank + declared });
		}
	}
	return provided;
}

/**
 * The modules whose member a definition of this file may be, the file's own first. Where the language re-exports through
 * enclosing packages (`httpx/__init__.py`, `src/index.ts`), those as well, the nearer the better: an importer that names
 * `httpx.Client` is right that there is one, and this is the likeliest.
 */
function memberModules(collector: SymbolCollector, modules: readonly ModuleName[]): readonly ModuleName[] {
	const { spec } = collector;
	const own = spec.memberModules?.(collector) ?? modules.slice(0, 1);
	const separator = spec.reexportSeparator;
	if (separator === undefined) return own;
	return own.flatMap(({ module, rank }) => {
		const all = [{ module, rank }];
		let at = module;
		for (let level = 1; level <= MAX_REEXPORTS; level += 1) {
			const cut = at.lastIndexOf(separator);
			if (cut <= 0) break;
			at = at.slice(0, cut);
			// After what the package defines itself.
			all.push({ module: at, rank: rank + level + 1 });
		}
		return all;
	});
}

/** By which names importers know a definition: its own or those it is exported as, after those of the type around it. */
function memoizedMemberNames(collector: SymbolCollector, byQualified: ReadonlyMap<string, Definition>) {
	const known = new Map<string, readonly string[]>();
	return function namesOf(definition: Definition): readonly string[] {
		const before = known.get(definition.qualified);
		if (before) return before;
		const { explicitExports } = collector.spec;
		const prefix = prefixOf(definition.qualified);
		let names: readonly string[];
		if (definition.local || definition.fileLocal) names = [];
		else if (prefix === undefined) {
			const exported = new Set([...definition.exportedAs, ...(collector.exports.get(definition.name) ?? [])]);
			names = explicitExports ? [...exported].sort() : [definition.name];
		} else {
			const owner = byQualified.get(prefix);
			if (owner) names = namesOf(owner).map((name) => `${name}.${definition.name}`);
			else names = explicitExports ? [] : [definition.qualified];
		}
		known.set(definition.qualified, names);
		return names;
	};
}

/** One entry a name, the best rank, in order. */
function uniqueNames(provided: readonly ProvidedName[]): ProvidedName[] {
	const best = new Map<EntityKey, number>();
	for (const { name, rank } of provided) best.set(name, Math.min(rank, best.get(name) ?? rank));
	return [...best].map(([name, rank]) => ({ name, rank })).sort((a, b) => (a.name < b.name ? -1 : 1));
}
