import { open } from "node:fs/promises";
import { LodeError } from "../../domain/errors.js";
import { noAddress, refuseHostile } from "../local-path.js";

/** A repository on another machine, as git is given it: canonical and without credentials. */
export interface RemoteAddress {
	readonly address: string;
	readonly protocol: "http" | "https" | "ssh" | "git";
}

const SCHEME = /^([a-z][a-z0-9+.-]{0,30}):\/\//i;
const SCP = /^(?:([A-Za-z0-9._~+-]{1,64})@)?(\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9][A-Za-z0-9._-]{0,252}):(.{1,4000})$/;
const PROTOCOLS: Readonly<Record<string, RemoteAddress["protocol"]>> = {
	http: "http",
	https: "https",
	ssh: "ssh",
	"git+ssh": "ssh",
	"ssh+git": "ssh",
	git: "git",
};

/**
 * The target as a URL, or undefined where it is a path. Errors never repeat a secret.
 * @throws CREDENTIALS_IN_URL, SOURCE_NOT_FOUND (no address git may be given)
 */
export function parseRemote(target: string): RemoteAddress | undefined {
	refuseHostile(target);
	const scheme = SCHEME.exec(target)?.[1]?.toLowerCase();
	if (scheme === "file") return undefined;
	if (scheme !== undefined) {
		const protocol = PROTOCOLS[scheme];
		if (protocol === undefined) throw noAddress(target, `git does not follow ${scheme} addresses here`);
		return parseUrl(target, protocol);
	}
	return parseScp(target);
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443, ssh: 22, git: 9418 };

/** Where git connects to for an address as `parseRemote` gives it. */
export function hostOf(address: string): { readonly host: string; readonly port: number; readonly scheme: string } {
	const scheme = SCHEME.exec(address)?.[1] ?? "ssh";
	if (SCHEME.test(address)) {
		const { hostname, port } = new URL(address);
		return { host: hostname, port: port === "" ? (DEFAULT_PORTS[scheme] as number) : Number(port), scheme };
	}
	return { host: SCP.exec(address)?.[2] ?? "", port: 22, scheme };
}

/** Whether git, and not another kind of source, is meant by a URL-like target. */
export function looksRemote(target: string): boolean {
	const scheme = SCHEME.exec(target)?.[1]?.toLowerCase();
	if (scheme !== undefined) return scheme in PROTOCOLS;
	return isScp(target);
}

/** By its signature: git clones a bundle whatever its name is. */
export async function isBundle(absolute: string): Promise<boolean> {
	const file = await open(absolute, "r").catch(() => undefined);
	if (file === undefined) return false;
	try {
		if (!(await file.stat()).isFile()) return false;
		const { buffer, bytesRead } = await file.read(Buffer.alloc(16), 0, 16, 0);
		return /^# v[23] git bundle/.test(buffer.toString("latin1", 0, bytesRead));
	} finally {
		await file.close();
	}
}

function credentials(shown: string): LodeError {
	return new LodeError(
		"CREDENTIALS_IN_URL",
		`The address ${shown} holds credentials, which would be stored with the source.`,
		{
			next: "Leave them out: git's credential helper or GIT_ASKPASS supplies them, or LODE_GIT_TOKEN for https.",
		},
	);
}

function parseUrl(target: string, protocol: RemoteAddress["protocol"]): RemoteAddress {
	if (!URL.canParse(target)) throw noAddress("the address", "it is not a valid URL");
	const url = new URL(target);
	const host = url.host.toLowerCase();
	if (host === "" || host.startsWith("-")) throw noAddress("the address", "it names no host");
	const shown = `${protocol}://${host}${url.pathname}`;
	// A user name in an http address is often a token itself; in an ssh address it is part of the place.
	if (url.password !== "" || (url.username !== "" && protocol !== "ssh")) throw credentials(shown);
	if (url.search !== "" || url.hash !== "") throw noAddress(shown, "an address has no query and no fragment");
	const user = url.username === "" ? "" : `${url.username}@`;
	if (user.startsWith("-")) throw noAddress(shown, "its user name would be taken for an option");
	const defaultPort = protocol === "ssh" ? ":22" : protocol === "git" ? ":9418" : undefined;
	const place = defaultPort !== undefined && host.endsWith(defaultPort) ? host.slice(0, -defaultPort.length) : host;
	const location = url.pathname.replace(/\/{1,100}$/, "");
	if (location === "") throw noAddress(shown, "it names a host, but no repository");
	return { address: `${protocol}://${user}${place}${location}`, protocol };
}

function isScp(target: string): boolean {
	const match = SCP.exec(target);
	if (match === null) return false;
	// `C:\repository` and `C:/repository` are paths, on every system: no host has one letter.
	return (match[2] as string).length > 1 && !(match[3] as string).startsWith("//");
}

function parseScp(target: string): RemoteAddress | undefined {
	if (!isScp(target)) return undefined;
	const [, user, host, location] = SCP.exec(target) as unknown as [string, string | undefined, string, string];
	const shown = `${host.toLowerCase()}:…`;
	if (/^[^/]*@/.test(location)) throw credentials(shown);
	return { address: `${user === undefined ? "" : `${user}@`}${host.toLowerCase()}:${location}`, protocol: "ssh" };
}
