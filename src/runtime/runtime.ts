import { setTimeout as sleep } from "node:timers/promises";
import lockfile from "proper-lockfile";
import { accessTo } from "../../temporal/server/connection.js";
import { findTemporal, type TemporalFound } from "../../temporal/server/find.js";
import { temporalAnswers, temporalReady } from "../../temporal/server/ready.js";
import { freePorts, temporalServer } from "../../temporal/server/server.js";
import type { Config } from "../config/config.js";
import { errorCode, LodeError } from "../domain/errors.js";
import { temporalChild, workerChild } from "./children.js";
import { diskStaysFull } from "./disk-room.js";
import { isSameProcess } from "./process-identity.js";
import { ownRecord, type RecordedProcess, RunFolder, type RuntimeRecord } from "./runtime-file.js";
import { Supervisor } from "./supervisor.js";

/** Temporal and a worker, running. */
export interface Runtime {
	/** host:port of the Temporal server. */
	readonly address: string;
	/** URL of the Temporal Web UI; null where Lode did not start the server. */
	readonly uiAddress: string | null;
	/** This process started it and stops it; otherwise another one does. */
	readonly owned: boolean;
	/** The process that keeps it running. */
	readonly pid: number;
}

export interface RuntimeOptions {
	/** What starts it: others then know whether it stays. Default `ingest`. */
	readonly owner?: "dev" | "ingest";
	/** Stops finding, starting and joining. What runs is still stopped in order. */
	readonly signal?: AbortSignal;
	/** Stops the runtime at the end without regard to other processes that use it. */
	readonly force?: AbortSignal;
	/** `false`: a running one is not joined; waits until an `ingest` one ends. Default true. */
	readonly join?: boolean;
	/** For tests: where the server is found, and what runs as worker. */
	readonly find?: (config: Config, report: (line: string) => void, signal?: AbortSignal) => Promise<TemporalFound>;
	readonly workerEntry?: string;
}

/** Our own server may be being restarted. */
const ANSWER_MS = 30_000;
/** Somebody else's either answers or does not; a namespace that was just registered takes it some seconds. */
const OTHERS_ANSWER_MS = 30_000;
const POLL_MS = 200;

type Report = (line: string) => void;

/** The running runtime of this home, if there is one. */
export async function runningRuntime(home: string): Promise<RuntimeRecord | undefined> {
	const record = await new RunFolder(home).runtime();
	return record !== undefined && (await isSameProcess(record)) ? record : undefined;
}

/**
 * Runs `fn` with Temporal and a worker: those that run already for this home, else its own, started for the duration of `fn` and stopped
 * afterwards, but not before the last other process that uses them is done.
 * @throws TEMPORAL_NOT_INSTALLED, TEMPORAL_UNAVAILABLE, CANCELLED, PERMISSION_DENIED, DISK_FULL, and whatever `fn` throws
 */
export async function withRuntime<T>(
	config: Config,
	report: Report,
	fn: (runtime: Runtime) => Promise<T>,
	options: RuntimeOptions = {},
): Promise<T> {
	const session = new Session(config, report, options);
	const runtime = await session.open();
	const ended = new AbortController();
	try {
		const full = diskStaysFull(config.home, ended.signal);
		full.catch(() => undefined);
		return await Promise.race([fn(runtime), full]);
	} finally {
		ended.abort();
		await session.close();
	}
}

class Session {
	readonly #folder: RunFolder;
	#self: RecordedProcess = { pid: process.pid, identity: "" };
	#supervisor: Supervisor | undefined;

	constructor(
		private readonly config: Config,
		private readonly report: Report,
		private readonly options: RuntimeOptions,
	) {
		this.#folder = new RunFolder(config.home);
	}

	async open(): Promise<Runtime> {
		await this.#createFolder();
		this.#self = await ownRecord();
		for (let told = false; ; told = true) {
			const runtime = await this.#locked(() => this.#joinOrStart());
			if (runtime !== undefined) return runtime;
			if (!told) this.report("Waiting for a running `lode ingest` to end …");
			await this.#pause();
		}
	}

	async close(): Promise<void> {
		await this.#folder.leave(this.#self);
		const supervisor = this.#supervisor;
		if (supervisor === undefined) return;
		for (let told = false; ; told = true) {
			const regardless = this.options.force?.aborted === true;
			const others = regardless ? [] : await this.#folder.others(this.#self);
			if (others.length === 0 && (await this.#stop(supervisor, regardless))) return;
			if (!told) this.report(`Waiting for ${others.length} other command(s) that use this Temporal server …`);
			await sleep(POLL_MS);
		}
	}

	/** Undefined when a runtime is there that must not be joined and will end by itself. */
	async #joinOrStart(): Promise<Runtime | undefined> {
		const record = await this.#folder.runtime();
		if (record !== undefined && (await isSameProcess(record))) {
			if (this.options.join === false && record.owner === "ingest") return undefined;
			return this.#join(record);
		}
		return this.#takeOver();
	}

	async #takeOver(): Promise<Runtime> {
		await this.#folder.removeRuntime();
		const leftovers = await this.#folder.endLeftovers();
		if (leftovers.length > 0) this.report(`Ended what an earlier run had left behind: ${leftovers.join(", ")}`);
		return this.#start();
	}

