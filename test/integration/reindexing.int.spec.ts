import type { TestWorkflowEnvironment } from "@temporalio/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { groupSchema } from "../../src/domain/group.js";
import { sourceId } from "../../src/domain/keys.js";
import type { SearchReport } from "../../src/services/reports.js";
import { gatedEmbeddings } from "../support/gated-embeddings.js";
import { createRepository } from "../support/git-repository.js";
import { LodeInstance } from "../support/lode-instance.js";
import { hasServerProfile, serverProfile } from "../support/server-profile.js";
import { temporalEnvironment } from "../support/temporal-environment.js";

const LEXICAL = "lexical-v1-384";
const OTHER = "openai/gated-4";

const page = (name: string) => `# ${name}\n\nEvery order of the customer ${name} is described here.\n`;

/** Real: Temporal server, worker, all stores, git, an embedding endpoint over HTTP. */
describe("a group's model changes under constant search", () => {
	let environment: TestWorkflowEnvironment;
	beforeAll(async () => {
		environment = await temporalEnvironment();
	});
	afterAll(() => environment?.teardown());

	async function changesModel(profile: Record<string, string>): Promise<void> {
		const endpoint = await gatedEmbeddings();
		const repo = await createRepository();
		await repo.commit({
			files: { "docs/a.md": page("alpha"), "docs/b.md": page("beta"), "c.py": "def order(): pass\n" },
		});
		const lode = await LodeInstance.open(environment, {
			env: {
				...profile,
				LODE_EMBEDDING_PROVIDER: "openai",
				LODE_EMBEDDING_BASE_URL: endpoint.url,
				LODE_EMBEDDING_MODEL: "gated",
			},
		});
		const answers: SearchReport[] = [];
		let stop = false;
		try {
			const known = await lode.ports.sources.of("git").resolve(repo.path, undefined);
			const source = sourceId(known.address, known.branch);
			const group = groupSchema.parse({ source, name: "default", indexing: { model: LEXICAL } });
			const { kind, address, branch } = known;
			await lode.ports.catalog.putSource({ id: source, kind, address, branch, policy: "every" }, group);
			await lode.ingest(repo.path);

			const searching = (async () => {
				while (!stop) answers.push(await lode.reader.search({ text: "order of a customer", limit: 5 }));
			})();
			const changing = lode.commander.updateGroup(source, "default", { indexing: { model: "configured" } }, {});
			await endpoint.asked;
			expect(await lode.reader.group(source, "default")).toMatchObject({
				state: "reindexing",
				indexing: { model: OTHER },
				serves: { indexing: { model: LEXICAL } },
			});
			// The warm-up stands at the gate; the source does not.
			await repo.commit({ files: { "docs/d.md": page("delta") }, deletes: ["docs/b.md"] });
			expect(await lode.ingest(repo.path)).toMatchObject({ outcome: "published", snapshot: 2 });
			const meanwhile = await lode.reader.search({ text: "delta", limit: 1 });
			expect(meanwhile).toMatchObject({ model: LEXICAL, hits: [{ path: "docs/d.md" }] });
			endpoint.open();
			const changed = await changing;
			expect(changed).toMatchObject({ state: "indexed", serves: null, reindex: { outcome: "switched", snapshot: 3 } });
			const after = answers.length;
			while (answers.length < after + 3) await new Promise((resolve) => setTimeout(resolve, 5));
			stop = true;
			await searching;

			// All that it cost was done before it took its turn, what the commit brought meanwhile too.
			const [reindexing] = await lode.ports.catalog.ingestions({ source, limit: 1 });
			expect(reindexing?.stats).toMatchObject({ embedded: 0, chunks: 3 });
			expect(changed.reindex?.embedded).toBe(4);
			// Never empty, never two models in one answer, and once over there was no way back.
			expect(answers.filter(({ hits }) => hits.length === 0)).toEqual([]);
			const models = answers.map(({ model }) => model);
			const switched = models.indexOf(OTHER);
			expect(switched).toBeGreaterThan(0);
			expect(new Set(models.slice(0, switched))).toEqual(new Set([LEXICAL]));
			expect(new Set(models.slice(switched))).toEqual(new Set([OTHER]));
			await lode.verified();
		} finally {
			stop = true;
			endpoint.open();
			await lode.close();
			await endpoint.close();
			await repo.remove();
		}
	}

	test("embedded: no answer in between is empty, and commits go on", () => changesModel({}));

	test.runIf(hasServerProfile())("on servers: the same", async () =>
		changesModel(await serverProfile(environment.address)),
	);
});
