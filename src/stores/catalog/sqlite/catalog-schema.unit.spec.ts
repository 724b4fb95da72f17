import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { addSource, ingest, TestClock } from "../../../../test/support/catalog-fixtures.js";
import { createSqliteCatalog } from "./sqlite-catalog.adapter.js";

test("a catalog of before is brought up to date, and collects what it has", async () => {
	const folder = await mkdtemp(join(tmpdir(), "lode-catalog-"));
	const path = join(folder, "catalog.db");
	const clock = new TestClock();
	try {
		const catalog = createSqliteCatalog({ path, now: clock.now });
		await addSource(catalog, "a", { maxVersions: 1 });
		for (let n = 1; n <= 3; n++) {
			await ingest(catalog, "a", `c${n}`, { "x.ts": n });
			clock.advance(60);
		}
		const horizon = await catalog.moveHorizon("a", clock.now());
		await catalog.close();

		const old = new DatabaseSync(path);
		old.exec(`
			DROP INDEX entry_removed;
			CREATE INDEX entry_removed ON entry (removed_at, origin) WHERE removed_at IS NOT NULL;
			PRAGMA user_version = 2;
		`);
		old.close();

		const reopened = createSqliteCatalog({ path, now: clock.now });
		expect(await reopened.check()).toEqual([]);
		expect(horizon && (await reopened.collect("a", horizon))).toBe(2);
		expect(await reopened.check()).toEqual([]);
		await reopened.close();
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
});
