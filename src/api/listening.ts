import { isIP } from "node:net";
import { LodeError } from "../domain/errors.js";
import type { OpenedServices } from "../services/lode.js";
import type { Authentication } from "../services/security/authenticator.js";

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|::1|\[::1\])$/i;

export const isLoopback = (host: string): boolean => LOOPBACK.test(host);

/**
 * Beyond this machine nobody is served who does not say who they are, unless whoever runs it says that something before it decides. Where nobody
 * could say it, listening would serve nobody. `opened`: undefined where the stores are away, so that keys cannot be looked for. @throws CONFIG_INVALID
 */
export async function requireListenable(
	{ host, allowAnonymous, authentication }: { host: string; allowAnonymous: boolean; authentication: Authentication },
	opened: () => Promise<OpenedServices | undefined>,
): Promise<void> {
	if (isLoopback(host) || allowAnonymous) return;
	const refused = (why: string) =>
		new LodeError("CONFIG_INVALID", `LODE_API_HOST: ${host} is reachable from other machines, and ${why}`, {
			next: "Make a key first: lode key create NAME --role admin; or set LODE_OIDC_ISSUER, or use 127.0.0.1. LODE_API_ALLOW_ANONYMOUS=true is for where something before it decides who may ask.",
		});
	if (authentication === "off") throw refused("LODE_API_AUTHENTICATION=off asks nobody who they are");
	if ((await (await opened())?.authenticator.possible()) === false) throw refused("there is no API key yet");
}

/**
 * Whether a request's Host header names this machine. A web page can make a browser ask 127.0.0.1 under a name of its own (DNS rebinding);
 * then the header has that name.
 */
export function isOwnName(host: string | undefined): boolean {
	const name = (host ?? "").replace(/:\d{1,5}$/, "");
	return isLoopback(name) || (isIP(name) !== 0 && LOOPBACK.test(name));
}
