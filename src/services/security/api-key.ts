import type { Grants } from "../../domain/roles.js";

/** An API key as everybody may see it: the secret is shown once, when it is made. */
export interface ApiKey {
	/** What events call it, and what it is revoked by; also the middle part of the key itself. */
	readonly id: string;
	readonly name: string;
	/** As they were given: `viewer:shop-66101d4f3727`, `admin`. */
	readonly roles: readonly string[];
	/** ISO 8601, UTC, as the other times. */
	readonly createdAt: string;
	/** The principal that made it. */
	readonly createdBy: string;
	/** Null: never. */
	readonly expiresAt: string | null;
	readonly revokedAt: string | null;
	/** Null: as many as the rate allows. */
	readonly requestsPerDay: number | null;
	/** A day (UTC): `2026-11-27`. Null: not yet. */
	readonly lastUsedOn: string | null;
}

export interface NewApiKey {
	readonly name: string;
	readonly grants: Grants;
	/** ISO 8601. */
	readonly expiresAt?: string;
	readonly requestsPerDay?: number;
}

export interface ChangedKey {
	readonly key: ApiKey;
	/** A read that waits for it sees the change. */
	readonly visibilityToken: string;
}

export interface CreatedKey extends ChangedKey {
	/** The key itself: nobody can show it again. Null where this request was answered before. */
	readonly secret: string | null;
}

/** API keys, for whoever may give them out. */
export interface ApiKeys {
	/**
	 * With an idempotency key that this principal has used before it makes none, and returns the first one without its secret.
	 * @throws USAGE, IDEMPOTENCY_KEY_REUSED (for another request)
	 */
	create(key: NewApiKey, by: string, idempotencyKey?: string): Promise<CreatedKey>;
	/** Oldest first, revoked and expired ones too. */
	list(): Promise<ApiKey[]>;
	/** Refused from now on here, within a second by other processes. A repeat is no error. @throws KEY_NOT_FOUND */
	revoke(id: string, by: string): Promise<ChangedKey>;
}
