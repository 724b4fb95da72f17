import type { TestWorkflowEnvironment } from "@temporalio/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CorpusName, cloneCorpus, hasCorpora } from "../support/corpora.js";
import { LodeInstance } from "../support/lode-instance.js";
import { temporalEnvironment } from "../support/temporal-environment.js";

/** Real: repositories, Temporal server, worker, all stores, git. */
describe.runIf(hasCorpora)("digests of real repositories", () => {
	let environment: TestWorkflowEnvironment;
	beforeAll(async () => {
		environment = await temporalEnvironment();
	});
	afterAll(() => environment?.teardown());

	async function digests(path: string, commits: readonly string[]) {
		const lode = await LodeInstance.open(environment);
		try {
			for (const commit of commits) {
				const { files } = await lode.ingest(path, commit);
				expect(files.failed).toBe(0);
			}
			return (await lode.verified()).stores;
		} finally {
			await lode.close();
		}
	}

	test.each<[CorpusName, number]>([
		["jaffle-shop-classic", Number.POSITIVE_INFINITY],
		["httpx", process.env.LODE_TEST_THOROUGH === "1" ? 40 : 15],
	])(
		"%s: its last commits (%d) one after the other, and the last one directly",
		async (name, last) => {
			const corpus = await cloneCorpus(name);
			try {
				const commits = corpus.commits.slice(-last);
				const incremental = await digests(corpus.path, commits);
				expect(incremental).toEqual(await digests(corpus.path, commits.slice(-1)));
			} finally {
				await corpus.remove();
			}
		},
		300_000,
	);
});
