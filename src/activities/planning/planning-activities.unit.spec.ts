import { MockActivityEnvironment } from "@temporalio/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { addSource, started } from "../../../test/support/catalog-fixtures.js";
import { createMemoryArchive } from "../../../test/support/memory-archive.js";
import type { Change } from "../../domain/commits.js";
import { recipeOf } from "../../services/recipe.js";
import type { CommitRange, SourceAdapter } from "../../sources/source.port.js";
import type { Catalog } from "../../stores/catalog/catalog.port.js";
import { createSqliteCatalog } from "../../stores/catalog/sqlite/sqlite-catalog.adapter.js";
import type { Ports } from "../ports.js";
import { createPlanningActivities } from "./planning-activities.js";
import { PreparedSources } from "./prepared-sources.js";

/** Real: the catalog in SQLite. Stand-ins: a repository whose pages the test gives out, an archive in memory, and the activity's surroundings. */
describe("a plan that is given up", () => {
	let catalog: Catalog;
	let seq: number;
	beforeEach(async () => {
		catalog = createSqliteCatalog({ path: ":memory:" });
		const source = await addSource(catalog, "shop");
		seq = (await started(catalog, source, "c1", await recipeOf(catalog, source))).seq;
	});
	afterEach(() => catalog.close());

	const change = (path: string): Change => ({
		type: "added",
		file: { path, blob: "b".repeat(40), mode: "file", size: 10 },
	});
	const commit = (sha: string): CommitRange => ({
		type: "added",
		commit: {
			...{ sha, parents: [], authorName: "A", authorEmail: "a@b", authoredAt: "2026-01-01T00:00:00Z" },
			...{ subject: sha, paths: [] },
		},
	});

	/** Five pages of changes and five of the log, of one item each; `onPage` hears of each before it is given. */
	function planning(onPage: (read: string) => void) {
		const read: string[] = [];
		const ended: string[] = [];
		async function* pages<T>(name: string, item: (id: string) => T): AsyncGenerator<T[]> {
			try {
				for (let page = 1; page <= 5; page += 1) {
					read.push(`${name} ${page}`);
					onPage(`${name} ${page}`);
					yield [item(`${name}${page}`)];
				}
			} finally {
				ended.push(name);
			}
		}
		const adapter: Partial<SourceAdapter> = {
			prepare: async () => undefined,
			changes: () => pages("changes", change),
			commits: () => pages("log", commit),
		};
		const ports = {
			catalog,
			artifacts: createMemoryArchive(),
			sources: { of: () => adapter },
			limits: { smallCommitFiles: 100 },
		} as unknown as Ports;
		const { planChanges } = createPlanningActivities(ports, new PreparedSources(ports), { repeated: false });
		return { read, ended, planChanges };
	}

	test.each([
		["changes 3", ["log 1", "changes 1", "changes 2", "changes 3"]],
		["log 2", ["log 1", "changes 1", "changes 2", "changes 3", "changes 4", "changes 5", "log 2"]],
	])("at %s reads no further, and closes what it reads from", async (last, expected) => {
		const environment = new MockActivityEnvironment({ isLocal: true });
		const { read, ended, planChanges } = planning((page) => {
			if (page === last) environment.cancel("TIMED_OUT");
		});
		await expect(environment.run(planChanges, seq)).rejects.toMatchObject({ name: "CancelledFailure" });
		expect(read).toEqual(expected);
		expect(ended.sort()).toEqual(["changes", "log"]);
	});

	test("is made again by the activity that follows, as if nobody had begun it", async () => {
		const environment = new MockActivityEnvironment({ isLocal: true });
		const { planChanges } = planning((page) => {
			if (page === "log 5") environment.cancel("TIMED_OUT");
		});
		await expect(environment.run(planChanges, seq)).rejects.toThrow();
		const undisturbed = { batches: 3, fileBatches: 1, files: { added: 5, changed: 0, removed: 0 }, together: true };
		expect(await new MockActivityEnvironment({}).run(planChanges, seq)).toEqual(undisturbed);
	});
});
