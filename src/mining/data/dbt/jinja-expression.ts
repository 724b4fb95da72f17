/**
 * The small part of Jinja's expressions that decides which columns a model has: literals, names, lists, `loop.last`, comparisons,
 * `a if b else c`, `~`, a few filters. Everything else is `undefined`: unknown, never guessed. Nothing here can reach the host.
 */

export type JinjaValue = string | number | boolean | null | readonly JinjaValue[] | ReadonlyMap<string, JinjaValue>;
/** Undefined: not known from this file alone. */
export type Maybe = JinjaValue | undefined;
export type Scope = ReadonlyMap<string, Maybe>;

const MAX_EXPRESSION = 5_000;
const MAX_DEPTH = 40;
const MAX_STRING = 20_000;
const MAX_LIST = 1_000;
const TOKEN =
	/\s*(?:('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(\d+(?:\.\d+)?)|([A-Za-z_]\w*)|(==|!=|<=|>=|\*\*|\/\/|[-+*/%~|().,:[\]{}<>=]))/y;

export function evaluate(expression: string, scope: Scope): Maybe {
	const tokens = expression.length > MAX_EXPRESSION ? undefined : tokensOf(expression);
	if (tokens === undefined) return undefined;
	const parser = new Parser(tokens, scope);
	const value = parser.ternary(0);
	return parser.finished ? value : undefined;
}

export function truth(value: Maybe): boolean | undefined {
	if (value === undefined) return undefined;
	if (Array.isArray(value)) return value.length > 0;
	if (value instanceof Map) return value.size > 0;
	return Boolean(value);
}

export function printed(value: Maybe): string | undefined {
	if (typeof value === "string") return value;
	if (typeof value === "boolean") return value ? "True" : "False";
	return typeof value === "number" ? String(value) : undefined;
}

type Token = { readonly kind: "string" | "number" | "name" | "mark"; readonly text: string };

function tokensOf(expression: string): Token[] | undefined {
	const tokens: Token[] = [];
	const trimmed = expression.trimEnd();
	TOKEN.lastIndex = 0;
	while (TOKEN.lastIndex < trimmed.length) {
		const match = TOKEN.exec(trimmed);
		if (match === null) return undefined;
		if (match[1] !== undefined) tokens.push({ kind: "string", text: match[1].slice(1, -1).replace(/\\(.)/g, "$1") });
		else if (match[2] !== undefined) tokens.push({ kind: "number", text: match[2] });
		else if (match[3] !== undefined) tokens.push({ kind: "name", text: match[3] });
		else tokens.push({ kind: "mark", text: match[4] as string });
	}
	return tokens;
}

/** Recursive descent; a construct that it does not know ends the parse early, and `finished` tells. */
class Parser {
	#at = 0;
	#broken = false;

	constructor(
		readonly tokens: readonly Token[],
		readonly scope: Scope,
	) {}

	get finished(): boolean {
		return !this.#broken && this.#at === this.tokens.length;
	}

	ternary(depth: number): Maybe {
		const value = this.#or(depth);
		if (!this.#take("name", "if")) return value;
		const condition = truth(this.#or(depth));
		const other = this.#take("name", "else") ? this.ternary(depth + 1) : "";
		return condition === undefined ? undefined : condition ? value : other;
	}

	#or(depth: number): Maybe {
		let value = this.#and(depth);
		while (this.#take("name", "or")) {
			const other = this.#and(depth);
			const known = truth(value);
			value = known === undefined ? undefined : known ? value : other;
		}
		return value;
	}

	#and(depth: number): Maybe {
		let value = this.#not(depth);
		while (this.#take("name", "and")) {
			const other = this.#not(depth);
			const known = truth(value);
			value = known === undefined ? undefined : known ? other : value;
		}
		return value;
	}

	#not(depth: number): Maybe {
		let negations = 0;
		while (this.#take("name", "not")) negations += 1;
		const value = this.#comparison(depth);
		if (negations === 0) return value;
		const known = truth(value);
		return known === undefined ? undefined : negations % 2 === 1 ? !known : known;
	}

	#comparison(depth: number): Maybe {
		const left = this.#concatenation(depth);
		const equal = this.#take("mark", "==");
		if (equal || this.#take("mark", "!=")) {
			const right = this.#concatenation(depth);
			return left === undefined || right === undefined ? undefined : (left === right) === equal;
		}
		const negated = this.#take("name", "not");
		if (!this.#take("name", "in")) {
			if (negated) this.#broken = true;
			return left;
		}
		const right = this.#concatenation(depth);
		if (left === undefined || !Array.isArray(right) || right.includes(undefined)) return undefined;
		return right.includes(left) !== negated;
	}

	#concatenation(depth: number): Maybe {
		let value = this.#postfix(depth);
		for (;;) {
			const joins = this.#take("mark", "~");
			if (!joins && !this.#take("mark", "+")) return value;
			const other = this.#postfix(depth);
			if (Array.isArray(value) && Array.isArray(other)) {
				value = value.length + other.length > MAX_LIST ? undefined : [...value, ...other];
			} else if (joins || (typeof value === "string" && typeof other === "string")) value = text(value, other);
			else value = typeof value === "number" && typeof other === "number" ? value + other : undefined;
		}
	}

	#postfix(depth: number): Maybe {
		let value = this.#primary(depth);
		for (;;) {
			if (this.#take("mark", ".")) value = this.#member(value, this.#name(), depth);
			else if (this.#take("mark", "|")) value = this.#filter(value, depth);
			else if (this.#take("mark", "(")) {
				this.#list(")", depth);
				value = undefined;
			} else if (this.#take("mark", "[")) {
				const index = this.#list("]", depth)[0];
				if (Array.isArray(value) && typeof index === "number") value = value.at(index);
				else value = value instanceof Map && typeof index === "string" ? value.get(index) : undefined;
			} else return value;
		}
	}

	#member(value: Maybe, name: string, depth: number): Maybe {
		if (!this.#take("mark", "(")) return value instanceof Map ? value.get(name) : undefined;
		const args = this.#list(")", depth);
		if (value instanceof Map && args.length === 0) {
			if (name === "items") return [...value.entries()];
			if (name === "keys") return [...value.keys()];
			if (name === "values") return [...value.values()];
		}
		return this.#applied(name, value, args);
	}

	#filter(value: Maybe, depth: number): Maybe {
		const name = this.#name();
		return this.#applied(name, value, this.#take("mark", "(") ? this.#list(")", depth) : []);
	}

	#applied(name: string, value: Maybe, args: readonly Maybe[]): Maybe {
		if (Array.isArray(value)) {
			if (name === "join" && value.every((item) => typeof item === "string")) {
				return value.join(typeof args[0] === "string" ? args[0] : "").slice(0, MAX_STRING);
			}
			return name === "length" || name === "count" ? value.length : name === "list" ? value : undefined;
		}
		if (typeof value !== "string") return undefined;
		if (name === "upper") return value.toUpperCase();
		if (name === "lower") return value.toLowerCase();
		if (name === "trim" || name === "strip" || name === "string") return value.trim();
		const [from, to] = args;
		if (name === "replace" && typeof from === "string" && typeof to === "string" && from !== "") {
			return value.length * (to.length + 1) > MAX_STRING * 10 ? undefined : value.replaceAll(from, to);
		}
		return undefined;
	}

	#primary(depth: number): Maybe {
		const token = this.tokens[this.#at];
		if (token === undefined || depth > MAX_DEPTH) {
			this.#broken = true;
			return undefined;
		}
		this.#at += 1;
		if (token.kind === "string") return token.text;
		if (token.kind === "number") return Number(token.text);
		if (token.kind === "name") return this.#named(token.text);
		if (token.text === "[") return known(this.#list("]", depth));
		if (token.text === "{") return this.#dictionary(depth);
		if (token.text === "(") {
			const items = this.#list(")", depth);
			return items.length === 1 ? items[0] : known(items);
		}
		this.#broken = true;
		return undefined;
	}

	#named(name: string): Maybe {
		const constants: Readonly<Record<string, JinjaValue>> = { true: true, false: false, none: null };
		const lower = name.toLowerCase();
		if (Object.hasOwn(constants, lower)) return constants[lower];
		return this.scope.get(name);
	}

	/** Items up to the closing mark; `name=value` of a call counts as its value. */
	#list(close: string, depth: number): Maybe[] {
		const items: Maybe[] = [];
		while (!this.#broken && !this.#take("mark", close)) {
			items.push(this.ternary(depth + 1));
			if (this.#take("mark", "=")) items[items.length - 1] = this.ternary(depth + 1);
			if (!this.#take("mark", ",") && this.tokens[this.#at]?.text !== close) this.#broken = true;
		}
		return items;
	}

	#dictionary(depth: number): Maybe {
		const entries = new Map<string, JinjaValue>();
		let complete = true;
		while (!this.#broken && !this.#take("mark", "}")) {
			const key = this.ternary(depth + 1);
			if (!this.#take("mark", ":")) this.#broken = true;
			const value = this.#broken ? undefined : this.ternary(depth + 1);
			if (typeof key === "string" && value !== undefined) entries.set(key, value);
			else complete = false;
			if (!this.#take("mark", ",") && this.tokens[this.#at]?.text !== "}") this.#broken = true;
		}
		return complete ? entries : undefined;
	}

	#name(): string {
		const token = this.tokens[this.#at];
		if (token?.kind !== "name") {
			this.#broken = true;
			return "";
		}
		this.#at += 1;
		return token.text;
	}

	#take(kind: Token["kind"], text: string): boolean {
		const token = this.tokens[this.#at];
		if (token?.kind !== kind || token.text !== text) return false;
		this.#at += 1;
		return true;
	}
}

function known(items: readonly Maybe[]): Maybe {
	return items.every((item) => item !== undefined) ? (items as readonly JinjaValue[]) : undefined;
}

function text(left: Maybe, right: Maybe): Maybe {
	const [a, b] = [printed(left), printed(right)];
	return a === undefined || b === undefined ? undefined : (a + b).slice(0, MAX_STRING);
}
