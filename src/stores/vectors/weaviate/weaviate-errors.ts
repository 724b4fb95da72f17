import { type ErrorCode, errorCode, LodeError } from "../../../domain/errors.js";

/** What the client, HTTP or gRPC say, the causes included. */
function everythingSaid(error: unknown): string {
	const said: string[] = [];
	for (let current = error; typeof current === "object" && current !== null && said.length < 8; ) {
		if ("name" in current) said.push(String(current.name));
		if ("code" in current) said.push(String(current.code));
		if ("message" in current) said.push(String(current.message));
		current = "cause" in current ? current.cause : undefined;
	}
	return said.join(" ");
}

/** Worth another try by itself. */
export const isPassing = (error: unknown): boolean =>
	/429|502|503|504|RESOURCE_EXHAUSTED|ECONNRESET|EPIPE|socket hang up|too many requests|leader|raft|transferring/i.test(
		everythingSaid(error),
	);

/** A server that comes up takes requests before it has loaded its collections, and then says that there are none. */
const isLoading = (said: string): boolean =>
	/non-?existing index|no such (index|class)|index .*not found|find class|class .*not found|not found in schema/i.test(
		said,
	);

/** Of a collection that Weaviate lists and cannot ask yet. */
export const isUnknown = (error: unknown): boolean => isLoading(everythingSaid(error));

/** What Weaviate answers for each object of a batch while it goes down or comes up: the batch itself is answered, nothing of it is stored. */
export const isInterrupted = (message: string): boolean =>
	isLoading(message) ||
	/shut ?down|shutting down|context (canceled|deadline)|not ready|unavailable|connection|rpc error|loading/i.test(
		message,
	);

/** Maps what the client threw. The operation is named, never a text that a repository holds. */
export function weaviateError(
	error: unknown,
	places: { url: string; grpcAddress: string },
	operation: string,
): LodeError {
	if (errorCode(error) !== undefined) return error as LodeError;
	const said = everythingSaid(error);
	const make = (code: ErrorCode, why: string, next: string) =>
		new LodeError(code, `Cannot ${operation} in Weaviate at ${places.url}: ${why}`, { next, cause: error });
	if (/Unauthenticated|unauthorized|\b401\b/i.test(said))
		return make("PERMISSION_DENIED", "it does not accept the API key", "Correct LODE_WEAVIATE_API_KEY.");
	if (/InsufficientPermissions|Permission_?Denied|\b403\b|forbidden/i.test(said))
		return make(
			"PERMISSION_DENIED",
			"the owner of the API key may not do that",
			"Give the owner of LODE_WEAVIATE_API_KEY the right to create, read, change and write collections.",
		);
	if (/no space left|disk usage|read-?only/i.test(said))
		return make("DISK_FULL", "its disk is full or nearly so", "Free some space on that server.");
	if (/WeaviateGRPCUnavailable/i.test(said))
		return make(
			"STORE_UNAVAILABLE",
			`its gRPC at ${places.grpcAddress} does not answer`,
			"Correct LODE_WEAVIATE_GRPC_ADDRESS.",
		);
	if (
		isPassing(error) ||
		/ECONN|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|UNAVAILABLE|DEADLINE|CANCELLED|fetch failed|StartUp|RequestTimeout|timed? ?out|not ready|shutting down|connection/i.test(
			said,
		)
	)
		return make(
			"STORE_UNAVAILABLE",
			"it does not answer",
			"Start that server, or correct LODE_WEAVIATE_URL and LODE_WEAVIATE_GRPC_ADDRESS.",
		);
	if (isLoading(said))
		return make(
			"STORE_UNAVAILABLE",
			"it does not know a collection of Lode's",
			"Wait until it has started. If somebody deleted the collection, run `lode rebuild --replace`.",
		);
	return make("INTERNAL", "it refused the request", "Look at the log of that server.");
}
