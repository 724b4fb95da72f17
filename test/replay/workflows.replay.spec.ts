import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "@temporalio/worker";
import { describe, expect, test } from "vitest";
import { recordHistories } from "../support/recorded-workflows.js";
import { temporalEnvironment, workflowBundle } from "../support/temporal-environment.js";

const HISTORIES = fileURLToPath(new URL("./histories/", import.meta.url));

interface RecordedHistory {
	readonly events: readonly { readonly workflowExecutionStartedEventAttributes?: { readonly workflowId: string } }[];
}

/**
 * Histories that earlier versions of the workflows left behind. A change that breaks one of them breaks workflows that run at users'
 * places: it needs `patched`. `LODE_RECORD_HISTORIES=1` adds those of the present code; the old ones stay.
 */
describe("recorded histories", async () => {
	if (process.env.LODE_RECORD_HISTORIES === "1") {
		await mkdir(HISTORIES, { recursive: true });
		const environment = await temporalEnvironment();
		try {
			for (const [name, history] of await recordHistories(environment)) {
				await writeFile(join(HISTORIES, `${name}.json`), history, { flag: "wx" }).catch(
					(error: NodeJS.ErrnoException) => {
						if (error.code !== "EEXIST") throw error;
					},
				);
			}
		} finally {
			await environment.teardown();
		}
	}
	const names = (await readdir(HISTORIES)).filter((name) => name.endsWith(".json"));

	test("there are some, of every workflow", async () => {
		const all = await Promise.all(names.map((name) => readFile(join(HISTORIES, name), "utf8")));
		for (const type of [
			"followSource",
			"ingestCommit",
			"ingestBatches",
			"collectGarbage",
			"removeSource",
			"verifySnapshot",
			"reconcileSources",
			"archiveEvents",
			"reindexSource",
		]) {
			expect(
				all.some((text) => text.includes(`"name":"${type}"`) || text.includes(`"name": "${type}"`)),
				type,
			).toBe(true);
		}
	});

	test.each(names)("%s replays", async (name) => {
		const history = JSON.parse(await readFile(join(HISTORIES, name), "utf8")) as RecordedHistory;
		// Ids of children follow from the workflow's own.
		const { workflowId } = history.events[0]?.workflowExecutionStartedEventAttributes ?? {};
		await Worker.runReplayHistory({ workflowBundle: await workflowBundle() }, history, workflowId);
	});
});
