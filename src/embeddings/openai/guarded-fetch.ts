import type { LookupFunction } from "node:net";

/** The addresses at which a host may be asked. @throws where it may not be asked at all */
export type AddressesOf = (host: string) => Promise<readonly string[]>;

/**
 * `fetch` to hosts that may be asked, at the addresses that were looked at: a name that answers differently a moment later (DNS rebinding)
 * leads nowhere else.
 */
export function guardedFetch(addressesOf: AddressesOf): typeof fetch {
	const lookup: LookupFunction = (host, options, done) => {
		addressesOf(host).then(
			(addresses) => {
				const found = addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
				if (options.all) done(null, found);
				else done(null, found[0]?.address ?? "", found[0]?.family);
			},
			(error: Error) => done(error, ""),
		);
	};
	// Loaded here: nothing else needs it.
	const loaded = import("undici").then(({ Agent, fetch }) => ({
		fetch,
		dispatcher: new Agent({ connect: { lookup } }),
	}));
	loaded.catch(() => undefined);
	return (async (url: string, init: RequestInit) => {
		// An address is not looked up, and this says why where a name may not be asked.
		await addressesOf(new URL(url).hostname);
		const { fetch, dispatcher } = await loaded;
		return fetch(url, { ...(init as object), dispatcher });
	}) as typeof fetch;
}
