import { Client } from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Secret } from "../../src/config/secret.js";
import { errorCode } from "../../src/domain/errors.js";
import { Metrics } from "../../src/observability/metrics/metrics.js";
import { measurePostgres } from "../../src/observability/metrics/postgres-metrics.js";
import type { Catalog } from "../../src/stores/catalog/catalog.port.js";
import { openPostgresCatalogDatabase } from "../../src/stores/catalog/postgres/catalog-database.js";
import { CATALOG_COMPONENT } from "../../src/stores/catalog/postgres/catalog-schema.js";
import { createPostgresCatalog } from "../../src/stores/catalog/postgres/postgres-catalog.adapter.js";
import { createPostgresEventStore } from "../../src/stores/events/postgres/postgres-event-store.adapter.js";
import { PostgresDatabase } from "../../src/stores/postgres/postgres-database.js";
import type { PostgresOptions } from "../../src/stores/postgres/postgres-options.js";
import { addSource, fileEntry, ingest, newGroup, STATS, started, TestClock } from "../support/catalog-fixtures.js";
import { failure } from "../support/failure.js";
import { postgresOptions, testPostgres } from "../support/postgres-database.js";
import { newInstallation } from "../support/server-profile.js";
import { hasServer, ownServer, useServer } from "../support/servers.js";

