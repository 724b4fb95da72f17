import { randomBytes } from "node:crypto";
import { Client } from "minio";
import { createS3ArtifactStore } from "../../src/stores/artifacts/s3/s3-artifacts.adapter.js";
import type { Bench } from "./bench.js";
import { batchesOf, latencies, rate, withServer } from "./bench-server.js";
import { figure, percentiles, quantile } from "./measuring.js";

const OBJECT_BYTES = 4_096;
/** Files of a batch of an ingestion, and batches that a worker has under way. */
const BATCH = 64;
const AT_ONCE = 4;
const IN_FLIGHT = 20;
const READS = 500;

const contents = (count: number): Buffer[] => Array.from({ length: count }, () => randomBytes(OBJECT_BYTES));

export const s3: Bench = {
	summary: "artifacts in MinIO: puts a second and reads of 4 KiB, beside a bare client on the same server",
	run: ({ full, note }) =>
		withServer("minio", async ({ endpoint, accessKeyId, secretAccessKey }) => {
			const count = full ? 20_000 : 4_000;
			const { hostname, port } = new URL(endpoint);
			const bare = new Client({
				endPoint: hostname,
				port: Number(port),
				useSSL: false,
				accessKey: accessKeyId,
				secretKey: secretAccessKey,
			});
			await bare.makeBucket("bare");
			const store = createS3ArtifactStore({
				endpoint,
				region: "us-east-1",
				accessKeyId,
				secretAccessKey: { reveal: () => secretAccessKey },
				bucketPrefix: "",
				installation: "bench",
				renewAfterMs: 600_000,
			});
			try {
				// The first objects of each make folders and connections.
				await store.put(contents(BATCH));
				await Promise.all(contents(BATCH).map((bytes, n) => bare.putObject("bare", `warm/${n}`, bytes)));
				const put = async (batch: readonly Buffer[]) => void (await store.put(batch));
				const putBare = (bytes: Buffer, n: number) => bare.putObject("bare", `${n % 256}/${n}`, bytes);
				// Halves in turn: the disk of a shared machine changes from second to second.
				const rates = { store: [] as number[], bare: [] as number[] };
				const addresses: string[] = [];
				for (let round = 0; round < 4; round += 1) {
					const mine = contents(count / 4);
					rates.store.push(await rate(batchesOf(mine, BATCH), AT_ONCE, put));
					addresses.push(...(await store.put(mine.slice(0, READS / 4))));
					const theirs = batchesOf(contents(count / 4), 1);
					const offset = (round * count) / 4;
					rates.bare.push(await rate(theirs, IN_FLIGHT, ([bytes], n) => putBare(bytes as Buffer, offset + n)));
				}
				const mean = (series: readonly number[]) => series.length / series.reduce((sum, one) => sum + 1 / one, 0);
				const read = await latencies(addresses, (address) => store.get(address));
				const readBare = await latencies(addresses, async (_) => {
					const n = Math.floor(Math.random() * count);
					const parts: Buffer[] = [];
					for await (const part of await bare.getObject("bare", `${n % 256}/${n}`)) parts.push(part as Buffer);
				});
				const figures = [
					figure("artifacts of 4 KiB put in MinIO", mean(rates.store), "objects/s", {
						name: "bare client, 20 in flight, objects/s",
						value: mean(rates.bare),
					}),
					...percentiles("artifact of 4 KiB read from MinIO", read, {
						name: "bare client, p50, ms",
						value: quantile(readBare, 0.5),
					}),
				];
				note(figures.map(({ name, value, beside }) => `${name} ${value} (${beside?.ratio} × bare)`).join("; "));
				return { figures, details: { count, rates, read, readBare } };
			} finally {
				await store.close();
			}
		}),
};
