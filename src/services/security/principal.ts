import { LodeError } from "../../domain/errors.js";
import { ALL_SOURCES, type Grants, isAtLeast, type Role } from "../../domain/roles.js";

/** Who asks. */
export interface Principal {
	/** What events call it: `local`, `key:<id>` or `token:<subject>`. Never the credential. */
	readonly id: string;
	/** `local`: nobody is asked here, so whoever may reach the process may do what its user may. */
	readonly kind: "local" | "key" | "token";
	readonly grants: Grants;
	/** Of an API key: requests that it may send a day (UTC). */
	readonly requestsPerDay?: number;
}

/** Who works on the machine itself, and everybody where nobody is asked. */
export const LOCAL: Principal = { id: "local", kind: "local", grants: { [ALL_SOURCES]: "admin" } };

/** The role on one source. */
export function roleOn({ grants }: Principal, source: string): Role | undefined {
	const [own, everywhere] = [grants[source], grants[ALL_SOURCES]];
	return everywhere === undefined || (own !== undefined && isAtLeast(own, everywhere)) ? own : everywhere;
}

export const mayOn = (principal: Principal, least: Role, source: string): boolean =>
	isAtLeast(roleOn(principal, source), least);

/** On every source, those that come later too. */
export const mayEverywhere = ({ grants }: Principal, least: Role): boolean => isAtLeast(grants[ALL_SOURCES], least);

/** On some source at least. */
export const maySomewhere = ({ grants }: Principal, least: Role): boolean =>
	Object.values(grants).some((role) => isAtLeast(role, least));

/** The sources that are named in its grants: all that it may see where it has none on all sources. */
export const grantedSources = ({ grants }: Principal): string[] =>
	Object.keys(grants).filter((source) => source !== ALL_SOURCES);

/** What is known to be there, and is not this principal's to do. */
export function forbidden(least: Role, where: "here" | "everywhere" | "somewhere"): LodeError {
	const place = { here: " on this source", everywhere: " on all sources", somewhere: "" }[where];
	return new LodeError("FORBIDDEN", `this needs the role ${least}${place}`, {
		next: "Ask whoever gives out keys here for one that may.",
	});
}
