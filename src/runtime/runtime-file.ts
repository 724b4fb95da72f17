import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { LodeError } from "../domain/errors.js";
import { isSameProcess, processIdentity, UNKNOWN_IDENTITY } from "./process-identity.js";

const recordedProcess = z.object({ pid: z.number().int().positive(), identity: z.string().min(1) });
const recordedChild = recordedProcess.extend({ name: z.string() });
export type RecordedProcess = z.infer<typeof recordedProcess>;
export type RecordedChild = z.infer<typeof recordedChild>;

const runtimeSchema = recordedProcess.extend({
	/** host:port of the Temporal server. */
	address: z.string(),
	/** URL of its Web UI; null where Lode did not start it. */
	uiAddress: z.string().nullable(),
	/** ISO 8601, UTC. */
	startedAt: z.string(),
	owner: z.enum(["dev", "ingest"]),
});
/** What `<home>/run/runtime.json` says of the process that keeps Temporal and the worker running. */
export type RuntimeRecord = z.infer<typeof runtimeSchema>;

const childrenSchema = z.object({ owner: recordedProcess, children: z.array(recordedChild) });

/** The files below `<home>/run`. Written atomically; whatever does not parse counts as absent. */
export class RunFolder {
	readonly path: string;

	constructor(home: string) {
		this.path = join(home, "run");
	}

	get #users(): string {
		return join(this.path, "users");
	}

	async create(): Promise<void> {
		await mkdir(this.#users, { recursive: true });
	}

	runtime(): Promise<RuntimeRecord | undefined> {
		return this.#read("runtime.json", runtimeSchema);
	}

	writeRuntime(record: RuntimeRecord): Promise<void> {
		return this.#write("runtime.json", record);
	}

	async removeRuntime(): Promise<void> {
		await rm(join(this.path, "runtime.json"), { force: true });
	}

	writeChildren(owner: RecordedProcess, children: readonly RecordedChild[]): Promise<void> {
		return this.#write("children.json", { owner, children: [...children] });
	}

	/** Registers this process as one that needs the runtime. */
	async join(self: RecordedProcess): Promise<void> {
		await mkdir(this.#users, { recursive: true });
		await this.#write(join("users", String(self.pid)), self);
	}

	async leave(self: RecordedProcess): Promise<void> {
		await rm(join(this.#users, String(self.pid)), { force: true });
	}

	/** The processes that still need the runtime, but for this one. Forgets those that are gone. */
	async others(self: RecordedProcess): Promise<number[]> {
		const alive: number[] = [];
		for (const name of await readdir(this.#users).catch(() => [])) {
			if (!/^\d+$/.test(name) || name === String(self.pid)) continue;
			const user = await this.#read(join("users", name), recordedProcess);
			if (user !== undefined && (await isSameProcess(user))) alive.push(user.pid);
			else await rm(join(this.#users, name), { force: true });
		}
		return alive;
	}

	/**
	 * Ends what a process that is gone left running, and waits for it: two servers must never share a database file. Only the very
	 * processes that were recorded. With `owner`: only if they are still that process's children.
	 * Returns the names of those it ended.
	 */
	async endLeftovers(owner?: number): Promise<string[]> {
		const recorded = await this.#read("children.json", childrenSchema);
		if (recorded === undefined || (owner !== undefined && recorded.owner.pid !== owner)) return [];
		const ended: string[] = [];
		for (const child of recorded.children) {
			if (child.pid === process.pid || !(await isSameProcess(child))) continue;
			await end(child);
			ended.push(child.name);
		}
		return ended;
	}

	async #read<T>(name: string, schema: z.ZodType<T>): Promise<T | undefined> {
		try {
			return schema.parse(JSON.parse(await readFile(join(this.path, name), "utf8")));
		} catch {
			return undefined;
		}
	}

	#writes: Promise<unknown> = Promise.resolve();

	/** One after the other, in order of the calls. */
	#write(name: string, value: unknown): Promise<void> {
		const written = this.#writes.then(async () => {
			const file = join(this.path, name);
			const temporary = `${file}.${process.pid}.tmp`;
			try {
				await writeFile(temporary, `${JSON.stringify(value)}\n`);
				await rename(temporary, file);
			} catch (error) {
				await rm(temporary, { force: true });
				if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
				const next = "Free some disk space, then run the command again: nothing is lost.";
				throw new LodeError("DISK_FULL", `writing ${file} failed: the disk is full`, { next, cause: error });
			}
		});
		this.#writes = written.catch(() => undefined);
		return written;
	}
}

const POLITE_MS = 10_000;

async function end(target: RecordedProcess): Promise<void> {
	signal(target.pid, "SIGTERM");
	const killAt = performance.now() + POLITE_MS;
	for (let killed = false; await isSameProcess(target); await sleep(100)) {
		if (killed || performance.now() < killAt) continue;
		killed = true;
		signal(target.pid, "SIGKILL");
	}
}

function signal(pid: number, name: NodeJS.Signals): void {
	try {
		process.kill(pid, name);
	} catch {
		// It ended in between.
	}
}

/** How this process is recorded. */
export async function ownRecord(): Promise<RecordedProcess> {
	return { pid: process.pid, identity: (await processIdentity(process.pid)) ?? UNKNOWN_IDENTITY };
}
