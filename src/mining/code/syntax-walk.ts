import type { Language, Tree } from "web-tree-sitter";
import type { LanguageSpec, Visitor } from "./language-spec.js";
import type { Lead, SymbolCollector } from "./symbol-collector.js";

/** What the walk does at a node type, beside descending. */
interface Action {
	readonly visit: Visitor | undefined;
	readonly lead: boolean;
	readonly wrapper: boolean;
	readonly ignored: boolean;
}

interface Plan {
	/** By node type id. */
	readonly actions: readonly (Action | undefined)[];
	readonly named: readonly boolean[];
}

/** Plans belong to a loaded grammar: its type ids are their index. */
const plans = new WeakMap<Language, Map<LanguageSpec, Plan>>();

function planFor(language: Language, spec: LanguageSpec): Plan {
	let ofLanguage = plans.get(language);
	if (ofLanguage === undefined) {
		ofLanguage = new Map();
		plans.set(language, ofLanguage);
	}
	let plan = ofLanguage.get(spec);
	if (plan === undefined) {
		const leads = new Set(spec.leads);
		const wrappers = new Set(spec.wrappers);
		const ignored = new Set(spec.ignored);
		const named = language.types.map((_, id) => language.nodeTypeIsNamed(id));
		const actions = language.types.map((type, id): Action | undefined => {
			const visit = Object.hasOwn(spec.visitors, type) ? spec.visitors[type] : undefined;
			const action = { visit, lead: leads.has(type), wrapper: wrappers.has(type), ignored: ignored.has(type) };
			return named[id] && (action.visit || action.lead || action.wrapper || action.ignored) ? action : undefined;
		});
		plan = { actions, named };
		ofLanguage.set(spec, plan);
	}
	return plan;
}

/**
 * One pass over the tree with a cursor: no recursion, and a node object only where a visitor wants one. Keeps, per depth, the
 * comments and decorators that stand directly before the next sibling.
 */
export function walkSyntax(tree: Tree, language: Language, collector: SymbolCollector): void {
	const { actions, named } = planFor(language, collector.spec);
	const { text } = collector;
	const leads: (Lead | undefined)[] = [undefined];
	/** Depths whose lead comes from a wrapper: it stays until a definition takes it. */
	const sticky: boolean[] = [false];
	const types: number[] = [];
	let depth = 0;
	const visit = (visitor: Visitor): void => {
		collector.depth = depth;
		collector.parentType = (depth > 0 && language.types[types[depth - 1] ?? 0]) || "";
		visitor(cursor.currentNode, collector);
	};
	const cursor = tree.walk();
	try {
		for (;;) {
			const type = cursor.nodeTypeId;
			const isNamed = named[type] ?? true;
			const action = actions[type];
			let inherited: Lead | undefined;
			if (isNamed) {
				if (action?.lead) {
					leads[depth] = extendLead(leads[depth], sticky[depth] ?? false);
				} else {
					if (action?.wrapper) {
						inherited = wrapperLead(leads[depth]);
					}
					collector.lead = leads[depth];
					collector.leadUsed = false;
					if (action?.visit) visit(action.visit);
					if (!sticky[depth] || collector.leadUsed) leads[depth] = undefined;
				}
				if (action?.lead && action.visit) visit(action.visit);
			}
			if (isNamed && !action?.ignored && cursor.gotoFirstChild()) {
				types[depth] = type;
				depth += 1;
				leads[depth] = inherited;
				sticky[depth] = inherited !== undefined;
				continue;
			}
			collector.leave(depth);
			while (!cursor.gotoNextSibling()) {
				if (!cursor.gotoParent()) return;
				depth -= 1;
				collector.leave(depth);
			}
		}
	} finally {
		cursor.delete();
	}

	function extendLead(before: Lead | undefined, inWrapper: boolean): Lead | undefined {
		const { row, column } = cursor.startPosition;
		const startIndex = cursor.startIndex;
		const end = cursor.endPosition;
		const endRow = end.column === 0 && end.row > row ? end.row - 1 : end.row;
		const joins = before !== undefined && before.endRow + 1 >= row;
		// A comment behind code on its line belongs to that code.
		if (!joins && !isBlank(text, startIndex - column, startIndex)) return before;
		const endIndex = cursor.endIndex;
		if (!joins) return { startRow: row, endRow, startIndex, endIndex, wrapperIndex: undefined };
		return { ...before, endRow: inWrapper ? before.endRow : endRow, endIndex };
	}

	function wrapperLead(before: Lead | undefined): Lead {
		const { row } = cursor.startPosition;
		const index = cursor.startIndex;
		const joins = before !== undefined && before.endRow + 1 >= row;
		return {
			startRow: joins ? before.startRow : row,
			endRow: Number.MAX_SAFE_INTEGER - 1,
			startIndex: joins ? before.startIndex : index,
			endIndex: joins ? before.endIndex : index,
			wrapperIndex: before?.wrapperIndex ?? index,
		};
	}
}

function isBlank(text: string, from: number, to: number): boolean {
	// Far to the right there is code before it, or nobody reads it.
	if (to - from > 400) return false;
	for (let i = from; i < to; i += 1) {
		const code = text.charCodeAt(i);
		if (code !== 0x20 && code !== 0x09 && code !== 0xfeff) return false;
	}
	return true;
}
