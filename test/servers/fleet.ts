import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { destroyServer, isRunning, type RunningServer } from "./processes.js";
import type { ServerName } from "./server.js";

const RECORD = ".server.json";

/** The servers whose records lie in one folder, written by several processes: a file a server. */
export class Fleet {
	constructor(readonly folder: string) {}

	create(): void {
		mkdirSync(this.folder, { recursive: true });
		chmodSync(this.folder, 0o711);
	}

	/** Where the data of a server goes. */
	dataFolder(id: string): string {
		return join(this.folder, id);
	}

	write(id: string, { name, folder, addresses, processes }: RunningServer): void {
		const file = join(this.folder, `${id}${RECORD}`);
		// It holds passwords, if only of throw-away servers.
		writeFileSync(`${file}.new`, JSON.stringify({ name, folder, addresses, processes }), { mode: 0o600 });
		renameSync(`${file}.new`, file);
	}

	read<N extends ServerName>(id: N): RunningServer<N> | undefined;
	read(id: string): RunningServer | undefined;
	read(id: string): RunningServer | undefined {
		try {
			return JSON.parse(readFileSync(join(this.folder, `${id}${RECORD}`), "utf8")) as RunningServer;
		} catch {
			return undefined;
		}
	}

	/** The server of this id, where it runs. */
	async running<N extends ServerName>(id: N): Promise<RunningServer<N> | undefined> {
		const server = this.read(id);
		return server && (await isRunning(server.processes)) ? server : undefined;
	}

	ids(): string[] {
		try {
			return readdirSync(this.folder)
				.filter((name) => name.endsWith(RECORD))
				.map((name) => name.slice(0, -RECORD.length));
		} catch {
			return [];
		}
	}

	async destroy(id: string): Promise<void> {
		const server = this.read(id);
		if (server) await destroyServer(server);
		rmSync(join(this.folder, `${id}${RECORD}`), { force: true });
	}

	/** Ends all of them and deletes the folder. */
	async destroyAll(): Promise<string[]> {
		const ids = this.ids();
		await Promise.all(ids.map((id) => this.destroy(id)));
		rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
		return ids;
	}
}
