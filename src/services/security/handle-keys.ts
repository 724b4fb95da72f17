import { LodeError } from "../../domain/errors.js";
import { parseGrants } from "../../domain/roles.js";
import type { Catalog } from "../../stores/catalog/catalog.port.js";
import { matchSource } from "../reading/match-source.js";
import { readableSources } from "../recipe.js";
import type { ApiKey } from "./api-key.js";
import type { OwnApiKeys } from "./guarded-keys.js";

/** A key as people ask for one. */
export interface KeyRequest {
	readonly name: string;
	/** `admin`, `viewer:SOURCE`; a source by its id, a unique beginning of it, or its address. */
	readonly roles: readonly string[];
	/** `90d`, `12h`, or a time (ISO 8601). */
	readonly expires?: string;
	readonly requestsPerDay?: number;
}

/** API keys for whoever sits at the machine. */
export interface LodeKeys {
	/** `secret` is the key itself, which nobody can show again. @throws USAGE, SOURCE_NOT_FOUND */
	create(request: KeyRequest): Promise<{ readonly key: ApiKey; readonly secret: string }>;
	list(): Promise<ApiKey[]>;
	/** @throws KEY_NOT_FOUND */
	revoke(id: string): Promise<ApiKey>;
	close(): Promise<void>;
}

export function handleKeys(keys: OwnApiKeys, catalog: Pick<Catalog, "sources">, close: () => Promise<void>): LodeKeys {
	return {
		async create({ name, roles, expires, requestsPerDay }) {
			const sources = await readableSources(catalog);
			const exact = roles.map((text) => {
				const at = text.indexOf(":");
				const source = text.slice(at + 1);
				return at < 0 || source === "*" ? text : `${text.slice(0, at)}:${matchSource(sources, source).id}`;
			});
			const expiresAt = expires === undefined ? undefined : expiry(expires);
			const { key, secret } = await keys.create({ name, grants: parseGrants(exact), expiresAt, requestsPerDay });
			// Never a repeat: nothing says which request it would be one of.
			return { key, secret: secret as string };
		},
		list: keys.list,
		revoke: async (id) => (await keys.revoke(id)).key,
		close,
	};
}

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A time, or how long from now. @throws USAGE */
function expiry(text: string): string {
	const [, count, unit] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
	if (count !== undefined && unit !== undefined) {
		return new Date(Date.now() + Number(count) * (UNITS[unit] as number)).toISOString();
	}
	const time = /^\d{4}-\d{2}-\d{2}/.test(text) ? new Date(text) : new Date(Number.NaN);
	if (!Number.isNaN(time.getTime())) return time.toISOString();
	throw new LodeError("USAGE", `${JSON.stringify(text.slice(0, 80))} is no time`, {
		next: "give e.g. 90d, 12h or 2027-01-31T12:00:00Z",
	});
}
