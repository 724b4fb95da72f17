import pLimit from "p-limit";
import type { CommitInfo } from "../../domain/commits.js";
import { errorCode } from "../../domain/errors.js";
import { cut, isoTime, MAX_NAME, MAX_SUBJECT } from "../commit-text.js";
import { pages } from "../pages.js";
import type { CommitRange, WaitingCommits } from "../source.port.js";
import type { LakefsApi, LakefsCommit } from "./lakefs-api.js";
import { PAGE } from "./lakefs-api.js";
import { commitMissing } from "./lakefs-changes.js";
import { IN_FLIGHT } from "./lakefs-http.js";
import { pathOfObject } from "./lakefs-path.js";

const COMMITS_A_PAGE = 500;
/** A page holds that many paths at most, give or take one commit's. */
const PATHS_A_PAGE = 50_000;
const MAX_PATHS = 2_000;
const MAX_METADATA = 100;
/** Most ingestions ask about one commit and its parent. */
const FIRST_REQUEST = 20;

/** Which side of a comparison reaches a commit. */
const TO = 1;
const FROM = 2;

/**
 * Commits of `to` and not of `from` (added), then those of `from` and not of `to` (removed): newest first, children before parents. The
 * requests follow what lies between the two and the last commits that they have in common.
 */
export async function* lakefsCommitRanges(
	api: LakefsApi,
	repository: string,
	from: string | undefined,
	to: string,
): AsyncGenerator<readonly CommitRange[]> {
	const removed: LakefsCommit[] = [];
	async function* added(): AsyncGenerator<LakefsCommit> {
		for await (const { commit, side } of between(new Commits(api, repository), from, to)) {
			if (side === TO) yield commit;
			else removed.push(commit);
		}
	}
	yield* ranges(api, repository, "added", added());
	yield* ranges(api, repository, "removed", removed);
}

/** How many commits `to` has that `from` has not. Undefined where a commit between them is not there any more. */
export async function countWaiting(
	api: LakefsApi,
	repository: string,
	from: string,
	to: string,
	signal: AbortSignal,
): Promise<WaitingCommits | undefined> {
	let commits = 0;
	let oldest = Number.POSITIVE_INFINITY;
	try {
		for await (const { commit, side } of between(new Commits(api, repository, signal), from, to)) {
			if (side !== TO) continue;
			commits += 1;
			oldest = Math.min(oldest, commit.creation_date);
		}
	} catch (error) {
		if (errorCode(error) === "COMMIT_NOT_FOUND") return undefined;
		throw error;
	}
	return { commits, since: commits === 0 ? undefined : isoTime(oldest) };
}

async function* ranges(
	api: LakefsApi,
	repository: string,
	type: CommitRange["type"],
	commits: AsyncIterable<LakefsCommit> | Iterable<LakefsCommit>,
): AsyncGenerator<readonly CommitRange[]> {
	async function* infos(): AsyncGenerator<CommitRange> {
		const limit = pLimit(IN_FLIGHT);
		const waiting: Promise<CommitRange>[] = [];
		for await (const commit of commits) {
			const read = limit(async () => ({ type, commit: await commitInfo(api, repository, commit) }) as const);
			read.catch(() => {});
			waiting.push(read);
			if (waiting.length >= IN_FLIGHT) yield (await waiting.shift()) as CommitRange;
		}
		for (const read of waiting) yield await read;
	}
	yield* pages(infos(), COMMITS_A_PAGE, ({ commit }) => commit.paths.length, PATHS_A_PAGE);
}

/**
 * Walks both histories at once, from high generations down, until everything that is left is reached by both. A commit's generation is
 * larger than those of its parents, so all that reaches a commit has been seen before it.
 */
