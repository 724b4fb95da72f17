/** Bounded: each costs a look-up. */
const MAX_NAMES = 8;
const MAX_QUERY = 4_000;
const DOTTED = /[\p{L}_$][\p{L}\p{N}_$]*(?:\.[\p{L}_$][\p{L}\p{N}_$]*)*/gu;

export interface QuerySymbols {
	/** The whole query is this one name. */
	readonly only: string | undefined;
	/** Words of the query that are written like code: `camelCase`, `snake_case`, `dotted.name`, `called()`, or in backticks. */
	readonly named: readonly string[];
}

/** Which words of a query name symbols. A plain word among others does not: `request` is a word before it is a function. */
export function querySymbols(query: string): QuerySymbols {
	const text = query.slice(0, MAX_QUERY);
	const whole = text.trim().replace(/^`|`$|\(\)$/g, "");
	const only = whole.match(DOTTED)?.[0] === whole && whole !== "" ? whole : undefined;
	const named = new Set<string>();
	for (const match of text.matchAll(DOTTED)) {
		const name = match[0];
		const before = text[match.index - 1];
		const after = text.slice(match.index + name.length, match.index + name.length + 2);
		const quoted = before === "`" && after.startsWith("`");
		const shaped = /_|\p{Ll}\p{Lu}|\./u.test(name) && /\p{L}/u.test(name);
		if (quoted || shaped || after === "()") named.add(name.replace(/\.$/, ""));
		if (named.size >= MAX_NAMES) break;
	}
	return { only, named: [...named] };
}
