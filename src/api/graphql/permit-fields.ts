import { type FragmentDefinitionNode, getOperationAST, Kind, type OperationDefinitionNode } from "graphql";
import { graphqlOperation } from "../../services/security/operations.js";
import { forbidden } from "../../services/security/principal.js";
import type { PreparedOperation } from "./operation.js";
import { rootFields } from "./wish.js";

const TYPES = { query: "Query", mutation: "Mutation", subscription: "Subscription" } as const;

/**
 * Every field of an operation that is an operation of its own, before any of them runs: a principal that may not do one of them does none. What says
 * how the schema looks is for whoever may ask at all. @throws FORBIDDEN
 */
export async function permitFields({ document, operationName, contextValue }: PreparedOperation): Promise<void> {
	const operation = getOperationAST(document, operationName ?? undefined) as OperationDefinitionNode;
	const fragments = new Map(
		document.definitions
			.filter((one): one is FragmentDefinitionNode => one.kind === Kind.FRAGMENT_DEFINITION)
			.map((fragment) => [fragment.name.value, fragment]),
	);
	const names = new Set<string>();
	for (const field of rootFields(operation.selectionSet, fragments, new Set())) names.add(field.name.value);
	for (const field of names) {
		if (field.startsWith("__")) continue;
		const name = graphqlOperation(TYPES[operation.operation], field);
		if (name === undefined) throw forbidden("admin", "everywhere");
		await contextValue.read.services.permit(name);
	}
}
