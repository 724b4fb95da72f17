import { randomUUID } from "node:crypto";
import { LodeError } from "../../../domain/errors.js";
import { bucketNames, type S3Client } from "./s3-client.js";
import { s3Code } from "./s3-errors.js";

export interface S3Probe {
	/** Names of buckets that are missing. */
	readonly missing: readonly string[];
	/** What is not as it should be, in words. */
	readonly wrong: readonly string[];
}

/** Objects can be read one by one by anybody; nothing can be listed or written. */
const publicRead = (bucket: string) => ({
	Version: "2012-10-17",
	Statement: [
		{ Effect: "Allow", Principal: { AWS: ["*"] }, Action: ["s3:GetObject"], Resource: [`arn:aws:s3:::${bucket}/*`] },
	],
});

const noPolicy = (error: unknown) => s3Code(error) === "NoSuchBucketPolicy";

const noBucket = (error: unknown) => s3Code(error) === "NoSuchBucket";

/** Asked with a request whose answer has a body: the one to a HEAD does not say why it is refused. */
async function look(client: S3Client, bucket: string): Promise<"missing" | "versioned" | "plain"> {
	try {
		const versioning: unknown = await client.request(
			"look at",
			`bucket ${bucket}`,
			(minio) => minio.getBucketVersioning(bucket),
			noBucket,
		);
		const { Status } = (versioning ?? {}) as { Status?: string };
		return Status === "Enabled" ? "versioned" : "plain";
	} catch (error) {
		if (noBucket(error)) return "missing";
		throw error;
	}
}

async function isPublic(client: S3Client, bucket: string): Promise<boolean> {
	try {
		const policy = await client.request(
			"look at",
			`bucket ${bucket}`,
			(minio) => minio.getBucketPolicy(bucket),
			noPolicy,
		);
		return policy.includes("s3:GetObject") && policy.includes(`arn:aws:s3:::${bucket}/*`);
	} catch (error) {
		if (noPolicy(error)) return false;
		throw error;
	}
}

/** Creates buckets that are missing and configures those that are not as they should be. Returns what was done. */
export async function ensureBuckets(client: S3Client): Promise<string[]> {
	const names = bucketNames(client.options.bucketPrefix);
	const done: string[] = [];
	for (const bucket of Object.values(names)) {
		if ((await look(client, bucket)) !== "missing") continue;
		await client
			.request(
				"create",
				`bucket ${bucket}`,
				(minio) => minio.makeBucket(bucket, client.options.region),
				// Another process was faster.
				(error) => s3Code(error) === "BucketAlreadyOwnedByYou",
			)
			.catch((error: unknown) => {
				if (s3Code(error) !== "BucketAlreadyOwnedByYou") throw error;
			});
		done.push(`created ${bucket}`);
	}
	// Artifacts: garbage collection deletes the very version that it judged, never one that was renewed meanwhile.
	for (const bucket of [names.artifacts, names.backups]) {
		if ((await look(client, bucket)) === "versioned") continue;
		await client.request("turn on versions of", `bucket ${bucket}`, (minio) =>
			minio.setBucketVersioning(bucket, { Status: "Enabled" }),
		);
		done.push(`turned on versions of ${bucket}`);
	}
	if (!(await isPublic(client, names.freshReports))) {
		const policy = JSON.stringify(publicRead(names.freshReports));
		await client.request("let people read", `bucket ${names.freshReports}`, (minio) =>
			minio.setBucketPolicy(names.freshReports, policy),
		);
		done.push(`made ${names.freshReports} readable`);
	}
	return done;
}

/**
 * What the archive needs before its first write. @throws CONFIG_INVALID where the bucket is there without versions and may not be
 * changed; PERMISSION_DENIED, STORE_UNAVAILABLE
 */
export async function readyArchive(client: S3Client): Promise<void> {
	const { bucket } = client;
	const found = await look(client, bucket);
	if (found === "versioned") return;
	if (found === "missing") {
		await ensureBuckets(client);
		return;
	}
	try {
		await ensureBuckets(client);
	} catch (error) {
		throw new LodeError("CONFIG_INVALID", `bucket ${bucket} keeps no versions, and turning them on failed`, {
			next: "Turn on versioning for it: without, garbage collection could delete what is being reused.",
			cause: error,
		});
	}
}

/** What is there, with nothing changed but an object that is written, read and deleted. @throws PERMISSION_DENIED, STORE_UNAVAILABLE */
export async function probeBuckets(client: S3Client): Promise<S3Probe> {
	const names = bucketNames(client.options.bucketPrefix);
	const missing: string[] = [];
	const wrong: string[] = [];
	for (const bucket of Object.values(names)) {
		const found = await look(client, bucket);
		if (found === "missing") missing.push(bucket);
		else if (found === "plain" && bucket !== names.freshReports) wrong.push(`${bucket} keeps no versions`);
	}
	const there = (bucket: string) => !missing.includes(bucket);
	if (there(names.freshReports) && !(await isPublic(client, names.freshReports))) {
		wrong.push(`${names.freshReports} cannot be read by everybody`);
	}
	if (there(names.artifacts)) await tryOut(client);
	return { missing, wrong };
}

async function tryOut(client: S3Client): Promise<void> {
	const { bucket } = client;
	const key = client.key(`probe/${randomUUID()}`);
	const { versionId } = await client.request("write", "a probe", (minio) =>
		minio.putObject(bucket, key, Buffer.from("probe")),
	);
	await client.request("read", "a probe", (minio) => minio.statObject(bucket, key));
	await client.request("delete", "a probe", (minio) => minio.removeObject(bucket, key, versionId ? { versionId } : {}));
}
