import path from "node:path";
import { errorCode, LodeError } from "../../domain/errors.js";
import { sourceId } from "../../domain/keys.js";
import type { Source } from "../../stores/catalog/catalog.port.js";
import { describeTarget } from "../describe-target.js";
import { localPath } from "../local-path.js";
import type { ResolvedTarget, SourceAdapter } from "../source.port.js";
import { BlobProcesses } from "./blob-processes.js";
import { looksRemote, parseRemote } from "./git-address.js";
import { diffChanges, treeChanges } from "./git-changes.js";
import { GitCommand } from "./git-command.js";
import { commitRanges } from "./git-log.js";
import { GitMirrors } from "./git-mirror.js";
import { type ObjectReader, readBlobs, streamBlob } from "./git-objects.js";
import {
	branchesOf,
	guessedHead,
	type HeadMeaning,
	meaningOf,
	refPatterns,
	requireRefName,
	toldHead,
} from "./git-ref.js";
import { type Advertised, isObjectId, listRemote, type Remotes } from "./git-remote.js";
import { countWaiting } from "./git-waiting.js";
import { findCommitted, findLocalRepository, hasGitHistory, localCall } from "./local-repository.js";
import { NO_PINS, type Pins } from "./remote-pins.js";
import type { StartGit } from "./started-git.js";

export interface GitSourceOptions {
	/** Lode's home; mirrors lie under `sources/` in it. */
	readonly home: string;
	/** The git command; default: `git` on PATH. */
	readonly git?: string;
	/** What starts its processes, for a process that is large: see GitLauncher. */
	readonly start?: StartGit;
	/** What holds for repositories on other machines; nothing where omitted. */
	readonly pins?: Pins;
}

/** `resolve` follows `recognises`, and would ask the same of a path: a process of git less for each ingestion that a command asks for. */
const REMEMBERED_MS = 1_000;

