import { LodeError } from "../domain/errors.js";
import { hostOf, parseRemote } from "./git/git-address.js";
import { localPath } from "./local-path.js";
import { type AllowedRemotes, publicAddresses } from "./remote-policy.js";

export interface NamingRules {
	/** Folders and repositories of this machine may be named. */
	readonly localPaths: boolean;
	/** Undefined: remote repositories may lie anywhere. */
	readonly allowed: AllowedRemotes | undefined;
}

/**
 * What somebody may make a source of who is not on this machine. Nothing is looked at that may not be named, so that the answer tells nothing of what
 * is there. @throws FORBIDDEN, CREDENTIALS_IN_URL, SOURCE_NOT_FOUND (no address)
 */
export async function requireNameable(target: string, { localPaths, allowed }: NamingRules): Promise<void> {
	// A repository of the lakeFS server that is configured here, never of another one.
	if (/^lakefs:\/\//i.test(target)) return;
	const remote = parseRemote(target);
	if (remote === undefined || (!localPaths && (await localPath(target)) !== undefined)) {
		if (localPaths) return;
		throw new LodeError(
			"FORBIDDEN",
			"folders and repositories of the server's own machine cannot be named from outside",
			{
				next: "Name a remote repository, ingest it on that machine with lode ingest, or set LODE_API_LOCAL_PATHS=true there.",
			},
		);
	}
	if (allowed !== undefined) await publicAddresses(hostOf(remote.address).host, allowed);
}
