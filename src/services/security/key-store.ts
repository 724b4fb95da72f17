import { randomBytes, timingSafeEqual } from "node:crypto";
import { canonicalJson, sha256 } from "../../domain/digest.js";
import { LodeError } from "../../domain/errors.js";
import { type Grants, grantTexts, parseGrants } from "../../domain/roles.js";
import type { EventStore, StoredEvent } from "../../stores/events/events.port.js";
import { idempotencyKeyReused } from "../commands/command-log.js";
import { visibilityToken } from "../commands/visibility.js";
import type { ApiKey, ApiKeys, ChangedKey, CreatedKey, NewApiKey } from "./api-key.js";
import { LAST_USED, usageStream } from "./key-usage.js";
import type { Principal } from "./principal.js";

const STREAM = "api-keys";
const CREATED = "ApiKeyCreated";
const REVOKED = "ApiKeyRevoked";

/** `lode_`, 12 hex digits that name it, and 256 random bits. */
const KEY = /^lode_([0-9a-f]{12})_([A-Za-z0-9_-]{43})$/;
const NAME = /^[^\p{Cc}]{1,200}$/u;

/** Another process may have made or revoked keys: so old is what is known at most. Milliseconds. */
const FRESH_MS = 1_000;

interface StoredKey extends Omit<ApiKey, "lastUsedOn"> {
	readonly grants: Grants;
	/** SHA-256 of the secret part, hex. Of 256 random bits nothing slower is needed: there is nothing to guess from. */
	readonly hash: string;
}

/** Whether it is meant to be an API key, valid or not. */
export const looksLikeKey = (credential: string): boolean => credential.startsWith("lode_");

/**
 * API keys as events: the archive keeps them, so that a rebuild has them again, and the log says who made and who revoked each. The events hold
 * a hash of the key's secret part.
 */
export class KeyStore implements ApiKeys {
	readonly #keys = new Map<string, StoredKey>();
	#version = 0;
	#readAt = Number.NEGATIVE_INFINITY;
	#reading: Promise<void> | undefined;

	constructor(
		private readonly events: Pick<EventStore, "append" | "read" | "latest">,
		/** Milliseconds since 1970. */
		private readonly now: () => number = Date.now,
	) {}

	/** Whether there ever was one: whoever revokes the last one does not mean that everybody may do everything again. */
	async anyEver(): Promise<boolean> {
		await this.#read(this.#keys.size > 0 ? Number.POSITIVE_INFINITY : FRESH_MS);
		return this.#keys.size > 0;
	}

	/** Undefined for one that is not valid: unknown, wrong, revoked or expired. */
	async find(credential: string): Promise<Principal | undefined> {
		const [, id, secret] = KEY.exec(credential) ?? [];
		if (id === undefined || secret === undefined) return undefined;
		// One that is not known may have been made this moment. However many such there are, one question at a time is asked.
		await this.#read(this.#keys.has(id) ? FRESH_MS : 0);
		const key = this.#keys.get(id);
		const [given, kept] = [sha256(secret), key?.hash ?? sha256("")].map((hash) => Buffer.from(hash, "hex"));
		const same = timingSafeEqual(given as Buffer, kept as Buffer);
		if (!same || key === undefined || key.revokedAt !== null) return undefined;
		if (key.expiresAt !== null && Date.parse(key.expiresAt) <= this.now()) return undefined;
		const { grants, requestsPerDay } = key;
		return { id: `key:${id}`, kind: "key", grants, ...(requestsPerDay !== null && { requestsPerDay }) };
	}

