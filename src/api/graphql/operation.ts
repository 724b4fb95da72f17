import {
	type DocumentNode,
	type ExecutionArgs,
	GraphQLError,
	type GraphQLSchema,
	getOperationAST,
	type OperationDefinitionNode,
	parse,
	specifiedRules,
	validate,
} from "graphql";
import { getVariableValues } from "graphql/execution/values.js";
import { costRule, LIMITS, SIZE_RULES, tooLarge } from "./limits.js";
import type { RequestRead } from "./request-read.js";
import { wishOf } from "./wish.js";

export interface OperationRequest {
	readonly query: string;
	readonly operationName?: string | null;
	readonly variables?: Record<string, unknown> | null;
}

/** What every resolver gets. */
export interface GraphqlContext extends Record<PropertyKey, unknown> {
	readonly read: RequestRead;
	/** Of a subscription: that nobody wants it any more. */
	readonly ending: AbortController;
}

export type PreparedOperation = Omit<ExecutionArgs, "contextValue"> & { readonly contextValue: GraphqlContext };

const MOST_ERRORS = 20;

/** Checks an operation, however it came, and gives it what it reads from. Returns what is wrong with it instead where something is. */
export function prepareOperation(
	schema: GraphQLSchema,
	{ query, operationName, variables }: OperationRequest,
	readFor: (wish: ReturnType<typeof wishOf>) => RequestRead,
): PreparedOperation | readonly GraphQLError[] {
	let document: DocumentNode;
	try {
		document = parse(query, { maxTokens: LIMITS.tokens });
	} catch (error) {
		const { message } = error as GraphQLError;
		return [
			message.includes("tokens")
				? tooLarge(`the operation has more than ${LIMITS.tokens} tokens`)
				: (error as GraphQLError),
		];
	}
	const errors = checked(schema, document, variables ?? undefined, operationName ?? undefined);
	if (errors.length > 0) return errors;
	const operation = getOperationAST(document, operationName ?? undefined) as OperationDefinitionNode;
	const { coerced } = getVariableValues(schema, operation.variableDefinitions ?? [], variables ?? {}, {
		maxErrors: MOST_ERRORS,
	});
	const read = readFor(wishOf(schema, document, operation, coerced ?? {}));
	return {
		schema,
		document,
		operationName,
		variableValues: variables,
		contextValue: { read, ending: new AbortController() },
	};
}

function checked(
	schema: GraphQLSchema,
	document: DocumentNode,
	variables: Record<string, unknown> | undefined,
	operationName: string | undefined,
): readonly GraphQLError[] {
	const options = { maxErrors: MOST_ERRORS };
	// In this order: the rules of the language compare fields in pairs, and the cost is reckoned from a document that is valid.
	const tooMuch = validate(schema, document, SIZE_RULES, options);
	if (tooMuch.length > 0) return tooMuch;
	const invalid = validate(schema, document, specifiedRules, options);
	if (invalid.length > 0) return invalid;
	const operation = getOperationAST(document, operationName);
	if (!operation) return [new GraphQLError("which operation is meant is missing: give operationName")];
	const values = getVariableValues(schema, operation.variableDefinitions ?? [], variables ?? {}, options);
	if (values.errors) return values.errors;
	try {
		return validate(schema, document, [costRule(variables, operationName)], options);
	} catch (error) {
		// Fragments of fragments have more fields than can be counted, however short the text is: that is thrown, not reported.
		if (error instanceof GraphQLError) return [tooLarge("the operation has too many fields to count")];
		throw error;
	}
}