async function* between(
	commits: Commits,
	from: string | undefined,
	to: string,
): AsyncGenerator<{ commit: LakefsCommit; side: typeof TO | typeof FROM }> {
	const open = new Map<string, { commit: LakefsCommit; sides: number }>();
	const reach = async (id: string, sides: number) => {
		const known = open.get(id);
		if (known) known.sides |= sides;
		else open.set(id, { commit: await commits.get(id), sides });
	};
	await reach(to, TO);
	if (from !== undefined) await reach(from, FROM);
	while ([...open.values()].some(({ sides }) => sides !== (TO | FROM))) {
		const next = [...open.values()].reduce((a, b) => (isBefore(b.commit, a.commit) ? b : a));
		open.delete(next.commit.id);
		commits.done(next.commit.id);
		for (const parent of next.commit.parents) await reach(parent, next.sides);
		// The first commit of a repository is lakeFS's own: it holds nothing and nobody made it.
		if (next.commit.parents.length === 0 && next.commit.meta_range_id === "") continue;
		if (next.sides !== (TO | FROM)) yield { commit: next.commit, side: next.sides as typeof TO | typeof FROM };
	}
}

function isBefore(a: LakefsCommit, b: LakefsCommit): boolean {
	if (a.generation !== b.generation) return a.generation > b.generation;
	if (a.creation_date !== b.creation_date) return a.creation_date > b.creation_date;
	return a.id < b.id;
}

/** Commits by id, read ahead: lakeFS gives a commit with others that it reaches. */
class Commits {
	readonly #known = new Map<string, LakefsCommit>();
	readonly #done = new Set<string>();
	#amount = FIRST_REQUEST;

	constructor(
		private readonly api: LakefsApi,
		private readonly repository: string,
		private readonly signal?: AbortSignal,
	) {}

	async get(id: string): Promise<LakefsCommit> {
		const known = this.#known.get(id);
		if (known) return known;
		const page = await this.api.log(this.repository, id, this.#amount, this.signal);
		this.#amount = Math.min(PAGE, this.#amount * 5);
		for (const commit of page?.results ?? []) if (!this.#done.has(commit.id)) this.#known.set(commit.id, commit);
		const found = this.#known.get(id);
		if (found === undefined) throw await commitMissing(this.api, this.repository, id);
		return found;
	}

	/** It will not be asked for again: a long log must not stay in memory. */
	done(id: string): void {
		this.#known.delete(id);
		this.#done.add(id);
	}
}

async function commitInfo(api: LakefsApi, repository: string, commit: LakefsCommit): Promise<CommitInfo> {
	const { id, parents, committer, message, creation_date } = commit;
	const name = cut(committer, MAX_NAME);
	return {
		sha: id,
		parents,
		authorName: name,
		// lakeFS knows users by one id, which is often an address.
		authorEmail: /^[^\s@]+@[^\s@]+$/.test(name) ? name : "",
		authoredAt: isoTime(creation_date),
		subject: cut(message.trim().split("\n", 1)[0]?.trim() ?? "", MAX_SUBJECT),
		paths: await pathsOf(api, repository, commit),
		...metadataOf(commit),
	};
}

function metadataOf({ metadata }: LakefsCommit): Pick<CommitInfo, "metadata"> {
	const pairs = Object.entries(metadata ?? {}).slice(0, MAX_METADATA);
	if (pairs.length === 0) return {};
	return { metadata: Object.fromEntries(pairs.map(([key, value]) => [cut(key, MAX_NAME), cut(value, MAX_SUBJECT)])) };
}

async function pathsOf(api: LakefsApi, repository: string, { id, parents }: LakefsCommit): Promise<string[]> {
	const paths: string[] = [];
	if (parents.length > 1) return paths;
	let after: string | undefined;
	do {
		const page =
			parents[0] === undefined
				? await api.objects(repository, id, after)
				: await api.differences(repository, parents[0], id, after, false);
		// A parent that lakeFS has deleted leaves nothing to compare with.
		if (page === undefined) return paths;
		for (const { path: name } of page.results) {
			const path = pathOfObject(name);
			if (path !== undefined) paths.push(path);
		}
		after = page.pagination.has_more ? page.pagination.next_offset : undefined;
	} while (after !== undefined && paths.length < MAX_PATHS);
	return paths.slice(0, MAX_PATHS);
}
