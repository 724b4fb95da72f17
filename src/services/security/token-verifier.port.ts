import type { Grants } from "../../domain/roles.js";

/** What a signed token says of whoever shows it. */
export interface VerifiedToken {
	readonly subject: string;
	readonly grants: Grants;
}

/** Checks tokens of the issuer that is configured. */
export interface TokenVerifier {
	/** Undefined where it is not one of the issuer's, not for us, or not valid now. @throws STORE_UNAVAILABLE where the issuer cannot be asked */
	verify(token: string): Promise<VerifiedToken | undefined>;
}
