import type { Client, WorkflowUpdateHandle } from "@temporalio/client";
import { describe, expect, it } from "vitest";
import type { IngestOutcome } from "../../workflows/contracts/ingest-commit.js";
import { awaitOutcome } from "./await-outcome.js";

const OUTCOME = { outcome: "published", ingestion: "ing-2", snapshot: 1 } as IngestOutcome;
const FAILURE = { code: "STORE_CORRUPT", message: "the graph broke" };

/** A client whose workflow tells nothing, and an update that ends when the test says so. */
describe("waiting for an accepted retry", () => {
	const temporal = { withDeadline: async () => undefined } as unknown as Client;
	const update = (result: Promise<IngestOutcome>) => ({ result: () => result }) as WorkflowUpdateHandle<IngestOutcome>;
	const shown = { onProgress: () => undefined };

	it("says that the ingestion before is still being undone, what failed, and what becomes of the request", async () => {
		const undoing = { id: "ing-1", failure: FAILURE, ended: async () => false, patienceMs: -1 };
		const never = update(new Promise(() => undefined));
		await expect(awaitOutcome(temporal, never, "ingest/s/c", shown, undoing)).rejects.toMatchObject({
			code: "SOURCE_BUSY",
			message: "ingestion ing-1 is still being undone (STORE_CORRUPT: the graph broke)",
			next: expect.stringMatching(/tried again by itself.*lode status ing-1/),
		});
	});

	it("goes on waiting once it is undone", async () => {
		const { promise, resolve } = Promise.withResolvers<IngestOutcome>();
		let asked = 0;
		const ended = async () => {
			asked += 1;
			if (asked < 2) return false;
			resolve(OUTCOME);
			return true;
		};
		expect(await awaitOutcome(temporal, update(promise), "ingest/s/c", shown, { id: "ing-1", ended })).toBe(OUTCOME);
		expect(asked).toBe(2);
	});
});
