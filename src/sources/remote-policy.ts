import { lookup } from "node:dns/promises";
import ipaddr from "ipaddr.js";
import { LodeError } from "../domain/errors.js";

/** Where remote repositories and embedding endpoints may lie beside public addresses: names of hosts, addresses and ranges (CIDR). */
export type AllowedRemotes = readonly string[];

const LOOKUP_MS = 5_000;
const OF_REPOSITORY =
	"Name a repository that everybody can reach, or ask whoever runs this server to allow the host (LODE_REMOTE_ALLOW).";

/**
 * The addresses of a host, where each of them is a public one or allowed. Loopback, private, link-local and every other special range is not:
 * what answers there may be meant for this machine or this network only. @throws FORBIDDEN
 */
export async function publicAddresses(host: string, allowed: AllowedRemotes, next = OF_REPOSITORY): Promise<string[]> {
	const name = host.replace(/^\[|\]$/g, "").toLowerCase();
	const found = ipaddr.isValid(name) ? [name] : await resolved(name, next);
	const named = allowed.some((one) => one.toLowerCase() === name);
	if (!named && !found.every((address) => isPublic(address) || isAllowed(address, allowed))) {
		throw refused(name, next);
	}
	return found;
}

/** The same of the embedding endpoint, which whoever runs this server has named. */
export const endpointAddresses = (allowed: AllowedRemotes) => (host: string) =>
	publicAddresses(host, allowed, "Allow the host of LODE_EMBEDDING_BASE_URL with LODE_REMOTE_ALLOW.");

/** Says the same of a name that is not there as of one that may not be asked: who asks learns nothing of this network's names. */
async function resolved(name: string, next: string): Promise<string[]> {
	const late = new Promise<never>((_, reject) => {
		setTimeout(() => reject(new Error("late")), LOOKUP_MS).unref();
	});
	const found = await Promise.race([lookup(name, { all: true, verbatim: true }), late]).catch(() => []);
	if (found.length === 0) throw refused(name, next);
	return found.map(({ address }) => address);
}

/** `unicast` is what ipaddr.js calls all that is in no special range. */
const isPublic = (address: string): boolean => parsed(address).range() === "unicast";

function isAllowed(address: string, allowed: AllowedRemotes): boolean {
	const one = parsed(address);
	return allowed.some((entry) => {
		if (ipaddr.isValidCIDR(entry)) {
			const [range, bits] = ipaddr.parseCIDR(entry);
			return range.kind() === one.kind() && one.match(range, bits);
		}
		return ipaddr.isValid(entry) && parsed(entry).toNormalizedString() === one.toNormalizedString();
	});
}

/** IPv4 written as IPv6 is IPv4. A zone says which network interface: such addresses are link-local. */
const parsed = (address: string): ipaddr.IPv4 | ipaddr.IPv6 => ipaddr.process(address.replace(/%.*$/, ""));

const refused = (name: string, next: string): LodeError =>
	new LodeError("FORBIDDEN", `${name} is not at a public address`, { next });
