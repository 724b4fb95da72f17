import type { TestWorkflowEnvironment } from "@temporalio/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { groupSchema } from "../../src/domain/group.js";
import { sourceId } from "../../src/domain/keys.js";
import type { SearchReport } from "../../src/services/reports.js";
import { ApiInstance } from "../support/api-instance.js";
import { gatedEmbeddings } from "../support/gated-embeddings.js";
import { createRepository } from "../support/git-repository.js";
import { LodeInstance } from "../support/lode-instance.js";
import { hasServerProfile, serverProfile } from "../support/server-profile.js";
import { temporalEnvironment } from "../support/temporal-environment.js";

const LEXICAL = "lexical-v1-384";
const OTHER = "openai/gated-4";

const page = (name: string) => `# ${name}\n\nEvery order of the customer ${name} is described here.\n`;

/** Real: Temporal server, worker, all stores, git, the API and an embedding endpoint over HTTP. */
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
		const api = await ApiInstance.open(lode);
		const ask = async <T>(path: string, init: RequestInit = {}): Promise<T> => {
			const answer = await fetch(`${api.url}/api/v1${path}`, {
				...init,
				headers: init.body ? { "content-type": "application/json" } : {},
			});
			const body = await answer.json();
			if (!answer.ok) throw new Error(`${path}: ${JSON.stringify(body)}`);
			return body as T;
		};
		const search = (q: string) => ask<SearchReport>(`/search?q=${encodeURIComponent(q)}&limit=8`);
		const answers: SearchReport[] = [];
		let stop = false;
		try {
			const known = await lode.ports.sources.of("git").resolve(repo.path, undefined);
			const source = sourceId(known.address, known.branch);
			const indexing = { model: LEXICAL };
			const { kind, address, branch } = known;
			const group = groupSchema.parse({ source, name: "default", indexing });
			await lode.ports.catalog.putSource({ id: source, kind, address, branch, policy: "every" }, group);
			// The same files again, by a group that stays as it is.
			await lode.ports.catalog.putGroup(groupSchema.parse({ source, name: "docs", path: "docs", indexing }));
			await lode.ingest(repo.path);

			const searching = (async () => {
				while (!stop) {
					answers.push(await search("order of a customer"));
					await new Promise((resolve) => setTimeout(resolve, 20));
				}
			})();
			searching.catch(() => undefined);
			const change = JSON.stringify({ indexing: { model: "configured" } });
			const id = `${source}:default`;
			// What fails leaves the old index, and can be taken back.
			endpoint.refuse(true);
			const failed = ask(`/groups/${id}?timeout=120`, { method: "PUT", body: change });
			await expect(failed).rejects.toThrow("EMBEDDING_FAILED");
			expect(await ask(`/groups/${id}`)).toMatchObject({ state: "reindexing", indexing: { model: OTHER } });
			const back = JSON.stringify({ indexing: { model: LEXICAL } });
			expect(await ask(`/groups/${id}?timeout=120`, { method: "PUT", body: back })).toMatchObject({
				result: { state: "indexed", reindex: null },
			});
			endpoint.refuse(false);

			const { command_id: command } = await ask<{ command_id: string }>(`/groups/${id}`, {
				method: "PUT",
				body: change,
			});
			await endpoint.asked;
			expect(await ask(`/groups/${id}`)).toMatchObject({
				state: "reindexing",
				indexing: { model: OTHER },
				serves: { indexing: { model: LEXICAL } },
			});
			expect(await ask(`/commands/${command}`)).toMatchObject({ status: "RUNNING", progress: { stage: "warming" } });
			// The warm-up stands at the gate; the source does not.
			await repo.commit({ files: { "docs/d.md": page("delta") }, deletes: ["docs/b.md"] });
			expect(await lode.ingest(repo.path)).toMatchObject({ outcome: "published", snapshot: 2 });
			expect(await search("delta")).toMatchObject({ snapshot: 2, model: LEXICAL });
			endpoint.open();
			const { result, visibility_token: token } = await ask<{
				result: { reindex: { embedded: number } };
				visibility_token: string;
			}>(`/commands/${command}/wait?timeout=120`);
			expect(result).toMatchObject({ state: "indexed", serves: null, reindex: { outcome: "switched", snapshot: 3 } });
			expect(token).toBe("snapshot:3");
			const after = answers.length;
			const threeMore = async () => {
				while (answers.length < after + 3 && !stop) await new Promise((resolve) => setTimeout(resolve, 5));
			};
			// A search that failed ends this with its error, not at the end of the test's time.
			await Promise.race([threeMore(), searching]);
			stop = true;
			await searching;

			// All that it cost was done before it took its turn, what the commit brought meanwhile too.
			const [reindexing] = await lode.ports.catalog.ingestions({ source, limit: 1 });
			expect(reindexing?.stats).toMatchObject({ embedded: 0, chunks: 5 });
			expect(result.reindex.embedded).toBe(4);
			// Never empty, never in part, never the same twice, and once over there was no way back.
			const both = `${LEXICAL},${OTHER}`;
			const states = answers.map(({ model, hits }) => {
				const paths = hits.map(({ path }) => path).filter((path) => path.startsWith("docs/"));
				return `${model} ${paths.sort().join()}`;
			});
			const [first, second, third] = [
				`${LEXICAL} docs/a.md,docs/b.md`,
				`${LEXICAL} docs/a.md,docs/d.md`,
				`${both} docs/a.md,docs/d.md`,
			];
			expect([...new Set(states)]).toEqual([first, second, third]);
			expect(states.lastIndexOf(second)).toBeLessThan(states.indexOf(third));
			await lode.verified();
		} finally {
			stop = true;
			endpoint.open();
			await api.close();
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