/** Real: Postgres, one that is killed included. */
describe.runIf(hasServer("postgres"))("Postgres", () => {
	const closing: (() => Promise<void>)[] = [];
	afterEach(async () => {
		for (const close of closing.splice(0).reverse()) await close();
	});
	const open = (options: PostgresOptions): PostgresDatabase => {
		const database = new PostgresDatabase(options);
		closing.push(() => database.close());
		return database;
	};
	const catalogOn = (options: PostgresOptions): Catalog =>
		createPostgresCatalog({ database: openPostgresCatalogDatabase(open(options)) });
	/** As the superuser. */
	async function administer(...statements: readonly string[]): Promise<void> {
		const client = new Client({ connectionString: (await useServer("postgres")).url });
		await client.connect();
		try {
			for (const statement of statements) await client.query(statement);
		} finally {
			await client.end();
		}
	}

	describe("says which setting to correct", () => {
		let options: PostgresOptions;
		beforeAll(async () => {
			options = postgresOptions((await useServer("postgres")).url);
		});

		it("for a wrong password, without the password", async () => {
			const answer = await failure(catalogOn({ ...options, password: new Secret("wrong-password") }).sources());
			expect(answer).toMatchObject({
				code: "PERMISSION_DENIED",
				next: expect.stringContaining("LODE_POSTGRES_PASSWORD"),
			});
			expect(JSON.stringify(answer)).not.toContain("wrong-password");
		});

		it("for a database that is not there", async () => {
			const answer = await failure(catalogOn({ ...options, url: `${options.url}_absent` }).sources());
			expect(answer).toMatchObject({ code: "CONFIG_INVALID", next: expect.stringContaining("LODE_POSTGRES_URL") });
		});

		it.each(["postgres://lode@127.0.0.1:1/lode", "postgres://lode@host.invalid:5432/lode"])(
			"for an address where nobody answers (%s)",
			async (url) => {
				const answer = await failure(catalogOn({ ...options, url }).sources());
				expect(answer).toMatchObject({ code: "STORE_UNAVAILABLE", next: expect.stringContaining("LODE_POSTGRES_URL") });
			},
		);

		it("for a user who may not create the schema, or not write to it", async () => {
			const [user, installation] = [newInstallation(), newInstallation()];
			await administer(`CREATE ROLE ${user} LOGIN PASSWORD 'throw-away'`);
			const url = new URL(options.url);
			url.username = user;
			const as = { ...options, url: url.toString(), password: new Secret("throw-away"), installation };
			const answer = await failure(catalogOn(as).sources());
			expect(answer).toMatchObject({ code: "PERMISSION_DENIED", next: expect.stringContaining("LODE_POSTGRES_URL") });
			expect(await open(as).probe([CATALOG_COMPONENT])).toMatchObject({ writable: false });

			await open({ ...options, installation }).migrate(CATALOG_COMPONENT);
			await administer(
				`GRANT USAGE ON SCHEMA lode_${installation} TO ${user}`,
				`GRANT SELECT ON ALL TABLES IN SCHEMA lode_${installation} TO ${user}`,
			);
			expect(await catalogOn(as).sources()).toEqual([]);
			expect(await failure(addSource(catalogOn(as), "s"))).toMatchObject({ code: "PERMISSION_DENIED" });
			await administer(`DROP SCHEMA lode_${installation} CASCADE`, `DROP ROLE ${user}`);
		});

		it("for tables of a newer Lode", async () => {
			const { open: openMine, destroy, options: mine } = await testPostgres();
			closing.push(destroy);
			await openMine().migrate(CATALOG_COMPONENT);
			await openMine().run((client) => client.query("INSERT INTO migration VALUES ('catalog', 99, 'of the future')"));
			expect(await failure(catalogOn(mine).sources())).toMatchObject({
				code: "CONFIG_INVALID",
				message: expect.stringContaining("version 99"),
			});
		});
	});

	it("is brought up to date once by many processes that start at once", async () => {
		const { open: openMine, destroy } = await testPostgres();
		closing.push(destroy);
		const runs = await Promise.all(Array.from({ length: 6 }, () => openMine().migrate(CATALOG_COMPONENT)));
		expect(runs.filter(({ from, to }) => from !== to)).toHaveLength(1);
		expect(await openMine().probe([CATALOG_COMPONENT])).toMatchObject({
			writable: true,
			components: [{ name: "catalog", current: 3, wanted: 3 }],
		});
	});

	it("is found again by the same pool after it was killed, and kept what it acknowledged", async () => {
		const server = await ownServer("postgres");
		closing.push(() => server.destroy());
		const catalog = catalogOn(postgresOptions(server.addresses.url));
		await addSource(catalog, "s");
		const { seq } = await started(catalog, "s", "c1");
		await catalog.recordBatch(seq, { batch: "0", retired: [], entries: [fileEntry("x")] });
		await server.kill();
		expect(await failure(catalog.publish(seq, STATS))).toMatchObject({ code: "STORE_UNAVAILABLE" });
		await server.start();
		const { snapshot } = await catalog.publish(seq, STATS);
		expect(snapshot.number).toBe(1);
		expect(await catalog.check()).toEqual([]);
	});

	it("lets an abort and the batches that are being recorded take turns", async () => {
		const { open: openMine, destroy } = await testPostgres();
		closing.push(destroy);
		const catalogs = [openMine(), openMine()].map((database) =>
			createPostgresCatalog({ database: openPostgresCatalogDatabase(database) }),
		) as [Catalog, Catalog];
		const [one, other] = catalogs;
		await addSource(one, "s");
		for (let round = 0; round < 15; round++) {
			const { seq } = await started(one, "s", `c${round}`);
			const writes = Array.from({ length: 4 }, (_, batch) =>
				other
					.recordBatch(seq, {
						batch: `${batch}`,
						retired: [],
						// Enough of them that the ending comes in the middle of some.
						entries: Array.from({ length: 400 }, (_, file) => fileEntry(`f${batch}/${file}`, round)),
					})
					.catch((error: unknown) => expect(errorCode(error)).toBe("SEQ_CLOSED")),
			);
			await one.abort(seq, { code: "DISK_FULL", message: "full" });
			await one.release(seq, "parked");
			await Promise.all(writes);
			expect(await one.changedEntries(seq, "added", undefined, 10)).toEqual([]);
		}
		expect(await one.check()).toEqual([]);
	});

	describe("tampered with", () => {
		/** One consumer's own progress: any place in the log is a legal one. When a migration ran tells nothing. */
		const EXEMPT = new Set(["checkpoint", "migration"]);
		let world: Awaited<ReturnType<typeof testPostgres>>;
		let database: PostgresDatabase;
		let catalog: Catalog;
		beforeAll(async () => {
			world = await testPostgres();
			database = world.open();
			const clock = new TestClock();
			const shared = openPostgresCatalogDatabase(database);
			catalog = createPostgresCatalog({ database: shared, now: clock.now });
			for (const source of ["a", "b", "c"]) await addSource(catalog, source);
			await catalog.putGroup(newGroup("a", "default", { maxVersions: 2 }));
			for (let version = 1; version <= 4; version++) {
				clock.advance(60);
				await ingest(catalog, "a", `a${version}`, { x: version, y: 1 + (version & 1) });
			}
			await ingest(catalog, "b", "b1", { x: 2, z: 1 });
			const horizon = await catalog.moveHorizon("a", clock.now());
			if (!horizon) throw new Error("a horizon was expected");
			await catalog.collect("a", horizon);
			const staging = await started(catalog, "a", "a5");
			await catalog.recordBatch(staging.seq, { batch: "0", retired: ["file:x"], entries: [fileEntry("x", 5)] });
			await createPostgresEventStore({ database: shared }).append("other", 0, [
				{ type: "Happened", data: {}, metadata: { correlationId: "c", idempotencyKey: "k" } },
			]);
		});
		afterAll(() => world?.destroy());

		it("names something for each value of each column, and each row, that is changed", async () => {
			expect(await catalog.check()).toEqual([]);
			const { rows: columns } = await database.run((client) =>
				client.query<{ table_name: string; column_name: string; data_type: string }>(
					"SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = $1 ORDER BY 1, 2",
					[database.schema],
				),
			);
			const unnoticed: string[] = [];
			/** False where nothing was changed, or the schema itself refuses the change. */
			const changes = (statement: string) =>
				database.run(async (client) => {
					await client.query("SET session_replication_role = replica");
					const { rowCount } = await client.query(statement).catch(() => ({ rowCount: 0 }));
					await client.query("SET session_replication_role = origin");
					return (rowCount ?? 0) > 0;
				});
			const judge = async (table: string, statement: string) => {
				await database.run((client) => client.query(`CREATE TABLE kept AS TABLE ${table}`));
				const changed = await changes(statement);
				const noticed = (await catalog.check()).filter(({ record }) => !record.includes("kept"));
				await changes(`DELETE FROM ${table}`);
				await changes(`INSERT INTO ${table} SELECT * FROM kept`);
				await database.run((client) => client.query("DROP TABLE kept"));
				if (changed && noticed.length === 0) unnoticed.push(statement);
			};
			for (const { table_name: table, column_name: column, data_type: type } of columns) {
				if (EXEMPT.has(table)) continue;
				const value = type === "text" ? `coalesce("${column}", '') || 'x'` : `coalesce("${column}", 0) + 1`;
				const one = `ctid = (SELECT min(ctid) FROM ${table})`;
				await judge(table, `UPDATE ${table} SET "${column}" = ${value} WHERE ${one}`);
			}
			for (const table of new Set(columns.map(({ table_name }) => table_name))) {
				if (EXEMPT.has(table)) continue;
				await judge(table, `DELETE FROM ${table} WHERE ctid = (SELECT max(ctid) FROM ${table})`);
			}
			expect(unnoticed).toEqual([]);
			expect(await catalog.check()).toEqual([]);
		});

		it.each([
			["index entry_added", "DROP INDEX entry_added", "CREATE INDEX entry_added ON entry (added_at, origin)"],
			[
				"entry.batch",
				"ALTER TABLE entry ALTER COLUMN batch DROP NOT NULL",
				"ALTER TABLE entry ALTER COLUMN batch SET NOT NULL",
			],
			[
				"constraint event_stream_version_key",
				"ALTER TABLE event DROP CONSTRAINT event_stream_version_key",
				"ALTER TABLE event ADD CONSTRAINT event_stream_version_key UNIQUE (stream, version)",
			],
		])("notices a changed schema: %s", async (record, change, undo) => {
			await database.run((client) => client.query(change));
			const problems = await catalog.check();
			await database.run((client) => client.query(undo));
			expect(problems.map((problem) => problem.record).join("\n")).toContain(record);
			expect(await catalog.check()).toEqual([]);
		});
	});

	it("says how many connections this process has, and what the installation takes", async () => {
		const { options, destroy } = await testPostgres();
		closing.push(destroy);
		const database = open(options);
		const metrics = new Metrics({ process: false });
		measurePostgres(database, metrics);
		const page = async () => (await metrics.page()).body;
		expect(await page()).toContain('lode_postgres_connections{state="busy"} 0');
		await database.migrate(CATALOG_COMPONENT);
		await database.run(async () => {
			expect(await database.connections()).toEqual({ busy: 1, idle: 0, waiting: 0 });
		});
		expect(await page()).toContain('lode_postgres_connections{state="idle"} 1');
		expect(await database.size()).toBeGreaterThan(100_000);
	});
});
