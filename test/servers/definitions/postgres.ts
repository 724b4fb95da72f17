import { execFile, execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chownSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { Client } from "pg";
import { freePorts } from "../free-ports.js";
import type { ServerDefinition } from "../server.js";

const run = promisify(execFile);

/** Postgres refuses to run as root: then as the user that its package brings, or as nobody. */
function anotherUser(): { uid: number; gid: number } | undefined {
	if (process.getuid?.() !== 0) return undefined;
	for (const name of ["postgres", "nobody"]) {
		try {
			const id = (flag: string) => Number(execFileSync("id", [flag, name], { stdio: ["ignore", "pipe", "ignore"] }));
			return { uid: id("-u"), gid: id("-g") };
		} catch {
			// There is no such user.
		}
	}
	throw new Error("Postgres refuses to run as root, and there is no user postgres or nobody");
}

export const postgres: ServerDefinition<"postgres"> = {
	name: "postgres",
	title: "Postgres",
	programs: ["postgres", "initdb"],
	howTo: "npm run servers:install (as root), or: apt-get install postgresql",
	async prepare(binaries, folder) {
		const user = anotherUser();
		const data = join(folder, "data");
		const password = randomBytes(12).toString("hex");
		const [port] = (await freePorts(1)) as [number];
		if (!existsSync(data)) {
			mkdirSync(data, { mode: 0o700 });
			const file = join(folder, "password");
			writeFileSync(file, password, { mode: 0o600 });
			if (user) for (const path of [data, file, folder]) chownSync(path, user.uid, user.gid);
			const args = ["-D", data, "-U", "lode", "--auth=scram-sha-256", `--pwfile=${file}`, "-E", "UTF8", "--locale=C"];
			await run(binaries.initdb as string, args, { ...user, cwd: folder, env: { PATH: process.env.PATH } });
			rmSync(file);
		}
		const url = `postgres://lode:${password}@127.0.0.1:${port}/postgres`;
		const args = ["-D", data, "-h", "127.0.0.1", "-p", String(port), "-k", "", "-c", "max_connections=300"];
		return {
			addresses: { url },
			processes: [{ name: "postgres", command: binaries.postgres as string, args, env: {}, user }],
			async ready() {
				const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
				try {
					await client.connect();
					await client.query("SELECT 1");
					return true;
				} finally {
					await client.end().catch(() => undefined);
				}
			},
		};
	},
};
