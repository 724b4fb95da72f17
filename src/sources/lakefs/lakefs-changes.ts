import type { Change, FileEntry } from "../../domain/commits.js";
import { LodeError } from "../../domain/errors.js";
import { pages } from "../pages.js";
import type { LakefsApi, LakefsDifference } from "./lakefs-api.js";
import { PAGE } from "./lakefs-api.js";
import { pathOfObject } from "./lakefs-path.js";
import { lakefsAddress } from "./lakefs-target.js";

/** Everything of a commit, as additions: one request for each 1,000 objects. */
export function listedChanges(api: LakefsApi, repository: string, commit: string): AsyncIterable<readonly Change[]> {
	return pages(listed(api, repository, commit), PAGE);
}

/** What `to` has otherwise than `from`: one request for each 1,000 changes. */
export function comparedChanges(
	api: LakefsApi,
	repository: string,
	from: string,
	to: string,
): AsyncIterable<readonly Change[]> {
	return pages(compared(api, repository, from, to), PAGE);
}

async function* listed(api: LakefsApi, repository: string, commit: string): AsyncGenerator<Change> {
	let after: string | undefined;
	do {
		const page = await api.objects(repository, commit, after);
		if (page === undefined) throw await commitMissing(api, repository, commit);
		for (const { path: name, checksum, size_bytes } of page.results) {
			const path = pathOfObject(name);
			if (path !== undefined) yield { type: "added", file: entry(path, checksum, size_bytes) };
		}
		after = page.pagination.has_more ? page.pagination.next_offset : undefined;
	} while (after !== undefined);
}

async function* compared(api: LakefsApi, repository: string, from: string, to: string): AsyncGenerator<Change> {
	let after: string | undefined;
	do {
		const page = await api.differences(repository, from, to, after, true);
		if (page === undefined) throw await commitMissing(api, repository, from, to);
		for (const difference of page.results) {
			const path = pathOfObject(difference.path);
			if (path === undefined) continue;
			if (difference.type === "removed") yield { type: "removed", path };
			else {
				const type = difference.type === "added" ? "added" : "modified";
				yield { type, file: await changedFile(api, repository, to, path, difference) };
			}
		}
		after = page.pagination.has_more ? page.pagination.next_offset : undefined;
	} while (after !== undefined);
}

async function changedFile(
	api: LakefsApi,
	repository: string,
	commit: string,
	path: string,
	{ path: name, right, size_bytes }: LakefsDifference,
): Promise<FileEntry> {
	if (right !== undefined && size_bytes !== undefined) return entry(path, right.checksum, size_bytes);
	// Servers before `include_right_stats` say no more than that it changed.
	const object = await api.object(repository, commit, name);
	if (object === undefined) throw await commitMissing(api, repository, commit);
	return entry(path, object.checksum, object.size_bytes);
}

/** The checksum is what lakeFS itself compares contents by: an MD5, or what the object store below makes of several parts. */
function entry(path: string, checksum: string, size: number): FileEntry {
	return { path, blob: `${checksum}-${size}`, mode: "file", size };
}

/** What it is that lakeFS did not find. */
export async function commitMissing(
	api: LakefsApi,
	repository: string,
	...commits: readonly string[]
): Promise<LodeError> {
	const address = lakefsAddress(repository);
	if ((await api.repository(repository)) === undefined) return repositoryMissing(api, repository);
	for (const commit of commits) {
		if ((await api.commit(repository, commit)) !== undefined) continue;
		return new LodeError("COMMIT_NOT_FOUND", `${address} has no commit ${commit}.`, {
			next: "Ingest a commit that the repository still has.",
		});
	}
	return new LodeError("REPOSITORY_UNREADABLE", `${address} does not give what its commit ${commits.at(-1)} holds.`, {
		next: "Look into the log of lakeFS: part of the commit's data may be lost.",
	});
}

export function repositoryMissing(api: LakefsApi, repository: string): LodeError {
	return new LodeError("SOURCE_NOT_FOUND", `There is no repository ${repository} in lakeFS at ${api.endpoint}.`, {
		next: "Check the name and LODE_LAKEFS_ENDPOINT.",
	});
}
