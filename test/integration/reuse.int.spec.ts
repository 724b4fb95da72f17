import type { TestWorkflowEnvironment } from "@temporalio/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Ports } from "../../src/activities/ports.js";
import { createRepository } from "../support/git-repository.js";
import { LodeInstance } from "../support/lode-instance.js";
import { temporalEnvironment } from "../support/temporal-environment.js";

/** Real: Temporal server, worker, all stores, git. */
describe("what is reused", () => {
	let environment: TestWorkflowEnvironment;
	beforeAll(async () => {
		environment = await temporalEnvironment();
	});
	afterAll(() => environment?.teardown());

	test("embeddings that the cache lost after they were made are made again", async () => {
		const repository = await createRepository();
		let asked = 0;
		const lode = await LodeInstance.open(environment, {
			ports: (ports) => ({
				...ports,
				embeddingCache: {
					put: (...args) => ports.embeddingCache.put(...args),
					collect: (before) => ports.embeddingCache.collect(before),
					close: () => ports.embeddingCache.close(),
					async get(model, hashes) {
						// The embed step asks first; then the power goes, and with it what was not on disk.
						if (asked++ === 1) return hashes.map(() => undefined);
						return ports.embeddingCache.get(model, hashes);
					},
				},
			}),
		});
		try {
			await repository.commit({ files: { "a.md": "# Title\n\nalpha\n" } });
			expect(await lode.ingest(repository.path)).toMatchObject({ outcome: "published", chunks: 1 });
			await lode.verified();
		} finally {
			await lode.close();
			await repository.remove();
		}
	});

	test("a file that was too large is mined under a higher limit, and the reverse", async () => {
		const repository = await createRepository();
		const limits = { maxFileBytes: 50 };
		const lode = await LodeInstance.open(environment, {
			ports: (ports): Ports => ({
				...ports,
				get limits() {
					return { ...ports.limits, ...limits };
				},
			}),
		});
		try {
			const text = `# Title\n\n${"alpha beta gamma ".repeat(10)}\n`;
			const one = await repository.commit({ files: { "a.md": text } });
			expect(await lode.ingest(repository.path)).toMatchObject({ chunks: 0 });
			const two = await repository.commit({ deletes: ["a.md"], files: { "b.md": "# B\n" } });
			await lode.ingest(repository.path);
			limits.maxFileBytes = 10_000;
			expect(await lode.ingest(repository.path, one)).toMatchObject({ files: { added: 1 }, chunks: 1 });
			await lode.ingest(repository.path, two);
			limits.maxFileBytes = 50;
			expect(await lode.ingest(repository.path, one)).toMatchObject({ files: { added: 1 }, chunks: 0 });
		} finally {
			await lode.close();
			await repository.remove();
		}
	});
});
