import {
	type DocumentNode,
	type FieldNode,
	type FragmentDefinitionNode,
	type GraphQLSchema,
	Kind,
	type OperationDefinitionNode,
	type SelectionSetNode,
} from "graphql";
import { getArgumentValues } from "graphql/execution/values.js";
import { LodeError } from "../../domain/errors.js";
import { readCursor } from "./relay.js";

/** Which snapshot the fields of one operation ask for. */
export interface Wish {
	readonly at?: string;
	/** `at` comes from a cursor of a reader that had asked for no snapshot: what is no record in a store is shown as it is now. */
	readonly live: boolean;
	/** A source that a field with that `at` is about. */
	readonly source?: string;
	/** Each visibility token that a field waits for. */
	readonly minVisibility: readonly string[];
	/** Seconds. */
	readonly visibilityTimeout?: number;
}

/**
 * Reads `at` from the operation's own fields: one that names it speaks for all, a cursor stands for the snapshot that its page came from,
 * and two that differ are refused, because a request answers from one snapshot. Never throws: what is wrong is thrown where it is used.
 */
export function wishOf(
	schema: GraphQLSchema,
	document: DocumentNode,
	operation: OperationDefinitionNode,
	variables: Record<string, unknown>,
): { readonly wish: Wish } | { readonly problem: LodeError } {
	if (operation.operation !== "query") return { wish: { live: true, minVisibility: [] } };
	const type = schema.getQueryType();
	const fragments = new Map(
		document.definitions
			.filter((one): one is FragmentDefinitionNode => one.kind === Kind.FRAGMENT_DEFINITION)
			.map((fragment) => [fragment.name.value, fragment]),
	);
	const asked = new Map<string, string | undefined>();
	let live = true;
	const minVisibility = new Set<string>();
	let visibilityTimeout: number | undefined;
	try {
		for (const field of rootFields(operation.selectionSet, fragments, new Set())) {
			const definition = type?.getFields()[field.name.value];
			if (!definition) continue;
			const values = getArgumentValues(definition, field, variables) as Record<string, unknown>;
			const after = text(values.after);
			const cursor = after === undefined ? undefined : readCursor(after);
			const at = text(values.at) ?? cursor?.at;
			if (text(values.at) !== undefined || cursor?.live === false) live = false;
			if (at !== undefined) asked.set(at, asked.get(at) ?? text(values.source));
			const token = text(values.minVisibility);
			if (token !== undefined) minVisibility.add(token);
			if (typeof values.visibilityTimeout === "number") {
				visibilityTimeout = Math.max(visibilityTimeout ?? 0, values.visibilityTimeout);
			}
		}
	} catch (error) {
		return { problem: error as LodeError };
	}
	if (asked.size > 1) {
		const problem = new LodeError(
			"USAGE",
			`one request answers from one snapshot, and at is ${[...asked.keys()].join(" and ")}`,
			{
				next: "Give one at, or ask in two requests. A cursor belongs to the snapshot of its page.",
			},
		);
		return { problem };
	}
	const [only] = asked;
	return { wish: { at: only?.[0], live, source: only?.[1], minVisibility: [...minVisibility], visibilityTimeout } };
}

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

/** The fields that an operation begins with, those of its fragments too. */
export function* rootFields(
	set: SelectionSetNode,
	fragments: ReadonlyMap<string, FragmentDefinitionNode>,
	seen: Set<string>,
): Generator<FieldNode> {
	for (const selection of set.selections) {
		if (selection.kind === Kind.FIELD) yield selection;
		else if (selection.kind === Kind.INLINE_FRAGMENT) yield* rootFields(selection.selectionSet, fragments, seen);
		else {
			const fragment = fragments.get(selection.name.value);
			if (fragment === undefined || seen.has(selection.name.value)) continue;
			seen.add(selection.name.value);
			yield* rootFields(fragment.selectionSet, fragments, seen);
		}
	}
}
