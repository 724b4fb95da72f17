import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, Connection } from "@temporalio/client";
import { loadConfig } from "../../src/config/config.js";
import type { LodeCommander, LodeReader } from "../../src/services/lode.js";
import { openCommander, openReader } from "../../src/wiring.js";
import { DevProcess } from "../support/lode-process.js";
import { peakOfEnded, peakOfRunning, reportingEnvironment } from "./peak-memory.js";

/** A built `lode dev` in a home of its own, with the services that the CLI uses opened in this process. Default settings, lexical embedding. */
export interface RunningLode {
	readonly home: string;
	/** Of its Temporal server. */
	readonly address: string;
	readonly commander: LodeCommander;
	readonly reader: LodeReader;
	readonly temporal: Client;
	pids(): Promise<{ readonly worker: number; readonly temporal: number }>;
}

export interface LodeRun<T> {
	readonly value: T;
	/** Peak resident memory of the worker process, bytes. */
	readonly workerPeak: number | undefined;
}

export const LEXICAL = { LODE_EMBEDDING_PROVIDER: "lexical" };

export async function withRunningLode<T>(
	use: (lode: RunningLode) => Promise<T>,
	settings: Readonly<Record<string, string>> = LEXICAL,
): Promise<LodeRun<T>> {
	const folder = await mkdtemp(join(tmpdir(), "lode-bench-"));
	const home = join(folder, "home");
	const hasProc = (await peakOfRunning(process.pid)) !== undefined;
	const dev = await DevProcess.start(home, { ...settings, ...(hasProc ? {} : reportingEnvironment(folder)) });
	const closing: (() => Promise<unknown>)[] = [];
	try {
		const address = await dev.runtimeAddress();
		const worker = await dev.pidOf("worker");
		if (address === undefined || worker === undefined) throw new Error("lode dev is not there");
		const { config } = loadConfig({ env: { LODE_HOME: home, ...settings }, cwd: folder });
		const commander = await openCommander(config, { address });
		closing.push(() => commander.close());
		const reader = await openReader(config);
		closing.push(() => reader.close());
		const connection = await Connection.connect({ address });
		closing.push(() => connection.close());
		const temporal = new Client({ connection, namespace: config.temporal.namespace });
		const pids = async () => ({ worker, temporal: (await dev.pidOf("Temporal")) ?? 0 });
		const value = await use({ home, address, commander, reader, temporal, pids });
		if ((await dev.pidOf("worker")) !== worker) throw new Error("the worker was restarted: see the log of `lode dev`");
		let workerPeak = await peakOfRunning(worker);
		for (const close of closing.splice(0)) await close();
		await dev.stop();
		workerPeak ??= await peakOfEnded(folder, worker);
		return { value, workerPeak };
	} finally {
		for (const close of closing) await close().catch(() => undefined);
		await dev.stop();
		await rm(folder, { recursive: true, force: true, maxRetries: 5 });
	}
}
