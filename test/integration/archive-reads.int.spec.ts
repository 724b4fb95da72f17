import type { TestWorkflowEnvironment } from "@temporalio/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createRepository } from "../support/git-repository.js";
import { LodeInstance } from "../support/lode-instance.js";
import { temporalEnvironment } from "../support/temporal-environment.js";

/** Real: Temporal server, worker, all stores, git. Reads of the archive are counted at its port. */
describe("what an ingestion reads of the archive", () => {
	let environment: TestWorkflowEnvironment;
	beforeAll(async () => {
		environment = await temporalEnvironment();
	});
	afterAll(() => environment?.teardown());

	test("a folder of many files is read a few times, not once for each file", async () => {
		const repository = await createRepository();
		let reads = 0;
		const lode = await LodeInstance.open(environment, {
			ports: (ports) => ({
				...ports,
				artifacts: {
					...ports.artifacts,
					get: (object) => {
						reads += 1;
						return ports.artifacts.get(object);
					},
				},
			}),
		});
		try {
			await repository.commit({
				files: Object.fromEntries(Array.from({ length: 400 }, (_, at) => [`flat/f${at}.md`, `# File ${at}\n`])),
			});
			await lode.ingest(repository.path);
			expect(reads).toBeLessThan(20);
		} finally {
			await lode.close();
			await repository.remove();
		}
	});
});
