import { maxAliasesRule } from "@escape.tech/graphql-armor-max-aliases";
import { maxDepthRule } from "@escape.tech/graphql-armor-max-depth";
import { maxDirectivesRule } from "@escape.tech/graphql-armor-max-directives";
import { GraphQLError, type ValidationContext, type ValidationRule } from "graphql";
import { createComplexityRule, fieldExtensionsEstimator, simpleEstimator } from "graphql-query-complexity";

/** What one operation may be, whoever sends it. A page costs its size times what it asks of each item. */
export const LIMITS = { tokens: 2_000, depth: 16, aliases: 30, directives: 20, cost: 25_000 } as const;

/** An operation that is refused before anything of it runs. */
export function tooLarge(message: string): GraphQLError {
	return new GraphQLError(message, {
		extensions: { code: "QUERY_TOO_LARGE", next: "Ask for fewer fields, smaller pages, or in several requests." },
	});
}

/** The rules report what they find; left to themselves they throw, and say what was wrong as a syntax error. */
const reporting = (n: number, what: string) => ({
	n,
	propagateOnRejection: false,
	onReject: [
		(context: ValidationContext | null) =>
			void context?.reportError(tooLarge(`the operation has more than ${n} ${what}`)),
	],
});

/** Cheap rules, which end what the others would take long for. */
export const SIZE_RULES: readonly ValidationRule[] = [
	maxAliasesRule(reporting(LIMITS.aliases, "aliases")) as unknown as ValidationRule,
	maxDirectivesRule(reporting(LIMITS.directives, "directives")) as unknown as ValidationRule,
	maxDepthRule(reporting(LIMITS.depth, "levels")) as unknown as ValidationRule,
];

/** For documents that are valid: the estimate reads arguments. */
export function costRule(
	variables: Record<string, unknown> | undefined,
	operationName: string | undefined,
): ValidationRule {
	return createComplexityRule({
		maximumComplexity: LIMITS.cost,
		variables: variables ?? {},
		operationName,
		estimators: [fieldExtensionsEstimator(), simpleEstimator({ defaultComplexity: 1 })],
		createError: (most, cost) => tooLarge(`the operation costs ${cost}, more than ${most}`),
	}) as unknown as ValidationRule;
}
