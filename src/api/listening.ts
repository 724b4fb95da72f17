import { isIP } from "node:net";
import { LodeError } from "../domain/errors.js";

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|::1|\[::1\])$/i;

export const isLoopback = (host: string): boolean => LOOPBACK.test(host);

/** Nobody is asked who they are yet, so only this machine may ask, unless whoever runs it says otherwise. @throws CONFIG_INVALID */
export function requireListenable({ host, allowAnonymous }: { host: string; allowAnonymous: boolean }): void {
	if (isLoopback(host) || allowAnonymous) return;
	throw new LodeError(
		"CONFIG_INVALID",
		`LODE_API_HOST: ${host} is reachable from other machines, and the API asks nobody who they are`,
		{
			next: "Use 127.0.0.1, or set LODE_API_ALLOW_ANONYMOUS=true where something before it decides who may ask.",
		},
	);
}

/**
 * Whether a request's Host header names this machine. A web page can make a browser ask 127.0.0.1 under a name of its own (DNS rebinding);
 * then the header has that name.
 */
export function isOwnName(host: string | undefined): boolean {
	const name = (host ?? "").replace(/:\d{1,5}$/, "");
	return isLoopback(name) || (isIP(name) !== 0 && LOOPBACK.test(name));
}
