import { GraphQLError } from "graphql";
import { redact } from "../../config/secret.js";
import { ERROR_CODES, errorCode, type LodeError } from "../../domain/errors.js";
import type { Log } from "../http-server.js";

/** Every error has Lode's code in `extensions.code`. What is no error of ours says nothing of itself: it may hold anything. */
export function errorFormatter(log: Log): (error: Readonly<GraphQLError | Error>) => GraphQLError {
	return (error) => {
		const { nodes, source, positions, path } = error as GraphQLError;
		const origin = (error as GraphQLError).originalError ?? (error instanceof GraphQLError ? undefined : error);
		const coded = (message: string, extensions: Record<string, unknown>) =>
			new GraphQLError(redact(message), { nodes, source, positions, path, extensions });
		if (origin === undefined || origin instanceof GraphQLError) {
			const { code = "USAGE", next } = { ...(error as GraphQLError).extensions } as { code?: string; next?: string };
			return coded(error.message, { code, ...(next !== undefined && { next }) });
		}
		const code = errorCode(origin);
		if (code === undefined || code === "INTERNAL") {
			// A client's own mistake in the request's form: graphql-http says what it is.
			if (path === undefined && !(error instanceof GraphQLError)) return coded(error.message, { code: "USAGE" });
			log({
				level: "error",
				message: "a field failed",
				path: path?.join("."),
				error: redact(origin.stack ?? origin.message),
			});
			return coded("Something in Lode failed. Its log has the details.", { code: "INTERNAL" });
		}
		const { next, fields } = origin as LodeError;
		return coded(origin.message, {
			code,
			retryable: !ERROR_CODES[code].permanent,
			...(next !== undefined && { next: redact(next) }),
			...(fields !== undefined && { fields: JSON.parse(redact(JSON.stringify(fields))) as typeof fields }),
		});
	};
}