/** Repositories that the `git` command can clone: paths, bundles and URLs. */
export function createGitSource(options: GitSourceOptions): SourceAdapter {
	const home = path.resolve(options.home);
	const git = new GitCommand(options.git, options.start);
	const remotes: Remotes = { home, pins: options.pins ?? NO_PINS };
	const processes = new BlobProcesses(git);
	const mirrors = new GitMirrors(git, remotes, processes);

	let recognised: { readonly path: string; readonly address: string; readonly at: number } | undefined;

	/** @throws SOURCE_NOT_FOUND, CREDENTIALS_IN_URL, PERMISSION_DENIED, REPOSITORY_UNREADABLE */
	async function locate(target: string): Promise<{ address: string; bundle: boolean }> {
		const local = await localPath(target);
		// A path that exists is meant before a host of the same name.
		const remote = local === undefined ? parseRemote(target) : undefined;
		if (remote !== undefined) return { address: remote.address, bundle: false };
		if (local !== undefined) {
			const before = recognised;
			recognised = undefined;
			if (before?.path === local && performance.now() - before.at < REMEMBERED_MS)
				return { address: before.address, bundle: false };
			const repository = await findLocalRepository(git, local);
			if (repository.found !== "none") return { address: repository.address, bundle: repository.found === "bundle" };
		}
		throw new LodeError("SOURCE_NOT_FOUND", `There is no git repository at ${describeTarget(target)}.`, {
			next: "Give the path of a repository or of a git bundle, or a URL that git can clone.",
		});
	}

	async function headOf(address: string, bundle: boolean, advertised: Advertised): Promise<HeadMeaning | undefined> {
		const told = toldHead(advertised);
		if (told !== undefined && !bundle) return told;
		return guessedHead(await listRemote(git, remotes, address, []));
	}

	async function missing(address: string, ref: string | undefined): Promise<LodeError> {
		const branches = branchesOf(await listRemote(git, remotes, address, ["refs/heads/*"])).map(([name]) => name);
		if (branches.length === 0) {
			return new LodeError("REF_NOT_FOUND", `${address} has no commits yet.`, {
				next: "Commit something, then ingest it again.",
			});
		}
		const some = `${branches.slice(0, 10).join(", ")}${branches.length > 10 ? ", …" : ""}`;
		const message =
			ref === undefined || ref === "HEAD"
				? `${address} has a HEAD without a commit.`
				: `${address} has no branch, tag or commit ${ref}.`;
		return new LodeError("REF_NOT_FOUND", message, { next: `Its branches are: ${some}.` });
	}

	async function resolve(target: string, ref: string | undefined): Promise<ResolvedTarget> {
		if (ref !== undefined) requireRefName(ref);
		const { address, bundle } = await locate(target);
		const advertised = await listRemote(git, remotes, address, refPatterns(ref));
		const head = await headOf(address, bundle, advertised);
		const meaning = meaningOf(ref, advertised, head);
		if (meaning?.known) return { kind: "git", address, branch: meaning.branch, commit: meaning.commit };
		if (meaning === undefined || head === undefined) throw await missing(address, ref);
		const mirrored = { id: sourceId(address, meaning.branch), address, branch: meaning.branch };
		const format = head.commit.length === 64 ? "sha256" : "sha1";
		return {
			kind: "git",
			address,
			branch: meaning.branch,
			commit: await mirrors.find(mirrored, meaning.commitPrefix, format),
		};
	}

	async function head(source: Source, signal?: AbortSignal): Promise<string> {
		const ref = source.branch === "HEAD" ? "HEAD" : `refs/heads/${source.branch}`;
		const advertised = await listRemote(git, remotes, source.address, [ref], signal);
		const commit = advertised.refs.get(ref);
		if (commit === undefined) throw await missing(source.address, ref);
		return commit;
	}

	function reader(source: Source, doing: string, signal?: AbortSignal): ObjectReader {
		const failed = mirrors.failure(source, `${doing} of ${source.address}`);
		return { git, ...mirrors.local(source, signal), failed, processes };
	}

	return {
		kind: "git",

		async recognises(target) {
			try {
				const local = await localPath(target);
				if (local !== undefined) {
					recognised = undefined;
					const address = await findCommitted(git, local).catch(() => undefined);
					if (address === undefined) return await hasGitHistory(git, local);
					recognised = { path: local, address, at: performance.now() };
					return true;
				}
			} catch (error) {
				// `resolve` says why; a closed folder may still be a repository.
				return errorCode(error) === "PERMISSION_DENIED";
			}
			return looksRemote(target);
		},

		resolve,

		prepare: (source, commit, progress, signal) => mirrors.prepare(source, commit, progress, signal),

		head: (source) => head(source),

		peek: head,

		async waiting(source, published, to, signal) {
			requireCommits(source, published, to);
			const mirror = mirrors.local(source, signal);
			// What a look at the branch has fetched is in the mirror already; a repository on this machine can be asked itself.
			const inMirror = await countWaiting(git, mirror.args, mirror.call, published, to);
			if (inMirror !== undefined || !path.isAbsolute(source.address)) return inMirror;
			const { args, call } = localCall(source.address);
			return countWaiting(git, args, { ...call, signal }, published, to);
		},

		async *changes(source, from, to) {
			requireCommits(source, from, to);
			const objects = reader(source, "Comparing commits");
			yield* from === undefined ? treeChanges(objects, to) : diffChanges(objects, from, to);
		},

		async *commits(source, from, to) {
			requireCommits(source, from, to);
			yield* commitRanges(reader(source, "Reading the log"), mirrors.folder(source), from, to);
		},

		logChanged: (source, commit) => mirrors.logChanged(source, commit),

		read: (source, _commit, files, readOptions) => readBlobs(reader(source, "Reading files"), files, readOptions),

		stream: async (source, _commit, file) => streamBlob(reader(source, "Reading a file"), file),

		async forget(source) {
			const { args, call } = mirrors.local(source);
			processes.endOf(args, call);
			await mirrors.forget(source);
		},
	};
}

function requireCommits(source: Source, from: string | undefined, to: string): void {
	if (isObjectId(to) && (from === undefined || isObjectId(from))) return;
	throw new LodeError("COMMIT_NOT_FOUND", `A commit asked of ${source.address} is no full commit id.`);
}
