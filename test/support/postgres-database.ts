import { Secret } from "../../src/config/secret.js";
import { PostgresDatabase } from "../../src/stores/postgres/postgres-database.js";
import type { PostgresOptions } from "../../src/stores/postgres/postgres-options.js";
import { newInstallation, postgresEnvironment } from "./server-profile.js";
import { useServer } from "./servers.js";

export function postgresOptions(url: string, installation = newInstallation()): PostgresOptions {
	const environment = postgresEnvironment(url);
	return {
		url: environment.LODE_POSTGRES_URL as string,
		password: new Secret(environment.LODE_POSTGRES_PASSWORD as string),
		installation,
		poolSize: 5,
	};
}

/** An installation of its own on the run's Postgres. `open` gives a pool each time, as every process has one. */
export async function testPostgres(): Promise<{
	options: PostgresOptions;
	open(): PostgresDatabase;
	/** Closes what was opened and drops the schema. */
	destroy(): Promise<void>;
}> {
	const options = postgresOptions((await useServer("postgres")).url);
	const opened: PostgresDatabase[] = [];
	const open = () => {
		const database = new PostgresDatabase(options);
		opened.push(database);
		return database;
	};
	return {
		options,
		open,
		async destroy() {
			await open().dropSchema();
			for (const database of opened) await database.close();
		},
	};
}
