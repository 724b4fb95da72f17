import { errorCode } from "../../domain/errors.js";
import type { ApiKey, ApiKeys, NewApiKey } from "./api-key.js";
import type { Audit, Audited } from "./audit.js";
import { forbidden, mayEverywhere, type Principal } from "./principal.js";

/** The keys as one principal may handle them: an admin of all sources, and each change is audited. */
export interface OwnApiKeys {
	/** @throws FORBIDDEN, USAGE */
	create(key: NewApiKey): ReturnType<ApiKeys["create"]>;
	/** @throws FORBIDDEN */
	list(): Promise<ApiKey[]>;
	/** @throws FORBIDDEN, KEY_NOT_FOUND */
	revoke(id: string): Promise<ApiKey>;
}

export function guardKeys(keys: ApiKeys, principal: Principal, audit: Audit): OwnApiKeys {
	const requireAdmin = (): void => {
		if (!mayEverywhere(principal, "admin")) throw forbidden("admin", "everywhere");
	};
	async function audited<T>(
		operation: Audited["operation"],
		change: () => Promise<T>,
		about: (changed: T) => string,
	): Promise<T> {
		try {
			requireAdmin();
			const changed = await change();
			await audit(principal, { operation, outcome: "done", about: about(changed) });
			return changed;
		} catch (error) {
			const code = errorCode(error) ?? "INTERNAL";
			await audit(principal, { operation, outcome: code === "FORBIDDEN" ? "denied" : "refused", code });
			throw error;
		}
	}
	return {
		create: (key) =>
			audited(
				"create-key",
				() => keys.create(key, principal.id),
				(made) => `key:${made.key.id}`,
			),
		async list() {
			requireAdmin();
			return keys.list();
		},
		revoke: (id) =>
			audited(
				"revoke-key",
				() => keys.revoke(id, principal.id),
				(key) => `key:${key.id}`,
			),
	};
}
