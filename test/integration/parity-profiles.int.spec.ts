import type { TestWorkflowEnvironment } from "@temporalio/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SearchReport } from "../../src/services/reports.js";
import { type Corpus, type CorpusName, cloneCorpus, hasCorpora } from "../support/corpora.js";
import { LodeInstance } from "../support/lode-instance.js";
import { profileQueries } from "../support/profile-queries.js";
import { hasServerProfile, serverProfile } from "../support/server-profile.js";
import { temporalEnvironment } from "../support/temporal-environment.js";

/**
 * Real: both profiles with all their engines, repositories, Temporal, git. What the engines hold must be the same to the last bit, however it
 * came there; what they rank first may differ a little, because BM25 is computed by different engines.
 */
describe.runIf(hasServerProfile() && hasCorpora)("both profiles", () => {
	// One each: workflow ids are those of sources, and both profiles have the same.
	let forEmbedded: TestWorkflowEnvironment;
	let forServers: TestWorkflowEnvironment;
	beforeAll(async () => {
		[forEmbedded, forServers] = await Promise.all([temporalEnvironment(), temporalEnvironment()]);
	});
	afterAll(async () => {
		await forEmbedded?.teardown();
		await forServers?.teardown();
	});

	const embedded = (extra: Record<string, string> = {}) => LodeInstance.open(forEmbedded, { env: extra });
	const servers = async (extra: Record<string, string> = {}) =>
		LodeInstance.open(forServers, { env: { ...(await serverProfile(forServers.address)), ...extra } });

	async function ingested(lode: LodeInstance, corpus: Corpus, commits: readonly string[]): Promise<LodeInstance> {
		for (const commit of commits) {
			const { files } = await lode.ingest(corpus.path, commit);
			expect(files.failed).toBe(0);
		}
		return lode;
	}

	/** How much of the first ten of one is among the first ten of the other. */
	function overlap(a: SearchReport, b: SearchReport): number {
		const place = ({ path, startLine }: SearchReport["hits"][number]) => `${path}:${startLine}`;
		const other = new Set(b.hits.map(place));
		const shared = a.hits.filter((hit) => other.has(place(hit))).length;
		return a.hits.length === 0 && b.hits.length === 0 ? 1 : shared / Math.max(a.hits.length, b.hits.length);
	}

	test.each<[CorpusName, number]>([
		["jaffle-shop-classic", 8],
		// kill-servers.crash.spec.ts compares its digests on the servers with those of the embedded profile.
		...(process.env.LODE_TEST_THOROUGH === "1" ? [["httpx", 2] as [CorpusName, number]] : []),
	])(
		"%s: the same digests in every store, directly and after its last %d commits, and the same answers",
		async (name, last) => {
			const corpus = await cloneCorpus(name);
			const commits = corpus.commits.slice(-last);
			const head = commits.slice(-1);
			const opened: LodeInstance[] = [];
			const open = async (instance: Promise<LodeInstance>) => {
				opened.push(await instance);
				return opened.at(-1) as LodeInstance;
			};
			try {
				const direct = await ingested(await open(embedded()), corpus, head);
				const expected = (await direct.verified()).stores;
				const onServers = await ingested(await open(servers()), corpus, commits);
				expect((await onServers.verified()).stores).toEqual(expected);

				const queries = await profileQueries(direct, corpus);
				console.log(`${name}: ${queries.names.length} names, ${queries.questions.length} questions`);
				expect(queries.names.length + queries.questions.length).toBe(50);
				const differing: unknown[] = [];
				for (const text of queries.names) {
					const [here, there] = await Promise.all(
						[direct, onServers].map(({ reader }) => reader.search({ text, limit: 10 })),
					);
					const top = (report?: SearchReport) => {
						const [first] = report?.hits ?? [];
						return { text, path: first?.path, startLine: first?.startLine };
					};
					const [mine, theirs] = [top(here), top(there)];
					if (JSON.stringify(mine) !== JSON.stringify(theirs)) differing.push({ embedded: mine, servers: theirs });
				}
				expect(differing).toEqual([]);
				let sum = 0;
				for (const text of queries.questions) {
					const [here, there] = await Promise.all(
						[direct, onServers].map(({ reader }) => reader.search({ text, limit: 10 })),
					);
					sum += overlap(here as SearchReport, there as SearchReport);
				}
				console.log(`${name}: mean overlap of the first ten ${(sum / queries.questions.length).toFixed(2)}`);
				expect(sum / queries.questions.length).toBeGreaterThanOrEqual(0.7);
			} finally {
				for (const instance of opened) await instance.close();
				await corpus.remove();
			}
		},
		600_000,
	);

	test.each<[CorpusName, number]>([["jaffle-shop-classic", 4]])(
		"%s: the same digests after garbage collection, and older snapshots are gone in both",
		async (name, last) => {
			const corpus = await cloneCorpus(name);
			const commits = corpus.commits.slice(-last);
			const retention = { LODE_RETENTION_MAX_VERSIONS: "1", LODE_GC_GRACE: "0" };
			const instances = [await embedded(retention), await servers(retention)];
			try {
				const digests: unknown[] = [];
				for (const lode of instances) {
					await ingested(lode, corpus, commits);
					const before = (await lode.verified()).stores;
					const collected = await lode.commander.collectGarbage();
					expect(collected.records.graph).toBeGreaterThan(0);
					expect(collected.records.vectors).toBeGreaterThan(0);
					const after = (await lode.verified()).stores;
					expect(after).toEqual(before);
					digests.push(after);
					await expect(lode.reader.search({ text: "client", limit: 1, at: "1" })).rejects.toMatchObject({
						code: "SNAPSHOT_EXPIRED",
					});
				}
				expect(digests[1]).toEqual(digests[0]);
			} finally {
				for (const lode of instances) await lode.close();
				await corpus.remove();
			}
		},
		400_000,
	);
});
