import { randomBytes } from "node:crypto";
import { Client } from "minio";
import { AssumeRoleProvider } from "minio/dist/esm/AssumeRoleProvider.mjs";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { Secret } from "../../src/config/secret.js";
import { sha256 } from "../../src/domain/digest.js";
import { errorCode } from "../../src/domain/errors.js";
import type { ArtifactStore } from "../../src/stores/artifacts/artifacts.port.js";
import { createS3ArtifactStore } from "../../src/stores/artifacts/s3/s3-artifacts.adapter.js";
import { ensureBuckets, probeBuckets } from "../../src/stores/artifacts/s3/s3-buckets.js";
import { S3Client, type S3Options } from "../../src/stores/artifacts/s3/s3-client.js";
import type { ServerAddresses } from "../servers/server.js";
import { failure } from "../support/failure.js";
import { s3Options } from "../support/s3-archive.js";
import { hasServer, ownServer, useServer } from "../support/servers.js";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Real: MinIO, one that is killed included. */
describe.runIf(hasServer("minio"))("the archive in S3", () => {
	let server: ServerAddresses["minio"];
	const closing: (() => unknown)[] = [];
	beforeAll(async () => {
		server = await useServer("minio");
	});
	afterEach(async () => {
		for (const close of closing.splice(0).reverse()) await close();
	});
	const open = (options: S3Options): ArtifactStore => {
		const store = createS3ArtifactStore(options);
		closing.push(() => store.close());
		return store;
	};
	const clientOf = (options: S3Options): S3Client => {
		const client = new S3Client(options);
		closing.push(() => client.close());
		return client;
	};
	const raw = ({ endpoint, accessKeyId, secretAccessKey }: ServerAddresses["minio"]) => {
		const { hostname, port } = new URL(endpoint);
		return new Client({
			endPoint: hostname,
			port: Number(port),
			useSSL: false,
			accessKey: accessKeyId,
			secretKey: secretAccessKey,
		});
	};

	describe("says which setting to correct", () => {
		it.each([
			["an unknown access key", { accessKeyId: "nobody-of-this-name" }, "PERMISSION_DENIED", "LODE_S3_ACCESS_KEY_ID"],
			[
				"a wrong secret",
				{ secretAccessKey: new Secret("wrong-secret-value") },
				"PERMISSION_DENIED",
				"LODE_S3_SECRET_ACCESS_KEY",
			],
			["an address where nobody answers", { endpoint: "http://127.0.0.1:1" }, "STORE_UNAVAILABLE", "LODE_S3_ENDPOINT"],
		])("for %s", async (_name, change: Partial<S3Options>, code, setting) => {
			const answer = await failure(open({ ...s3Options(server), ...change }).put([bytes("x")]));
			expect(answer).toMatchObject({ code, next: expect.stringContaining(setting) });
			expect(JSON.stringify(answer)).not.toContain("wrong-secret-value");
		});

		it.each([
			["s3:PutObject", (store: ArtifactStore) => store.put([bytes("new")]), "store"],
			["s3:GetObject", (store: ArtifactStore) => store.get(sha256("there")), "read"],
			["s3:DeleteObjectVersion", (store: ArtifactStore) => store.removeDerived("there"), "delete"],
		])("for a key that lacks %s", async (lacking, use, operation) => {
			const options = s3Options(server);
			const whole = open(options);
			await whole.put([bytes("there")]);
			await whole.putDerived("there", bytes("x"));
			const allowed = ["s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:DeleteObjectVersion"].filter(
				// Who may not delete a version may not delete at all.
				(action) => action !== lacking && !(lacking === "s3:DeleteObjectVersion" && action === "s3:DeleteObject"),
			);
			const listing = ["s3:ListBucket", "s3:ListBucketVersions", "s3:GetBucketVersioning", "s3:GetBucketLocation"];
			const policy = JSON.stringify({
				Version: "2012-10-17",
				Statement: [{ Effect: "Allow", Action: [...allowed, ...listing], Resource: ["arn:aws:s3:::*"] }],
			});
			const role = new AssumeRoleProvider({
				stsEndpoint: server.endpoint,
				accessKey: server.accessKeyId,
				secretKey: server.secretAccessKey,
				policy,
				durationSeconds: 3_600,
			});
			const credentials = await role.getCredentials();
			const limited = open({
				...options,
				accessKeyId: credentials.getAccessKey(),
				secretAccessKey: new Secret(credentials.getSecretKey()),
				sessionToken: new Secret(credentials.getSessionToken() ?? ""),
			});
			expect(await failure(use(limited))).toMatchObject({
				code: "PERMISSION_DENIED",
				message: expect.stringContaining(`may not ${operation}`),
				next: expect.stringContaining("LODE_S3_ACCESS_KEY_ID"),
			});
		});
	});

	it("makes its three buckets, each as it should be, once", async () => {
		const options = { ...s3Options(server), bucketPrefix: `${randomBytes(4).toString("hex")}-` };
		const client = clientOf(options);
		const names = ["artifacts", "fresh-reports", "backups"].map((name) => `${options.bucketPrefix}${name}`);
		expect((await probeBuckets(client)).missing).toEqual(names);
		expect(await ensureBuckets(client)).toHaveLength(6);
		expect(await ensureBuckets(client)).toEqual([]);
		expect(await probeBuckets(client)).toEqual({ missing: [], wrong: [] });

		const minio = raw(server);
		const [artifacts, reports, backups] = names as [string, string, string];
		for (const bucket of names) await minio.putObject(bucket, "a.html", "<p>fresh</p>");
		const anonymous = async (path: string, init: RequestInit = {}) =>
			(await fetch(`${server.endpoint}/${path}`, init)).status;
		expect(await anonymous(`${reports}/a.html`)).toBe(200);
		expect(await anonymous(`${reports}/`)).toBe(403);
		expect(await anonymous(`${reports}/b.html`, { method: "PUT", body: "x" })).toBe(403);
		for (const bucket of [artifacts, backups]) expect(await anonymous(`${bucket}/a.html`)).toBe(403);
		await minio.putObject(backups, "a.html", "second");
		expect((await minio.getBucketVersioning(backups)) as unknown).toMatchObject({ Status: "Enabled" });
		await minio.setBucketVersioning(backups, { Status: "Suspended" });
		await minio.setBucketPolicy(reports, "");
		expect((await probeBuckets(client)).wrong).toHaveLength(2);
	});

	it("puts only what is absent, with content type and metadata", async () => {
		const options = { ...s3Options(server), renewAfterMs: 600_000 };
		const store = open(options);
		const [text, binary] = (await store.put([bytes("some text"), Uint8Array.of(0, 255, 1)])) as [string, string];
		const minio = raw(server);
		const name = (address: string) => `${options.installation}/objects/${address.slice(0, 2)}/${address.slice(2)}`;
		const before = await minio.statObject("artifacts", name(text));
		expect(before.metaData).toMatchObject({
			"content-type": "text/plain; charset=utf-8",
			"lode-kind": "artifact",
			"lode-sha256": text,
		});
		expect((await minio.statObject("artifacts", name(binary))).metaData["content-type"]).toBe(
			"application/octet-stream",
		);
		await store.put([bytes("some text")]);
		expect((await minio.statObject("artifacts", name(text))).versionId).toBe(before.versionId);
	});

	it("takes content of any size, in parts and in bounded memory", async () => {
		const store = open(s3Options(server));
		const chunk = randomBytes(1024 * 1024);
		const hash = sha256(Buffer.concat(Array.from({ length: 40 }, () => chunk)));
		let peak = 0;
		async function* content() {
			for (let sent = 0; sent < 40; sent++) {
				peak = Math.max(peak, process.memoryUsage().arrayBuffers);
				yield chunk;
			}
		}
		const before = process.memoryUsage().arrayBuffers;
		expect(await store.putStream(content())).toEqual({ object: hash, size: 40 * 1024 * 1024 });
		expect(peak - before).toBeLessThan(30 * 1024 * 1024);
		expect(await store.missing([hash])).toEqual([]);
		expect((await store.get(hash))?.length).toBe(40 * 1024 * 1024);
	});

	it("names an object, a record and a root of which a byte was changed; a derived one counts as absent", async () => {
		const options = s3Options(server);
		const store = open(options);
		const [address] = (await store.put([bytes("content")])) as [string];
		await store.putDerived("a/b", bytes("content"));
		await store.putRecord("a/b", bytes("content"));
		await store.stageRoot(1, { source: "s", commit: "c", object: address });
		expect(await store.check()).toEqual([]);
		const minio = raw(server);
		const change = (name: string, text: string) =>
			minio.putObject("artifacts", `${options.installation}/${name}`, text);
		await change(`objects/${address.slice(0, 2)}/${address.slice(2)}`, "Content");
		await expect(store.get(address)).rejects.toMatchObject({
			code: "STORE_CORRUPT",
			message: expect.stringContaining(address),
		});
		const content = await store.getStream(address);
		await expect(content?.pieces[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: "STORE_CORRUPT" });
		await change("derived/a/b~", "short");
		expect(await store.getDerived("a/b")).toBeUndefined();
		await change("records/a/b~", "short");
		await expect(store.getRecord("a/b")).rejects.toMatchObject({
			code: "STORE_CORRUPT",
			message: expect.stringContaining("a/b"),
		});
		const root = JSON.stringify({ source: "s", commit: "d", object: address, checksum: "0".repeat(64) });
		await change(`roots/${"1".padStart(16, "0")}`, root);
		await expect(store.stagedRoot(1)).rejects.toMatchObject({ code: "STORE_CORRUPT" });
		expect(await store.check()).toEqual([
			{ source: "s", record: "root at seq 1", problem: "is not the one that was staged" },
		]);
	});

	it("writes an object whose size was changed again", async () => {
		const options = s3Options(server);
		const store = open(options);
		const [address] = (await store.put([bytes("whole content")])) as [string];
		const name = `${options.installation}/objects/${address.slice(0, 2)}/${address.slice(2)}`;
		await raw(server).putObject("artifacts", name, "whole");
		await store.put([bytes("whole content")]);
		expect(Buffer.from((await store.get(address)) ?? []).toString()).toBe("whole content");
	});

	it("leaves no root of a seq that is discarded or closed while it is staged", async () => {
		const options = s3Options(server);
		const [one, other] = [open(options), open(options)];
		for (let seq = 1; seq <= 40; seq++) {
			const root = { source: "s", commit: `c${seq}`, object: sha256(`${seq}`) };
			const end =
				seq % 2 === 0
					? () => other.discard(seq)
					: () => other.collectRoots("s", { number: seq, seq, excluding: [], publishedAt: "" }, []);
			const [staged] = await Promise.all([
				one.stageRoot(seq, root).then(
					() => "staged",
					(error: unknown) => errorCode(error),
				),
				end(),
			]);
			expect(["staged", "SEQ_CLOSED"]).toContain(staged);
			if (seq % 2 === 0 || staged === "SEQ_CLOSED") expect(await one.stagedRoot(seq), `seq ${seq}`).toBeUndefined();
			await expect(one.stageRoot(seq, root)).rejects.toMatchObject({ code: "SEQ_CLOSED" });
		}
		expect(await one.check()).toEqual([]);
	});

	it("is found again after the server was killed, with what it acknowledged", async () => {
		const own = await ownServer("minio");
		closing.push(() => own.destroy());
		const store = open(s3Options(own.addresses));
		const [address] = (await store.put([bytes("kept")])) as [string];
		await own.kill();
		expect(await failure(store.get(address))).toMatchObject({ code: "STORE_UNAVAILABLE" });
		await own.start();
		expect(Buffer.from((await store.get(address)) ?? []).toString()).toBe("kept");
	});
});