	async create(
		{ name, grants, expiresAt, requestsPerDay }: NewApiKey,
		by: string,
		idempotencyKey?: string,
	): Promise<CreatedKey> {
		if (!NAME.test(name)) throw new LodeError("USAGE", "name: must be 1 to 200 characters without control characters");
		if (Object.keys(grants).length === 0) throw new LodeError("USAGE", "roles: must be at least one");
		const expiry = expiresAt === undefined ? undefined : new Date(expiresAt);
		if (expiry !== undefined && !(expiry.getTime() > this.now())) {
			throw new LodeError("USAGE", "expires: must be a time to come");
		}
		const id = randomBytes(6).toString("hex");
		const secret = randomBytes(32).toString("base64url");
		const data = {
			id,
			name,
			roles: grantTexts(grants),
			hash: sha256(secret),
			expiresAt: expiry?.toISOString() ?? null,
			requestsPerDay: requestsPerDay ?? null,
			by,
		};
		// Everybody has idempotency keys of their own.
		const once = idempotencyKey === undefined ? id : sha256(canonicalJson([by, idempotencyKey]));
		const first = await this.#append(CREATED, id, data, once);
		requireSame(first.data, data);
		const visibilityToken = tokenOf(first);
		if (first.data.id !== id) return { key: await this.#shown(String(first.data.id)), secret: null, visibilityToken };
		return { key: await this.#shown(id), secret: `lode_${id}_${secret}`, visibilityToken };
	}

	async list(): Promise<ApiKey[]> {
		await this.#read(0);
		return Promise.all([...this.#keys.keys()].map((id) => this.#shown(id)));
	}

	async revoke(id: string, by: string): Promise<ChangedKey> {
		await this.#read(0);
		if (!this.#keys.has(id)) {
			throw new LodeError("KEY_NOT_FOUND", `there is no API key ${id.slice(0, 80)}`, {
				next: "list them: lode key list",
			});
		}
		const told = await this.#append(REVOKED, id, { id, by });
		return { key: await this.#shown(id), visibilityToken: tokenOf(told) };
	}

	/** The first event of its kind that has this name. */
	async #append(type: string, id: string, data: StoredEvent["data"], once = id): Promise<StoredEvent> {
		const metadata = { correlationId: `key:${id}`, idempotencyKey: `${type}/${once}` };
		const [first] = await this.events.append(STREAM, "any", [{ type, data, metadata }]);
		await this.#read(0);
		return first as StoredEvent;
	}

	async #shown(id: string): Promise<ApiKey> {
		const { hash: _, grants: __, ...key } = this.#keys.get(id) as StoredKey;
		const [used] = await this.events.latest(1, { stream: usageStream(id), types: [LAST_USED] });
		return { ...key, lastUsedOn: used === undefined ? null : String(used.data.day) };
	}

	/** Reads what was appended since, unless that was done less than `freshMs` ago. */
	async #read(freshMs: number): Promise<void> {
		if (performance.now() - this.#readAt < freshMs) return;
		// One that began before may have read before what is looked for was appended.
		if (freshMs === 0) await this.#reading;
		this.#reading ??= this.#fold().finally(() => {
			this.#reading = undefined;
		});
		await this.#reading;
	}

	async #fold(): Promise<void> {
		const startedAt = performance.now();
		for (const { type, data, time, version } of await this.events.read(STREAM, this.#version + 1)) {
			const id = String(data.id);
			const key = this.#keys.get(id);
			if (type === CREATED) this.#keys.set(id, keyOf(data, time));
			if (type === REVOKED && key !== undefined) this.#keys.set(id, { ...key, revokedAt: time });
			this.#version = version;
		}
		this.#readAt = startedAt;
	}
}

const tokenOf = ({ position }: StoredEvent): string => visibilityToken({ by: "event", position });

/** What was asked for, without what is made up each time. @throws IDEMPOTENCY_KEY_REUSED */
function requireSame(first: StoredEvent["data"], now: StoredEvent["data"]): void {
	const asked = ({ name, roles, expiresAt, requestsPerDay }: StoredEvent["data"]) =>
		canonicalJson({ name, roles, expiresAt, requestsPerDay } as StoredEvent["data"]);
	if (asked(first) !== asked(now)) throw idempotencyKeyReused();
}

function keyOf(data: StoredEvent["data"], createdAt: string): StoredKey {
	const { id, name, roles, hash, expiresAt, requestsPerDay, by } = data as unknown as StoredKey & {
		readonly by: string;
	};
	const grants = parseGrants(roles);
	return { id, name, roles, grants, hash, createdAt, createdBy: by, expiresAt, revokedAt: null, requestsPerDay };
}
