import type { S3Client } from "./s3-client.js";
import { DERIVED, derivedKey } from "./s3-derived.js";
import { type ListedVersion, listVersions, removeVersions } from "./s3-listing.js";
import { OBJECTS } from "./s3-objects.js";

/** Deletions of one request. */
const PAGE = 1_000;

/**
 * Deletes what nobody keeps and nobody put or renewed since `before`. Deleted are the very versions that were judged: whoever puts or
 * renews an object meanwhile makes a version of its own, which stays. Versions that a renewal left behind go too, and uploads that a
 * dead process never finished.
 */
export async function collectS3Objects(
	client: S3Client,
	kept: (address: string) => boolean,
	before: string,
): Promise<{ objects: number; bytes: number }> {
	const limit = Date.parse(before);
	if (Number.isNaN(limit)) throw new TypeError(`not a time: ${before}`);
	const old = ({ lastModified }: ListedVersion) => lastModified.getTime() < limit;
	let [objects, bytes] = [0, 0];
	const pending: ListedVersion[] = [];
	const remove = async (versions: readonly ListedVersion[]) => {
		// The oldest first: one that is deleted must not leave an older one in its place.
		pending.push(...[...versions].reverse());
		if (pending.length >= PAGE) await removeVersions(client, pending.splice(0));
	};
	for (const prefix of [OBJECTS, DERIVED]) {
		for await (const versions of listVersions(client, prefix)) {
			const [latest, ...earlier] = versions;
			if (latest === undefined) continue;
			const address = prefix === OBJECTS ? latest.name.slice(OBJECTS.length).replace("/", "") : derivedKey(latest.name);
			if (!old(latest) || (address !== undefined && kept(address))) {
				await remove(earlier.filter(old));
				continue;
			}
			objects += 1;
			bytes += latest.size;
			await remove(versions);
		}
	}
	await removeVersions(client, pending);
	await abandonUploads(client, limit);
	return { objects, bytes };
}

async function abandonUploads(client: S3Client, limit: number): Promise<void> {
	const minio = await client.open();
	const uploads = minio.listIncompleteUploads(client.bucket, client.key(OBJECTS), true);
	for await (const { key, initiated } of uploads as AsyncIterable<{ key: string; initiated?: Date | string }>) {
		if (initiated !== undefined && new Date(initiated).getTime() >= limit) continue;
		await client.request("give up", `the upload of ${key}`, () => minio.removeIncompleteUpload(client.bucket, key));
	}
}
