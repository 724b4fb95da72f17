import { LodeError } from "../../domain/errors.js";
import { type Advertised, isObjectId } from "./git-remote.js";

/** What a user's ref means in a repository, as far as its advertised refs tell. */
export type RefMeaning =
	| { readonly known: true; readonly branch: string; readonly commit: string }
	/** Looks like a commit id, which only a fetch can tell. */
	| { readonly known: false; readonly branch: string; readonly commitPrefix: string };

/** The patterns of `git ls-remote` that `meaningOf` needs answers to. */
export function refPatterns(ref: string | undefined): string[] {
	if (ref === undefined || ref === "HEAD") return ["HEAD"];
	const names = ref.startsWith("refs/") ? [ref] : [`refs/heads/${ref}`, `refs/tags/${ref}`];
	return ["HEAD", ...names.flatMap((name) => [name, `${name}^{}`])];
}

/** Refuses what cannot be the name of a ref or a commit id, before git sees it. @throws REF_NOT_FOUND */
export function requireRefName(ref: string): void {
	// What git-check-ref-format forbids, and what would be taken for an option or a revision expression.
	const forbidden = /\p{Cc}|[ ~^:?*[\\]|\.\.|@\{|\/\/|^[-/]|[/.]$/u;
	if (ref === "" || ref.length > 1_024 || forbidden.test(ref)) {
		throw new LodeError(
			"REF_NOT_FOUND",
			`${JSON.stringify(ref.slice(0, 100))} is no name of a branch, tag or commit.`,
			{
				next: "Give the name of a branch or tag, or a commit id.",
			},
		);
	}
}

/**
 * A branch, a tag and a commit id in that order. A tag or commit stands on the repository's HEAD branch.
 */
export function meaningOf(
	ref: string | undefined,
	advertised: Advertised,
	head: HeadMeaning | undefined,
): RefMeaning | undefined {
	if (ref === undefined || ref === "HEAD") return head === undefined ? undefined : { known: true, ...head };
	const branch = ref.startsWith("refs/heads/") ? ref.slice("refs/heads/".length) : ref;
	const tip = advertised.refs.get(`refs/heads/${branch}`);
	if (tip !== undefined) return { known: true, branch, commit: tip };
	const other = advertised.refs.get(ref.startsWith("refs/") ? ref : `refs/tags/${ref}`);
	const headBranch = head?.branch ?? "HEAD";
	if (other !== undefined) return { known: true, branch: headBranch, commit: other };
	const id = ref.toLowerCase();
	if (!/^[0-9a-f]{4,64}$/.test(id)) return undefined;
	if (isObjectId(id) && head?.commit === id) return { known: true, branch: headBranch, commit: id };
	return { known: false, branch: headBranch, commitPrefix: id };
}

export interface HeadMeaning {
	readonly branch: string;
	readonly commit: string;
}

/** HEAD as it is told; undefined when the repository does not tell (then ask for all branches and guess). */
export function toldHead(advertised: Advertised): HeadMeaning | undefined {
	const commit = advertised.refs.get("HEAD");
	if (commit === undefined) return undefined;
	return { branch: advertised.headBranch ?? "HEAD", commit };
}

/**
 * A bundle never says which branch its HEAD names, and may have no HEAD: the branch with HEAD's commit, or the only branch there
 * is. Of several, `main`, `master`, then the first by name.
 */
export function guessedHead(all: Advertised): HeadMeaning | undefined {
	const told = all.refs.get("HEAD");
	const branches = branchesOf(all).filter(([, commit]) => told === undefined || commit === told);
	if (told !== undefined && branches.length === 0) return { branch: "HEAD", commit: told };
	if (told === undefined && branches.length !== 1) return undefined;
	const chosen =
		branches.find(([name]) => name === "main") ?? branches.find(([name]) => name === "master") ?? branches[0];
	return chosen === undefined ? undefined : { branch: chosen[0], commit: chosen[1] };
}

export function branchesOf(advertised: Advertised): [name: string, commit: string][] {
	return [...advertised.refs]
		.filter(([name]) => name.startsWith("refs/heads/"))
		.map(([name, commit]): [string, string] => [name.slice("refs/heads/".length), commit])
		.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}
