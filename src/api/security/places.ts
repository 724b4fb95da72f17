import type { IncomingHttpHeaders } from "node:http";
import { isLoopback, isOwnName } from "../listening.js";

export interface PlacesOptions {
	readonly host: string;
	readonly allowAnonymous: boolean;
	/** Origins whose pages may use the API: `https://app.example.org`. */
	readonly corsOrigins: readonly string[];
}

/** From where, and under which names, requests may come, whoever sends them. Forwarded headers are not read: anybody can write them. */
export class Places {
	/** Other machines can reach it, and nothing before it decides who may ask: then everybody has to say who they are. */
	readonly isExposed: boolean;

	constructor(private readonly options: PlacesOptions) {
		this.isExposed = !isLoopback(options.host) && !options.allowAnonymous;
	}

	/** A page can make a browser ask this machine under a name of its own (DNS rebinding); one that listens for others has whatever name they use. */
	isOwnName({ host }: IncomingHttpHeaders): boolean {
		return !isLoopback(this.options.host) || this.options.allowAnonymous || isOwnName(host);
	}

	/**
	 * Whether a request may change something: one that a page of another place makes a browser send may not. Browsers say where a request comes
	 * from; programs that are no browser say nothing.
	 */
	isOwnOrigin({ origin, host, "sec-fetch-site": site }: IncomingHttpHeaders): boolean {
		if (origin !== undefined && this.options.corsOrigins.includes(origin)) return true;
		if (site !== undefined && site !== "same-origin" && site !== "none") return false;
		return origin === undefined || (URL.canParse(origin) && new URL(origin).host === host);
	}
}
