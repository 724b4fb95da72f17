import { LodeError } from "../../domain/errors.js";
import { type KeyStore, looksLikeKey } from "./key-store.js";
import { LOCAL, type Principal } from "./principal.js";
import type { TokenVerifier } from "./token-verifier.port.js";

/**
 * `required`: everybody has to say who they are. `auto`: once there was a key, or where an issuer is configured; before that whoever reaches this
 * machine's own address is its user. `off`: nobody is asked.
 */
export type Authentication = "auto" | "required" | "off";

export interface AuthenticatorPorts {
	readonly keys: Pick<KeyStore, "find" | "anyEver">;
	/** Where an issuer is configured. */
	readonly tokens?: TokenVerifier;
	readonly authentication: Authentication;
}

/** What a request shows, from its headers or the first message of a socket. */
export interface Credentials {
	/** `Bearer <key or token>`. */
	readonly authorization?: string;
	/** An API key alone: `X-API-Key`. */
	readonly apiKey?: string;
}

/** Tells who asks. */
export class Authenticator {
	constructor(private readonly ports: AuthenticatorPorts) {}

	/** Whether somebody who shows nothing is refused. */
	async required(): Promise<boolean> {
		const { authentication, tokens, keys } = this.ports;
		if (authentication !== "auto") return authentication === "required";
		return tokens !== undefined || (await keys.anyEver());
	}

	/** Whether anybody could show something that is accepted. */
	async possible(): Promise<boolean> {
		return this.ports.tokens !== undefined || (await this.ports.keys.anyEver());
	}

	/**
	 * A credential that is shown has to be valid, also where none is needed. `exposed`: one is needed whatever else holds, because others than the
	 * machine's own user may ask. @throws UNAUTHENTICATED
	 */
	async authenticate({ authorization, apiKey }: Credentials, exposed = false): Promise<Principal> {
		const credential = apiKey ?? bearer(authorization);
		if (credential === undefined) {
			if (authorization === undefined && !exposed && !(await this.required())) return LOCAL;
			throw unauthenticated("This needs an API key or a token.");
		}
		const principal = looksLikeKey(credential) ? await this.ports.keys.find(credential) : await this.#token(credential);
		if (principal === undefined) throw unauthenticated("The API key or token is not valid.");
		return principal;
	}

	async #token(token: string): Promise<Principal | undefined> {
		const verified = await this.ports.tokens?.verify(token);
		return verified && { id: `token:${verified.subject}`, kind: "token", grants: verified.grants };
	}
}

const bearer = (authorization: string | undefined): string | undefined =>
	/^Bearer ([\x21-\x7e]{1,16384})$/i.exec(authorization ?? "")?.[1];

/** Never says which of unknown, wrong, expired and revoked it is. */
const unauthenticated = (message: string): LodeError =>
	new LodeError("UNAUTHENTICATED", message, {
		next: "Send it as Authorization: Bearer …, or a key as X-API-Key. lode key create makes one.",
	});
