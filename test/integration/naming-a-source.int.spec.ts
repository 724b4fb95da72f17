import type { TestWorkflowEnvironment } from "@temporalio/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createRepository } from "../support/git-repository.js";
import { LodeInstance } from "../support/lode-instance.js";
import { temporalEnvironment } from "../support/temporal-environment.js";

/** Real: Temporal server, worker, all stores, git. */
let environment: TestWorkflowEnvironment;
beforeAll(async () => {
	environment = await temporalEnvironment();
});
afterAll(() => environment?.teardown());

test("a source is named by its id, a unique beginning of it, or its address; what names several is refused", async () => {
	const lode = await LodeInstance.open(environment);
	const repository = await createRepository();
	try {
		await repository.commit({ files: { "a.md": "# Alpha\n" } });
		const { source } = await lode.ingest(repository.path);
		const search = (name: string) => lode.reader.search({ text: "alpha", source: name, limit: 1 });
		const [{ address } = { address: "" }] = await lode.reader.sources();
		for (const name of [source, source.slice(0, "repository-".length), address])
			expect((await search(name)).hits[0]?.source).toBe(source);
		await repository.branch("next");
		const other = await lode.ingest(repository.path, "next");
		expect(other.source).not.toBe(source);
		for (const name of [source.slice(0, "repository-".length), address]) {
			await expect(search(name)).rejects.toMatchObject({ code: "USAGE", next: expect.stringContaining(other.source) });
		}
		expect((await search(source)).hits[0]?.source).toBe(source);
		await expect(search("nothing")).rejects.toMatchObject({ code: "SOURCE_NOT_FOUND" });
	} finally {
		await lode.close();
		await repository.remove();
	}
});
