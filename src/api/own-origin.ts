import type { FastifyRequest } from "fastify";

/**
 * Whether a request may change something: one that a page of another place makes a browser send may not. Browsers say where a request comes
 * from; programs that are no browser say nothing.
 */
export function isOwnOrigin({ headers }: Pick<FastifyRequest, "headers">): boolean {
	const { origin, host } = headers;
	const site = headers["sec-fetch-site"];
	if (site !== undefined && site !== "same-origin" && site !== "none") return false;
	return origin === undefined || (URL.canParse(origin) && new URL(origin).host === host);
}
