import { isCancellation } from "@temporalio/workflow";
import type { Failure } from "../stores/catalog/catalog.port.js";

/** The innermost coded failure of a chain (activity failure → application failure), as it is shown to people. */
export function failureOf(error: unknown): Failure {
	if (isCancellation(error)) return { code: "CANCELLED", message: "cancelled by a user", next: "lode retry" };
	let found: Failure = { code: "INTERNAL", message: error instanceof Error ? error.message : String(error) };
	let current: unknown = error;
	while (current instanceof Error) {
		if (current.name === "ApplicationFailure") {
			const { type, details } = current as Error & { type?: string | null; details?: unknown[] | null };
			const first = details?.[0];
			const next =
				typeof first === "object" && first !== null && "next" in first && typeof first.next === "string"
					? first.next
					: undefined;
			found = { code: type ?? "INTERNAL", message: current.message, next };
			break;
		}
		current = current.cause;
	}
	return found;
}
