import type { Connection } from "@temporalio/client";
import { LodeError } from "../../src/domain/errors.js";
import { GRPC, grpcCode } from "./grpc-codes.js";

/** What the Temporal Web UI can filter and sort by. */
export const SEARCH_ATTRIBUTES = { LodeSource: "Keyword", LodeCommit: "Keyword", LodeStage: "Keyword" } as const;

/** temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD */
const KEYWORD = 2;

/** Throws what the server answered where it does not let the client look. */
export async function missingSearchAttributes(
	connection: Pick<Connection, "operatorService">,
	namespace: string,
): Promise<string[]> {
	const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
	const present = new Set(Object.keys(customAttributes ?? {}));
	return Object.keys(SEARCH_ATTRIBUTES).filter((name) => !present.has(name));
}

/**
 * Makes sure that the namespace has Lode's search attributes: a server of somebody else, or one on an older database file, may lack them,
 * and then refuses to start workflows.
 * @throws PERMISSION_DENIED when some are missing and may not be added, with the command an operator can run; TEMPORAL_UNAVAILABLE
 */
export async function ensureSearchAttributes(
	connection: Pick<Connection, "operatorService">,
	namespace: string,
	report: (line: string) => void,
): Promise<void> {
	let missing: readonly string[];
	try {
		missing = await missingSearchAttributes(connection, namespace);
	} catch (error) {
		const code = grpcCode(error);
		if (code !== GRPC.PERMISSION_DENIED && code !== GRPC.UNIMPLEMENTED && code !== GRPC.UNAUTHENTICATED) {
			throw new LodeError("TEMPORAL_UNAVAILABLE", `asking Temporal for the search attributes of ${namespace} failed`, {
				next: "Check that the namespace exists and that the server is well.",
				cause: error,
			});
		}
		// They may all be there: the server just does not let this client look.
		report(`Temporal does not let Lode see the search attributes of ${namespace}; ${byHand(namespace)}`);
		return;
	}
	if (missing.length === 0) return;
	try {
		await connection.operatorService.addSearchAttributes({
			namespace,
			searchAttributes: Object.fromEntries(missing.map((name) => [name, KEYWORD])),
		});
	} catch (error) {
		if (grpcCode(error) === GRPC.ALREADY_EXISTS) return;
		throw new LodeError(
			"PERMISSION_DENIED",
			`adding search attributes (${missing.join(", ")}) to ${namespace} failed`,
			{
				next: byHand(namespace),
				cause: error,
			},
		);
	}
}

function byHand(namespace: string): string {
	const names = Object.keys(SEARCH_ATTRIBUTES).map((name) => `--name ${name}`);
	return `an operator can add them: temporal operator search-attribute create --namespace ${namespace} --type Keyword ${names.join(" ")}`;
}
