import type { ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type {
	IngestReport,
	SearchReport,
	SourceReport,
	StatusReport,
	VerifyReport,
} from "../../src/services/reports.js";
import type { ServerName } from "../servers/server.js";
import { type Corpus, cloneCorpus, hasCorpora } from "../support/corpora.js";
import { DevProcess, lode, lodeJson } from "../support/lode-process.js";
import { seededRandom } from "../support/seeded-random.js";
import { hasServerProfile, newInstallation, postgresEnvironment } from "../support/server-profile.js";
import { hasServer, type OwnServer, ownServer } from "../support/servers.js";

const SEED = Number(process.env.LODE_TEST_SEED ?? 20_261_125);
const QUESTION = "how is a redirect to another host followed without its credentials";
type Place = Pick<SearchReport["hits"][number], "path" | "startLine">;
type StoreName = "postgres" | "dgraph" | "weaviate" | "minio";
const STORES: readonly StoreName[] = ["postgres", "dgraph", "weaviate", "minio"];

/** Real: every process (`lode dev`, worker, CLI) and every server, which the test kills. */
describe.runIf(hasServerProfile() && hasServer("temporal") && hasCorpora)("servers that are killed", () => {
	let stores: { [N in StoreName]: OwnServer<N> };
	let corpus: Corpus;
	let expected: VerifyReport["stores"];
	let nearest: Place[];
	const cleanUps: (() => Promise<unknown>)[] = [];

	/** By words and by meaning. */
	async function search(home: string, env: Record<string, string> = {}): Promise<Place[]> {
		const { hits } = await lodeJson<SearchReport>(home, ["search", QUESTION, "--limit", "50"], env);
		return hits.map(({ path, startLine }) => ({ path, startLine }));
	}

	async function newHome(): Promise<string> {
		const home = await mkdtemp(join(tmpdir(), "lode-crash-"));
		cleanUps.push(() => rm(home, { recursive: true, force: true, maxRetries: 3 }));
		return home;
	}

	beforeAll(async () => {
		const [postgres, dgraph, weaviate, minio] = await Promise.all([
			ownServer("postgres"),
			ownServer("dgraph"),
			ownServer("weaviate"),
			ownServer("minio"),
		]);
		stores = { postgres, dgraph, weaviate, minio };
		corpus = await cloneCorpus("httpx");
		const home = await newHome();
		await lodeJson<IngestReport>(home, ["ingest", corpus.path]);
		expected = (await lodeJson<VerifyReport>(home, ["verify"])).stores;
		nearest = await search(home);
	}, 300_000);
	afterEach(async () => {
		for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
	});
	afterAll(async () => {
		for (const name of STORES) await stores?.[name].destroy();
		await corpus?.remove();
	});

	/** A home, an installation and a Temporal server of its own: workflow ids are those of sources. */
	async function world() {
		const temporal = await ownServer("temporal");
		cleanUps.push(() => temporal.destroy());
		const { minio, weaviate } = stores;
		const env = {
			LODE_PROFILE: "servers",
			LODE_INSTALLATION: newInstallation(),
			TEMPORAL_ADDRESS: temporal.addresses.address,
			...postgresEnvironment(stores.postgres.addresses.url),
			LODE_DGRAPH_ADDRESS: stores.dgraph.addresses.address,
			LODE_WEAVIATE_URL: weaviate.addresses.url,
			LODE_WEAVIATE_GRPC_ADDRESS: weaviate.addresses.grpcAddress,
			LODE_S3_ENDPOINT: minio.addresses.endpoint,
			LODE_S3_ACCESS_KEY_ID: minio.addresses.accessKeyId,
			LODE_S3_SECRET_ACCESS_KEY: minio.addresses.secretAccessKey,
		};
		const home = await newHome();
		const dev = await DevProcess.start(home, env);
		cleanUps.push(() => dev.stop());
		return { home, env, servers: { ...stores, temporal } };
	}

	test.each<ServerName>([...STORES, "temporal"])(
		`%s: the ingestion waits, goes on by itself and ends with the digests of an undisturbed run (seed ${SEED})`,
		async (name) => {
			const random = seededRandom(SEED);
			const { home, env, servers } = await world();
			const server = servers[name as StoreName | "temporal"];
			let done = false;
			const begun = Promise.withResolvers<unknown>();
			// The first that it says is where the ingestion is: before that, a command that finds no server tells so and ends.
			const onStart = (child: ChildProcess) => child.stderr?.once("data", begun.resolve);
			const ingested = lodeJson<IngestReport>(home, ["ingest", corpus.path], env, { onStart, timeoutMs: 200_000 });
			const ended = () => {
				done = true;
				begun.resolve(undefined);
			};
			ingested.then(ended, ended);
			await begun.promise;
			let kills = 0;
			for (; kills < 2; kills++) {
				await sleep(500 + random() * 2_500);
				if (done) break;
				await server.kill();
				await sleep(1_000 + random() * 3_000);
				await server.start();
			}
			expect(kills).toBeGreaterThan(0);
			expect(await ingested).toMatchObject({ outcome: "published", snapshot: 1 });
			// What is published is on its disk.
			await server.kill();
			await server.start();
			// It may serve before it has loaded everything.
			const hits = await vi.waitFor(() => search(home, env), { timeout: 60_000, interval: 1_000 });
			const verified = await lode(home, ["verify", "--json"], env);
			const { problems, stores: digests } = JSON.parse(verified.stdout) as VerifyReport;
			expect(problems).toEqual([]);
			expect(digests).toEqual(expected);
			// Engines round differently: neighbours may change places.
			expect(hits).toEqual(expect.arrayContaining(nearest.slice(0, 25)));
		},
		240_000,
	);

	test("one that is gone for good is named by status, and nothing of the commit is visible", async () => {
		const { home, env } = await world();
		await stores.dgraph.stop();
		try {
			await lodeJson<IngestReport>(home, ["ingest", corpus.path, "--no-wait"], env);
			let waiting: StatusReport["ingestions"][number]["waiting"];
			for (let attempt = 0; attempt < 60 && waiting === undefined; attempt++) {
				const { ingestions } = await lodeJson<StatusReport>(home, ["status"], env);
				({ waiting } = ingestions[0] ?? {});
				await sleep(500);
			}
			expect(waiting).toContainEqual(
				expect.objectContaining({
					code: "STORE_UNAVAILABLE",
					message: expect.stringContaining("Dgraph at 127.0.0.1:"),
				}),
			);
			expect((await lode(home, ["status"], env)).stdout).toContain("waits: STORE_UNAVAILABLE");
			const { sources } = await lodeJson<{ sources: SourceReport[] }>(home, ["sources"], env);
			expect(sources).toMatchObject([{ commit: null, snapshot: null, chunks: 0 }]);
			expect(await lode(home, ["search", "client", "--json"], env)).toMatchObject({
				stderr: expect.stringContaining("NOTHING_PUBLISHED"),
			});
		} finally {
			await stores.dgraph.start();
		}
	}, 200_000);
});
