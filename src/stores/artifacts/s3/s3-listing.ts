import type { BucketItem } from "minio";
import type { S3Client } from "./s3-client.js";
import { s3Error } from "./s3-errors.js";

export interface ListedObject {
	/** Without the installation's name. */
	readonly name: string;
	readonly size: number;
	readonly lastModified: Date;
	readonly etag: string;
}

export interface ListedVersion extends ListedObject {
	readonly versionId: string;
	readonly latest: boolean;
}

const PAGE = 1_000;

/** Names below a prefix in byte order, from after `after` on. Leave the loop early to read no more pages. */
export async function* listObjects(client: S3Client, prefix: string, after = ""): AsyncGenerator<ListedObject> {
	const start = after === "" ? "" : client.key(after);
	const minio = await client.open();
	const items = minio.listObjectsV2(client.bucket, client.key(prefix), true, start);
	try {
		for await (const item of items as AsyncIterable<BucketItem>) {
			if (item.name !== undefined) yield listed(client, item);
		}
	} catch (error) {
		throw s3Error(error, client.options.endpoint, "list", prefix);
	} finally {
		items.destroy();
	}
}

/** Every version of every object below a prefix, those of one name together. */
export async function* listVersions(client: S3Client, prefix: string): AsyncGenerator<ListedVersion[]> {
	let versions: ListedVersion[] = [];
	let [keyMarker, versionIdMarker] = ["", ""];
	do {
		// Not the client's stream: version 8.0.7 sends the marker of the second page as it came, whose signature the server then refuses.
		const page = await client.request("list", prefix, (minio) =>
			minio.listObjectsQuery(client.bucket, client.key(prefix), "", {
				Delimiter: "",
				MaxKeys: PAGE,
				IncludeVersion: true,
				keyMarker,
				versionIdMarker,
			}),
		);
		for (const item of page.objects as readonly VersionItem[]) {
			if (item.name === undefined) continue;
			const version = { ...listed(client, item), versionId: item.versionId ?? "null", latest: item.isLatest === true };
			if (versions.length > 0 && versions[0]?.name !== version.name) {
				yield versions;
				versions = [];
			}
			versions.push(version);
		}
		keyMarker = page.isTruncated ? queryValue(decodeURIComponent(page.keyMarker ?? "")) : "";
		versionIdMarker = queryValue(page.versionIdMarker ?? "");
	} while (keyMarker !== "");
	if (versions.length > 0) yield versions;
}

type VersionItem = BucketItem & { readonly versionId?: string; readonly isLatest?: boolean };

/** Encoded as signatures want it (https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, UriEncode). */
const queryValue = (text: string): string =>
	encodeURIComponent(text).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);

function listed(client: S3Client, item: BucketItem): ListedObject {
	return {
		name: (item.name as string).slice(client.options.installation.length + 1),
		size: item.size ?? 0,
		lastModified: item.lastModified ?? new Date(0),
		etag: item.etag ?? "",
	};
}

/** Deletes exactly these versions: nothing that was written meanwhile, and no delete marker stays. */
export async function removeVersions(
	client: S3Client,
	versions: readonly Pick<ListedVersion, "name" | "versionId">[],
): Promise<void> {
	for (let at = 0; at < versions.length; at += PAGE) {
		const page = versions.slice(at, at + PAGE).map(({ name, versionId }) => ({ name: client.key(name), versionId }));
		const failures = (await client.request("delete", `${page.length} objects`, (minio) =>
			minio.removeObjects(client.bucket, page),
		)) as unknown as readonly { readonly Code?: string; readonly Message?: string }[];
		const [failed] = failures.filter(({ Code }) => Code !== undefined && Code !== "NoSuchVersion");
		if (failed) {
			const error = Object.assign(new Error(failed.Message ?? ""), { code: failed.Code });
			throw s3Error(error, client.options.endpoint, "delete", "objects");
		}
	}
}

/** All that is below a prefix, in every version. */
export async function removeBelow(client: S3Client, prefix: string): Promise<void> {
	const found: ListedVersion[] = [];
	for await (const versions of listVersions(client, prefix)) {
		found.push(...versions);
		if (found.length >= PAGE) await removeVersions(client, found.splice(0));
	}
	await removeVersions(client, found);
}
