import { errorCode } from "../../domain/errors.js";
import type { ApiKey, ApiKeys, ChangedKey, CreatedKey, NewApiKey } from "./api-key.js";
import type { Audit, Audited } from "./audit.js";
import { forbidden, mayEverywhere, type Principal } from "./principal.js";

/** The keys as one principal may handle them: an admin of all sources, and each change is audited. */
export interface OwnApiKeys {
	/** @throws FORBIDDEN, USAGE, IDEMPOTENCY_KEY_REUSED */
	create(key: NewApiKey, idempotencyKey?: string): Promise<CreatedKey>;
	/** @throws FORBIDDEN */
	list(): Promise<ApiKey[]>;
	/** @throws FORBIDDEN, KEY_NOT_FOUND */
	revoke(id: string): Promise<ChangedKey>;
}

export function guardKeys(keys: ApiKeys, principal: Principal, audit: Audit): OwnApiKeys {
	const requireAdmin = (): void => {
		if (!mayEverywhere(principal, "admin")) throw forbidden("admin", "everywhere");
	};
	/** A repeat changes nothing, and is told nothing of. */
	async function audited<T extends ChangedKey & Partial<CreatedKey>>(
		operation: Audited["operation"],
		change: () => Promise<T>,
	): Promise<T> {
		try {
			requireAdmin();
			const changed = await change();
			const repeated = changed.secret === null;
			if (!repeated) await audit(principal, { operation, outcome: "done", about: `key:${changed.key.id}` });
			return changed;
		} catch (error) {
			const code = errorCode(error) ?? "INTERNAL";
			await audit(principal, { operation, outcome: code === "FORBIDDEN" ? "denied" : "refused", code });
			throw error;
		}
	}
	return {
		create: (key, idempotencyKey) => audited("create-key", () => keys.create(key, principal.id, idempotencyKey)),
		async list() {
			requireAdmin();
			return keys.list();
		},
		revoke: (id) => audited("revoke-key", () => keys.revoke(id, principal.id)),
	};
}
