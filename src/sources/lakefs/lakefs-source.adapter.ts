import { LodeError } from "../../domain/errors.js";
import type { Source } from "../../stores/catalog/catalog.port.js";
import { refuseHostile } from "../local-path.js";
import type { ResolvedTarget, SourceAdapter } from "../source.port.js";
import { LakefsApi } from "./lakefs-api.js";
import { commitMissing, comparedChanges, listedChanges, repositoryMissing } from "./lakefs-changes.js";
import { cancelled } from "./lakefs-errors.js";
import { countWaiting, lakefsCommitRanges } from "./lakefs-log.js";
import { readObjects, streamObject } from "./lakefs-objects.js";
import { type LakefsOptions, requireLakefs } from "./lakefs-options.js";
import { isCommitId, lakefsAddress, looksLikeLakefs, parseLakefsTarget, requireRef } from "./lakefs-target.js";

/**
 * Repositories of a lakeFS server, named `lakefs://REPOSITORY[/BRANCH]`. Only committed states are read. Nothing is copied ahead: a
 * lake is too large, so an ingestion reads what its commit changed from lakeFS while it runs, and nothing afterwards.
 *
 * @param options undefined where no server is configured: then targets are recognised and the error says what to set
 */
export function createLakefsSource(options: LakefsOptions | undefined): SourceAdapter {
	let opened: LakefsApi | undefined;
	const connected = (): LakefsApi => {
		opened ??= new LakefsApi(requireLakefs(options));
		return opened;
	};
	const repositoryOf = (source: Source): string => parseLakefsTarget(source.address).repository;

	/** The commit that a tag, a commit id or an expression means. */
	async function commitOf(api: LakefsApi, repository: string, ref: string): Promise<string> {
		const commit = await api.commit(repository, ref);
		if (commit === undefined) {
			throw new LodeError("REF_NOT_FOUND", `${lakefsAddress(repository)} has no branch, tag or commit ${ref}.`, {
				next: `Name one that it has: lakectl branch list lakefs://${repository} shows the branches.`,
			});
		}
		return commit.id;
	}

	async function branchOf(
		api: LakefsApi,
		repository: string,
		name: string,
		signal?: AbortSignal,
	): Promise<string | undefined> {
		// lakeFS answers 400 to what cannot be a branch.
		return /^[A-Za-z0-9_.][A-Za-z0-9_./-]*$/.test(name)
			? (await api.branch(repository, name, signal))?.commit_id
			: undefined;
	}

	async function head(source: Source, signal?: AbortSignal): Promise<string> {
		const repository = repositoryOf(source);
		const api = connected();
		const found = await branchOf(api, repository, source.branch, signal);
		if (found !== undefined) return found;
		if ((await api.repository(repository)) === undefined) throw repositoryMissing(api, repository);
		throw branchMissing(repository, source.branch);
	}

	async function resolve(target: string, ref: string | undefined): Promise<ResolvedTarget> {
		refuseHostile(target);
		const parsed = parseLakefsTarget(target);
		const { repository } = parsed;
		if (ref !== undefined) requireRef(ref);
		const api = connected();
		const found = await api.repository(repository);
		if (found === undefined) throw repositoryMissing(api, repository);
		let branch = found.default_branch;
		let commit: string | undefined;
		// A tag or commit stands on the branch that the target names, or on the default one.
		for (const name of [parsed.ref, ref]) {
			if (name === undefined) continue;
			const head = await branchOf(api, repository, name);
			if (head !== undefined) branch = name;
			commit = head ?? (await commitOf(api, repository, name));
		}
		commit ??= await branchOf(api, repository, branch);
		if (commit === undefined) throw branchMissing(repository, branch);
		return { kind: "lakefs", address: lakefsAddress(repository), branch, commit };
	}

	return {
		kind: "lakefs",

		recognises: async (target) => looksLikeLakefs(target),

		resolve,

		async prepare(source, commit, _progress, signal) {
			const repository = repositoryOf(source);
			const doing = `Reading ${source.address}`;
			if (signal?.aborted) throw cancelled(doing, signal);
			const api = connected();
			const found = isCommitId(commit) ? await api.commit(repository, commit, signal) : undefined;
			if (found?.id !== commit) throw await notThere(api, repository, commit);
		},

		head: (source) => head(source),

		peek: head,

		waiting: async (source, published, to, signal) =>
			countWaiting(connected(), requireCommits(source, published, to), published, to, signal),

		async *changes(source, from, to) {
			const repository = requireCommits(source, from, to);
			const api = connected();
			yield* from === undefined ? listedChanges(api, repository, to) : comparedChanges(api, repository, from, to);
		},

		async *commits(source, from, to) {
			yield* lakefsCommitRanges(connected(), requireCommits(source, from, to), from, to);
		},

		read: (source, commit, files, options) => readObjects(connected(), repositoryOf(source), commit, files, options),

		stream: async (source, commit, file) => streamObject(connected(), repositoryOf(source), commit, file),

		// Lode's home holds nothing of it.
		forget: async () => {},
	};
}

async function notThere(api: LakefsApi, repository: string, commit: string): Promise<LodeError> {
	const error = await commitMissing(api, repository, commit);
	if (error.code !== "REPOSITORY_UNREADABLE") return error;
	// It begins with a commit's id, or is a name: what was resolved is always a whole id.
	return new LodeError("COMMIT_NOT_FOUND", `A commit asked of ${lakefsAddress(repository)} is no full commit id.`);
}

function branchMissing(repository: string, branch: string): LodeError {
	return new LodeError("REF_NOT_FOUND", `${lakefsAddress(repository)} has no branch ${branch}.`, {
		next: `Name one that it has: lakectl branch list lakefs://${repository} shows them.`,
	});
}

function requireCommits(source: Source, from: string | undefined, to: string): string {
	if (isCommitId(to) && (from === undefined || isCommitId(from))) return parseLakefsTarget(source.address).repository;
	throw new LodeError("COMMIT_NOT_FOUND", `A commit asked of ${source.address} is no full commit id.`);
}
