import type { EntityKey } from "../../domain/entities.js";
import { nameKey, symbolKey } from "../../domain/keys.js";
import type { Binding } from "./language-spec.js";
import { type Definition, isFunction, isType, type Mentioned, type SymbolCollector } from "./symbol-collector.js";

/** Shorter names mean too many things. */
const MIN_CALL_NAME = 3;

/**
 * What a mention may point to, in this order: a definition of the same file (its own key), an import (the member name of the
 * module it comes from), any symbol of that name. The link step decides about names.
 */
export class MentionResolver {
	readonly #collector: SymbolCollector;
	readonly #byQualified: ReadonlyMap<string, Definition>;
	readonly #ownModule: string | undefined;

	constructor(collector: SymbolCollector, byQualified: ReadonlyMap<string, Definition>) {
		this.#collector = collector;
		this.#byQualified = byQualified;
		this.#ownModule = collector.spec.modules(collector)[0]?.module;
	}

	resolve(mention: Mentioned): EntityKey | undefined {
		const { from, name } = mention;
		const path = mention.path ?? [];
		if (mention.on === "bare") return this.#bare(mention);
		if (mention.on === "self" || (path.length === 1 && from?.selfName !== undefined && path[0] === from.selfName)) {
			return (from?.owner === undefined ? undefined : this.#own(`${from.owner}.${name}`)) ?? this.#anywhere(mention);
		}
		if (mention.on === "path" && path[0] !== undefined) return this.#path(mention, path[0], path.slice(1));
		return this.#anywhere(mention);
	}

	#own(qualified: string): EntityKey | undefined {
		const definition = this.#byQualified.get(qualified);
		return definition && symbolKey(this.#collector.source, this.#collector.path, definition.qualified);
	}

	/** Looks outwards through the scopes in which the language lets a bare name be seen. */
	#inScope(from: Definition | undefined, dotted: string): EntityKey | undefined {
		const { implicitSelf } = this.#collector.spec;
		for (let scope = from; scope !== undefined; scope = scope.parent) {
			if (!isFunction(scope) && scope.kind !== "module" && !(implicitSelf && isType(scope))) continue;
			const found = this.#own(`${scope.qualified}.${dotted}`);
			if (found) return found;
		}
		const member = implicitSelf && from?.owner !== undefined ? this.#own(`${from.owner}.${dotted}`) : undefined;
		return member ?? this.#own(dotted);
	}

	#bare(mention: Mentioned): EntityKey | undefined {
		const { name, from } = mention;
		const own = this.#inScope(from, name);
		if (own) return own;
		const binding = this.#collector.bindings.get(name);
		if (binding) return this.#member(binding.module, binding.member ?? "default");
		const { spec } = this.#collector;
		if (spec.callableParameters && mention.kind === "CALLS" && this.#isParameter(from, name)) return undefined;
		if (!spec.packageScope || this.#ownModule === undefined) return this.#anywhere(mention);
		return this.#isCommon(mention) ? undefined : this.#member(this.#ownModule, name);
	}

	#path(mention: Mentioned, first: string, rest: readonly string[]): EntityKey | undefined {
		const collector = this.#collector;
		const own = this.#inScope(mention.from, [first, ...rest, mention.name].join("."));
		if (own) return own;
		const binding = collector.bindings.get(first) ?? collector.spec.rootOf?.(first, collector);
		return binding ? this.#through(binding, rest, mention.name) : this.#anywhere(mention);
	}

	#through(binding: Binding, rest: readonly string[], name: string): EntityKey {
		const separator = this.#collector.spec.submoduleSeparator;
		let module = binding.module;
		const path = binding.member === undefined ? [...rest] : [binding.member, ...rest];
		while (separator !== undefined && path[0] !== undefined && !/^\p{Lu}/u.test(path[0])) {
			module = module === "" ? path[0] : `${module}${separator}${path[0]}`;
			path.shift();
		}
		return this.#member(module, [...path, name].join("."));
	}

	#member(module: string, member: string): EntityKey {
		return nameKey(this.#collector.source, "member", this.#collector.spec.family, `${module}#${member}`);
	}

	#anywhere(mention: Mentioned): EntityKey | undefined {
		if (this.#isCommon(mention)) return undefined;
		return nameKey(this.#collector.source, "symbol", this.#collector.spec.family, mention.name);
	}

	#isCommon({ kind, name }: Mentioned): boolean {
		return (kind === "CALLS" && name.length < MIN_CALL_NAME) || this.#collector.spec.builtins.has(name);
	}

	/** Whether an enclosing function has a parameter of this name: then a call of it calls whatever was passed. */
	#isParameter(from: Definition | undefined, name: string): boolean {
		for (let scope = from; scope !== undefined; scope = scope.parent) {
			if (scope.parameters && containsWord(this.#collector.text, scope.parameters, name)) return true;
		}
		return false;
	}
}

const WORD = /[\p{L}\p{N}_$]/u;
const MAX_PARAMETERS = 2_000;

function containsWord(text: string, [start, end]: readonly [number, number], word: string): boolean {
	const list = text.slice(start, Math.min(end, start + MAX_PARAMETERS));
	for (let at = list.indexOf(word); at >= 0; at = list.indexOf(word, at + 1)) {
		if (!WORD.test(list[at - 1] ?? " ") && !WORD.test(list[at + word.length] ?? " ")) return true;
	}
	return false;
}
