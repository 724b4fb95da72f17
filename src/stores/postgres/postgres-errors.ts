import { type ErrorCode, errorCode, LodeError } from "../../domain/errors.js";
import { describePostgres, type PostgresOptions } from "./postgres-options.js";

/** Of a server's error the five characters of SQLSTATE, of the system's error its name. */
function codeOf(error: unknown): string {
	for (let current = error; typeof current === "object" && current !== null; ) {
		if ("code" in current && typeof current.code === "string" && current.code !== "") return current.code;
		// Several addresses of one name that all refused.
		const inner = "errors" in current && Array.isArray(current.errors) ? (current.errors[0] as unknown) : undefined;
		current = inner ?? ("cause" in current ? current.cause : undefined);
	}
	return "";
}

/**
 * What pg or the server threw, as one of ours. Messages name the place, never a value that was bound.
 * Codes: https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export function postgresError(error: unknown, options: PostgresOptions): LodeError {
	if (errorCode(error) !== undefined) return error as LodeError;
	const place = describePostgres(options);
	const code = codeOf(error);
	const said = error instanceof Error ? error.message : String(error);
	const make = (to: ErrorCode, why: string, next: string) =>
		new LodeError(to, `Postgres at ${place} ${why}`, { next, cause: error });
	switch (code) {
		case "28P01":
		case "28000":
			return make(
				"PERMISSION_DENIED",
				"refuses the user or the password",
				"Correct LODE_POSTGRES_PASSWORD, or the user in LODE_POSTGRES_URL.",
			);
		case "3D000":
			return make("CONFIG_INVALID", "has no such database", "Create it, or correct the database in LODE_POSTGRES_URL.");
		case "42501":
			return make(
				"PERMISSION_DENIED",
				`does not permit it: ${said}`,
				"Grant the user of LODE_POSTGRES_URL CREATE on the database, or all on the schema of LODE_INSTALLATION.",
			);
		case "54000":
			return make(
				"INGESTION_FAILED",
				`cannot index a text that long: ${said}`,
				"A path of the commit is longer than about 2,600 bytes: shorten it, or use LODE_CATALOG=sqlite.",
			);
		case "53100":
			return make("DISK_FULL", "has no disk space left", "Free some space on that server.");
		case "53300":
			return make(
				"STORE_UNAVAILABLE",
				"has no connection left",
				"Lower LODE_POSTGRES_POOL_SIZE, or raise max_connections of the server.",
			);
		case "XX001":
		case "XX002":
			return make("STORE_CORRUPT", `says that its data is damaged: ${said}`, "Restore the database from a backup.");
		case "ENOTFOUND":
		case "EAI_AGAIN":
			return make("STORE_UNAVAILABLE", "is no host that is known here", "Correct the host in LODE_POSTGRES_URL.");
	}
	if (/^(08|57|40|55P03)/.test(code) || code.startsWith("E") || isLost(said)) {
		return make(
			"STORE_UNAVAILABLE",
			`does not answer (${code || said})`,
			"Start that server, or correct host and port in LODE_POSTGRES_URL.",
		);
	}
	if (/certificate|SSL|TLS/i.test(said)) {
		return make(
			"STORE_UNAVAILABLE",
			`cannot be reached by TLS: ${said}`,
			"Correct sslmode in LODE_POSTGRES_URL or LODE_POSTGRES_CA_FILE.",
		);
	}
	return make("INTERNAL", `failed: ${code} ${said}`, "See the log of that server.");
}

/** What pg says without a code when the connection went away or did not come up. */
function isLost(message: string): boolean {
	return /timeout|terminated|closed|not queryable|ended/i.test(message);
}
