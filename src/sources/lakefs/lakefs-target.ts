import { LodeError } from "../../domain/errors.js";
import { describeTarget } from "../describe-target.js";

const SCHEME = /^lakefs:\/\//i;
/** What lakeFS allows as the id of a repository, according to its API description. */
const REPOSITORY = /^[a-z0-9][a-z0-9-]{2,62}$/;
/** Branches, tags, commit ids and lakeFS's `~` and `^` after them. `@` and `$` name what is not committed yet. */
const REF = /^[A-Za-z0-9_.][A-Za-z0-9_./-]{0,1023}(?:[~^][0-9]{0,6}){0,20}$/;

export interface LakefsTarget {
	readonly repository: string;
	/** A branch, tag or commit id; undefined where the target names the repository only. */
	readonly ref: string | undefined;
}

export function looksLikeLakefs(target: string): boolean {
	return SCHEME.test(target);
}

/** `lakefs://REPOSITORY[/REF]`. @throws SOURCE_NOT_FOUND, CREDENTIALS_IN_URL, REF_NOT_FOUND */
export function parseLakefsTarget(target: string): LakefsTarget {
	const rest = target.replace(SCHEME, "");
	if (/^[^/]*@/.test(rest)) {
		throw new LodeError("CREDENTIALS_IN_URL", `${describeTarget(target)} was given with credentials.`, {
			next: "Give lakefs://REPOSITORY/BRANCH and put the key into LODE_LAKEFS_ACCESS_KEY_ID and LODE_LAKEFS_SECRET_ACCESS_KEY.",
		});
	}
	const slash = rest.indexOf("/");
	const repository = slash === -1 ? rest : rest.slice(0, slash);
	const ref = slash === -1 ? "" : rest.slice(slash + 1).replace(/\/+$/, "");
	if (!looksLikeLakefs(target) || !REPOSITORY.test(repository)) {
		throw new LodeError("SOURCE_NOT_FOUND", `${describeTarget(target)} is no address of a lakeFS repository.`, {
			next: "Give lakefs://REPOSITORY or lakefs://REPOSITORY/BRANCH, as lakeFS itself writes them.",
		});
	}
	return { repository, ref: ref === "" ? undefined : requireRef(ref) };
}

/** Refuses what cannot be the name of a ref before it gets into a URL. @throws REF_NOT_FOUND */
export function requireRef(ref: string): string {
	if (REF.test(ref) && !ref.includes("..")) return ref;
	throw new LodeError("REF_NOT_FOUND", `${JSON.stringify(ref.slice(0, 100))} is no name of a branch, tag or commit.`, {
		next: "Give the name of a branch or tag, or a commit id.",
	});
}

export const lakefsAddress = (repository: string): string => `lakefs://${repository}`;

export const isCommitId = (id: string): boolean => /^[0-9a-f]{64}$/.test(id);
