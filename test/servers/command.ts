import Table from "cli-table3";
import { Command } from "commander";
import { findProgram, upFolder } from "./binaries.js";
import { SERVERS } from "./definitions/table.js";
import { Fleet } from "./fleet.js";
import { installServers, isInstalled } from "./install.js";
import { isRunning, type RunningServer, startServer } from "./processes.js";
import { SERVER_NAMES, type ServerAddresses, type ServerName } from "./server.js";

const say = (line: string): void => void process.stderr.write(`${line}\n`);
const missing = (names: readonly ServerName[]) => {
	for (const name of names) say(`${SERVERS[name].title} is missing: ${SERVERS[name].howTo}`);
};

function chosen(names: readonly string[]): ServerName[] {
	const unknown = names.filter((name) => !SERVER_NAMES.includes(name as ServerName));
	if (unknown.length > 0) throw new Error(`${unknown.join(", ")}: there are ${SERVER_NAMES.join(", ")}`);
	return names.length === 0 ? [...SERVER_NAMES] : (names as ServerName[]);
}

/** The settings with which Lode uses what runs. */
export function settingsOf(servers: readonly RunningServer[]): Record<string, string> {
	const settings: Record<string, string> = {};
	const of = <N extends ServerName>(name: N) =>
		servers.find((server) => server.name === name)?.addresses as ServerAddresses[N] | undefined;
	const [temporal, postgres, dgraph, weaviate, minio, lakefs] = [
		of("temporal"),
		of("postgres"),
		of("dgraph"),
		of("weaviate"),
		of("minio"),
		of("lakefs"),
	];
	if (temporal) Object.assign(settings, { TEMPORAL_ADDRESS: temporal.address, TEMPORAL_UI_URL: temporal.uiAddress });
	if (postgres) {
		const url = new URL(postgres.url);
		settings.LODE_POSTGRES_PASSWORD = decodeURIComponent(url.password);
		url.password = "";
		settings.LODE_POSTGRES_URL = url.toString();
	}
	if (dgraph) settings.LODE_DGRAPH_ADDRESS = dgraph.address;
	if (weaviate) {
		Object.assign(settings, { LODE_WEAVIATE_URL: weaviate.url, LODE_WEAVIATE_GRPC_ADDRESS: weaviate.grpcAddress });
	}
	if (minio) {
		settings.LODE_S3_ENDPOINT = minio.endpoint;
		settings.LODE_S3_ACCESS_KEY_ID = minio.accessKeyId;
		settings.LODE_S3_SECRET_ACCESS_KEY = minio.secretAccessKey;
	}
	if (lakefs) {
		settings.LODE_LAKEFS_ENDPOINT = lakefs.endpoint;
		settings.LODE_LAKEFS_ACCESS_KEY_ID = lakefs.accessKeyId;
		settings.LODE_LAKEFS_SECRET_ACCESS_KEY = lakefs.secretAccessKey;
	}
	if (temporal && postgres && dgraph && weaviate && minio) settings.LODE_PROFILE = "servers";
	return settings;
}

async function up(fleet: Fleet, names: readonly ServerName[], json: boolean): Promise<number> {
	fleet.create();
	const lacking = names.filter((name) => !isInstalled(name));
	missing(lacking);
	const begun: ServerName[] = [];
	try {
		for (const name of names.filter((one) => !lacking.includes(one))) {
			if (await fleet.running(name)) continue;
			await fleet.destroy(name);
			say(`Starting ${SERVERS[name].title} …`);
			begun.push(name);
			fleet.write(name, await startServer(name, fleet.dataFolder(name), {}, (started) => fleet.write(name, started)));
		}
	} catch (error) {
		// What was started by this call and is of no use alone.
		for (const name of begun) await fleet.destroy(name);
		throw error;
	}
	const running = names.flatMap((name) => fleet.read(name) ?? []);
	const settings = settingsOf(running);
	if (json)
		console.log(JSON.stringify({ servers: running.map(({ name, addresses }) => ({ name, addresses })), settings }));
	else for (const [name, value] of Object.entries(settings)) console.log(`export ${name}=${value}`);
	return lacking.length === 0 ? 0 : 1;
}

async function status(fleet: Fleet, json: boolean): Promise<number> {
	const rows = await Promise.all(
		SERVER_NAMES.map(async (name) => {
			const server = fleet.read(name);
			const state = !server ? "not started" : (await isRunning(server.processes)) ? "running" : "dead";
			const program = SERVERS[name].programs.map(findProgram)[0];
			const pids = server?.processes.map(({ pid }) => pid) ?? [];
			const address = server ? String(Object.values(server.addresses)[0]).replace(/\/\/.*@/, "//") : null;
			return { name, state, address, pids, program: program ?? null };
		}),
	);
	if (json) {
		console.log(JSON.stringify({ servers: rows }));
		return 0;
	}
	const table = new Table({ head: ["server", "state", "address", "processes", "program"] });
	for (const { name, state, address, pids, program } of rows) {
		table.push([
			SERVERS[name].title,
			state,
			address ?? "-",
			pids.join(" ") || "-",
			program ?? `missing: ${SERVERS[name].howTo}`,
		]);
	}
	console.log(table.toString());
	return 0;
}

/** Returns the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
	const fleet = new Fleet(upFolder());
	let code = 0;
	const program = new Command("servers").description(
		"Real servers to try Lode and its tests on: natively on 127.0.0.1, on free ports, with throw-away data.",
	);
	program
		.command("install [names...]")
		.description("get programs that are missing: Go builds, the system's packages, ../shared/servers")
		.action(async (names: string[]) => {
			const lacking = await installServers(chosen(names), say);
			missing(lacking);
			code = lacking.length === 0 ? 0 : 1;
		});
	program
		.command("up [names...]")
		.description("start those that are not running; prints the settings with which Lode uses them")
		.option("--json")
		.action(async (names: string[], { json = false }: { json?: boolean }) => {
			code = await up(fleet, chosen(names), json);
		});
	program
		.command("down")
		.description("end what `up` started and delete its data")
		.action(async () => {
			const ended = await fleet.destroyAll();
			say(ended.length === 0 ? "Nothing was running." : `Ended ${ended.join(", ")}.`);
		});
	program
		.command("status")
		.option("--json")
		.description("what runs, where, and what is missing")
		.action(async ({ json = false }: { json?: boolean }) => {
			code = await status(fleet, json);
		});
	try {
		await program.parseAsync(["node", "servers", ...argv]);
		return code;
	} catch (error) {
		say(error instanceof Error ? error.message : String(error));
		return 1;
	}
}
