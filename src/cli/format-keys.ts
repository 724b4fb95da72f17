import type { ApiKey } from "../services/security/api-key.js";
import { table } from "./format.js";

export function keysText(keys: readonly ApiKey[]): string {
	if (keys.length === 0) return "No API keys";
	const rows = keys.map((key) => [key.id, key.name, key.roles.join(" "), stateOf(key), key.lastUsedOn ?? "never"]);
	return table(["key", "name", "roles", "state", "last used"], rows);
}

function stateOf({ expiresAt, revokedAt }: ApiKey): string {
	if (revokedAt !== null) return `revoked ${revokedAt.slice(0, 10)}`;
	if (expiresAt === null) return "valid";
	return `${Date.parse(expiresAt) <= Date.now() ? "expired" : "until"} ${expiresAt.slice(0, 10)}`;
}
