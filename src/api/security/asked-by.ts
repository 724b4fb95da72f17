import { AsyncLocalStorage } from "node:async_hooks";
import { LodeError } from "../../domain/errors.js";
import type { Principal } from "../../services/security/principal.js";

const asking = new AsyncLocalStorage<Principal>();

/** Runs what answers a request as the principal that sent it. */
export const askedAs = <T>(principal: Principal, run: () => T): T => asking.run(principal, run);

/** Whose request is being answered. Where nobody is known, nobody is served. @throws INTERNAL */
export function askedBy(): Principal {
	const principal = asking.getStore();
	if (principal !== undefined) return principal;
	throw new LodeError("INTERNAL", "services are asked for outside of a request");
}
