import type { ArtifactStore } from "../artifacts.port.js";
import { readyArchive } from "./s3-buckets.js";
import { S3Client, type S3Options } from "./s3-client.js";
import { collectS3Objects } from "./s3-collect.js";
import { S3Derived } from "./s3-derived.js";
import { S3Objects } from "./s3-objects.js";
import { S3Records } from "./s3-records.js";
import { S3Roots } from "./s3-roots.js";

/**
 * The archive in MinIO or any S3 that knows conditional writes and versions: `objects/` by SHA-256, `derived/` and `records/` by key,
 * `roots/` by seq, below the installation's name. Any number of processes may have it open.
 * @throws PERMISSION_DENIED, CONFIG_INVALID, DISK_FULL, STORE_CORRUPT, STORE_UNAVAILABLE
 */
export function createS3ArtifactStore(options: S3Options): ArtifactStore {
	const client = new S3Client(options);
	const objects = new S3Objects(client);
	const derived = new S3Derived(client);
	const records = new S3Records(client);
	const roots = new S3Roots(client);
	let ready: Promise<void> | undefined;
	/** Makes sure of the buckets once; what failed is tried again by the next call. */
	const after = async <T>(work: () => Promise<T>): Promise<T> => {
		ready ??= readyArchive(client).catch((error: unknown) => {
			ready = undefined;
			throw error;
		});
		await ready;
		return work();
	};

	return {
		capabilities: { refusesClosedSeq: true },

		put: (contents) => after(() => objects.put(contents)),
		putStream: (content) => after(() => objects.putStream(content)),
		get: (object) => after(() => objects.get(object)),
		getStream: (object) => after(() => objects.getStream(object)),
		missing: (addresses) => after(() => objects.missing(addresses)),

		putDerived: (key, bytes) => after(() => derived.put(key, bytes)),
		getDerived: (key) => after(() => derived.get(key)),
		removeDerived: (prefix) => after(() => derived.remove(prefix)),

		putRecord: (key, bytes) => after(() => records.put(key, bytes)),
		getRecord: (key) => after(() => records.get(key)),
		recordKeys: (prefix, last) => after(() => records.keys(prefix, last)),
		removeRecords: (prefix) => after(() => records.remove(prefix)),

		stageRoot: (seq, root) => after(() => roots.stage(seq, root)),
		stagedRoot: (seq) => after(() => roots.staged(seq)),
		root: (snapshot, source) => after(() => roots.at(snapshot, source)),
		discard: (seq) => after(() => roots.discard(seq)),
		collectRoots: (source, horizon, open) => after(() => roots.collect(source, horizon, open)),
		roots: () => after(() => roots.all()),
		highestSeq: () => after(() => roots.highestSeq()),
		collectObjects: (kept, before) => after(() => collectS3Objects(client, kept, before)),
		dropSource: (source) => after(() => roots.drop(source)),
		check: () => after(() => roots.check()),
		close: async () => client.close(),
	};
}