	async #join(record: RuntimeRecord): Promise<Runtime> {
		const wanted = this.config.temporal.address;
		if (wanted !== undefined && wanted !== record.address) {
			throw new LodeError(
				"TEMPORAL_UNAVAILABLE",
				`this home is in use with another Temporal server, ${record.address}`,
				{
					next: `Stop process ${record.pid} first, or unset TEMPORAL_ADDRESS.`,
				},
			);
		}
		// Its supervisor may be restarting the server right now.
		const deadline = performance.now() + ANSWER_MS;
		while (!(await temporalAnswers(accessTo(this.config.temporal, record.address)))) {
			if (performance.now() > deadline) {
				throw new LodeError("TEMPORAL_UNAVAILABLE", `the Temporal server at ${record.address} does not answer`, {
					next: `Stop process ${record.pid}, then try again.`,
				});
			}
			await this.#pause();
			if (!(await isSameProcess(record))) return this.#takeOver();
		}
		await this.#folder.join(this.#self);
		return { address: record.address, uiAddress: record.uiAddress, owned: false, pid: record.pid };
	}

	async #start(): Promise<Runtime> {
		const { config, options, report } = this;
		const supervisor = new Supervisor({
			report,
			recorded: (children) => this.#folder.writeChildren(this.#self, children),
		});
		try {
			const find = options.find ?? ((settings, say, signal) => findTemporal(settings, say, { signal }));
			const found = await find(config, report, options.signal);
			const temporal = await this.#startTemporal(supervisor, found);
			await supervisor.start(workerChild(config, temporal.address, options.workerEntry), options.signal);
			await this.#folder.writeRuntime({
				...this.#self,
				...temporal,
				startedAt: new Date().toISOString(),
				owner: options.owner ?? "ingest",
			});
			this.#supervisor = supervisor;
			return { ...temporal, owned: true, pid: process.pid };
		} catch (error) {
			await supervisor.stop();
			if (options.signal?.aborted && errorCode(error) === undefined) {
				throw new LodeError("CANCELLED", "starting Temporal and the worker was stopped", { cause: error });
			}
			throw error;
		}
	}

	async #startTemporal(
		supervisor: Supervisor,
		found: TemporalFound,
	): Promise<{ address: string; uiAddress: string | null }> {
		const { config, options, report } = this;
		const { namespace } = config.temporal;
		if (found.kind === "server") {
			const { address } = found;
			const access = accessTo(config.temporal, address);
			await temporalReady({ access, timeoutMs: OTHERS_ANSWER_MS, report, signal: options.signal });
			return { address, uiAddress: config.temporal.uiUrl ?? null };
		}
		const ports = await freePorts();
		const server = temporalServer({ binary: found.path, home: config.home, namespace, ports });
		await supervisor.start(temporalChild(config, server, report), options.signal);
		return { address: server.address, uiAddress: server.uiAddress };
	}

	/** False when somebody joined in between. */
	#stop(supervisor: Supervisor, regardless: boolean): Promise<boolean> {
		return this.#locked(async () => {
			if (!regardless && (await this.#folder.others(this.#self)).length > 0) return false;
			await this.#folder.removeRuntime();
			await supervisor.stop();
			return true;
		}, false);
	}

	async #createFolder(): Promise<void> {
		try {
			await this.#folder.create();
		} catch (error) {
			const reason = (error as NodeJS.ErrnoException).code ?? "unknown error";
			throw new LodeError(
				reason === "ENOSPC" ? "DISK_FULL" : "PERMISSION_DENIED",
				`creating ${this.#folder.path} failed: ${reason}`,
				{ next: "Make the folder writable, or set LODE_HOME to one that is.", cause: error },
			);
		}
	}

	/** Joining, starting and stopping exclude each other, over all processes of this home. */
	async #locked<T>(work: () => Promise<T>, interruptible = true): Promise<T> {
		let release: (() => Promise<void>) | undefined;
		for (let told = false; release === undefined; ) {
			try {
				// Lost only when this process sleeps for longer than `stale`; its files are written atomically in any case.
				release = await lockfile.lock(this.#folder.path, { stale: 10_000, onCompromised: () => undefined });
			} catch (error) {
				if ((error as NodeJS.ErrnoException).code !== "ELOCKED") {
					if (interruptible) throw error;
					// On a full disk no lock can be taken, and what runs must be stopped all the same.
					return await work();
				}
				if (!told) this.report("Waiting for another Lode process that is starting or stopping …");
				told = true;
				if (interruptible) await this.#pause();
				else await sleep(POLL_MS);
			}
		}
		try {
			return await work();
		} finally {
			await release().catch(() => undefined);
		}
	}

	async #pause(): Promise<void> {
		try {
			await sleep(POLL_MS, undefined, { signal: this.options.signal });
		} catch (error) {
			throw new LodeError("CANCELLED", "waiting for another Lode process was stopped", { cause: error });
		}
	}
}
