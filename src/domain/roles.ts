import { LodeError } from "./errors.js";

/** What somebody may do, each more than the one before: read; ingest and steer what is there; add and delete sources. */
export const ROLES = ["viewer", "editor", "admin"] as const;
export type Role = (typeof ROLES)[number];

/** Stands for every source, those that come later too. */
export const ALL_SOURCES = "*";

/** The role on each source, by its id or `ALL_SOURCES`. */
export type Grants = Readonly<Record<string, Role>>;

export const isAtLeast = (role: Role | undefined, least: Role): boolean =>
	role !== undefined && ROLES.indexOf(role) >= ROLES.indexOf(least);

/** What `parseGrants` reads. */
export const GRANT = /^(viewer|editor|admin)(?::(\*|[A-Za-z0-9._-]{1,200}))?$/;
const MOST_GRANTS = 1_000;

/** `viewer:shop-66101d4f3727` is the role on one source, `viewer` alone that on all of them. The highest counts. @throws USAGE */
export function parseGrants(texts: readonly string[]): Grants {
	if (texts.length > MOST_GRANTS) throw new LodeError("USAGE", `more than ${MOST_GRANTS} roles`);
	const grants = new Map<string, Role>();
	for (const text of texts) {
		const [, role, source = ALL_SOURCES] = GRANT.exec(text) ?? [];
		if (role === undefined) {
			throw new LodeError("USAGE", `${JSON.stringify(text.slice(0, 80))} is no role`, {
				next: "give viewer, editor or admin, and behind a colon the id of a source where it is one's only, e.g. viewer:shop-66101d4f3727",
			});
		}
		if (!isAtLeast(grants.get(source), role as Role)) grants.set(source, role as Role);
	}
	return Object.fromEntries([...grants].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The reverse. */
export const grantTexts = (grants: Grants): string[] =>
	Object.entries(grants).map(([source, role]) => (source === ALL_SOURCES ? role : `${role}:${source}`));
