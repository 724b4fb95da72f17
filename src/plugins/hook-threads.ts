import { MessageChannel } from "node:worker_threads";
import pLimit from "p-limit";
import { Piscina } from "piscina";
import type { z } from "zod";
import { LodeError } from "../domain/errors.js";
import { threadEntry, threadOptions } from "../mining/thread-options.js";
import { issuesOf, type PluginDeclaration } from "./declaration.js";
import type { HookOutcome, HookTask } from "./hook-worker.js";
import type { HookName } from "./plugin.js";

export interface LoadedPlugin extends PluginDeclaration {
	/** Of the module. */
	readonly url: string;
}

export interface HookThreadsOptions {
	/** How many hooks run at once. */
	readonly threads: number;
	/** Told of every failure, for a log; the message of what was thrown is in it. */
	readonly report: (line: string) => void;
	/** A plugin is left out for that long after it did not come to an end `HANGS` times in a row. Milliseconds. */
	readonly suspendMs?: number;
	/** How long a thread may take to start, with the module of a plugin in it. Milliseconds. */
	readonly declareLimitMs?: number;
	/** Heap of a thread in MiB; default 512. */
	readonly maxHeapMb?: number;
}

/** `failure`: short, and the same for the same cause, without anything that the plugin wrote. */
export type HookAnswer<T> = { readonly value: T } | { readonly failure: string };

const DEFAULT_LIMITS_MS: Readonly<Record<HookName, number>> = {
	beforeIndexing: 5_000,
	afterIndexing: 5_000,
	beforeSearch: 1_000,
	afterSearch: 1_000,
};
/** Loading a module, in a thread that starts, on a busy machine. Milliseconds. */
const DECLARE_LIMIT_MS = 15_000;
const HANGS = 3;
const SUSPEND_MS = 60_000;
const MAX_HEAP_MB = 512;
/** A plugin that fails on every file of a repository must not fill the log. */
const REPORTS_A_FAILURE = 10;

type DistributedOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/**
 * Threads that run hooks of plugins and nothing else. One that hangs, exits or fills its memory is ended with its thread, and costs nobody but
 * itself. Not a sandbox: plugins are code that whoever runs Lode chose. They get no environment, because secrets are in it.
 */
export class HookThreads {
	readonly #threads: Piscina<HookTask, HookOutcome>;
	readonly #limit: ReturnType<typeof pLimit>;
	readonly #hangs = new Map<string, { count: number; until: number }>();
	readonly #reports = new Map<string, number>();
	readonly #options: HookThreadsOptions;
	#closed = false;

	constructor(options: HookThreadsOptions) {
		this.#options = options;
		// No more tasks than threads are handed over, so that a hook's time begins when its thread does.
		this.#limit = pLimit(options.threads);
		this.#threads = new Piscina({
			...threadOptions(threadEntry(import.meta.url, "hook-worker")),
			minThreads: 0,
			maxThreads: options.threads,
			idleTimeout: 30_000,
			env: {},
			resourceLimits: { maxOldGenerationSizeMb: options.maxHeapMb ?? MAX_HEAP_MB },
		});
		// Deaths of threads reject the task that they ran; without a listener an idle one's would end the process.
		this.#threads.on("error", () => {});
	}

	/** What the module at `url` says that it is, as JSON. */
	async declare(url: string): Promise<HookAnswer<unknown>> {
		return this.#limit(async () => {
			const outcome = await this.#run({ type: "declare", url }, 0);
			if (typeof outcome === "string") return { failure: outcome };
			return "json" in outcome ? { value: JSON.parse(outcome.json) as unknown } : { failure: outcome.detail };
		});
	}

	/**
	 * Calls one hook; what it returns has to fit the schema, `null` being nothing. `tries`: how often, where it does not come to an end; the machine may have slept. `signal` ends it with the signal's reason.
	 * Never throws otherwise, but CANCELLED after `close`.
	 */
	async run<S extends z.ZodType>(
		plugin: LoadedPlugin,
		hook: HookName,
		input: object,
		schema: S,
		{ tries = 1, signal }: { tries?: number; signal?: AbortSignal } = {},
	): Promise<HookAnswer<z.output<S>>> {
		const { url, name, version } = plugin;
		return this.#limit(async () => {
			const limitMs = plugin.timeLimitsMs[hook] ?? DEFAULT_LIMITS_MS[hook];
			let failure = "";
			for (let attempt = 1; attempt <= tries; attempt++) {
				if (this.#suspended(name)) return this.#failed(plugin, hook, "left out: it did not come to an end before");
				const outcome = await this.#run({ type: "run", url, is: { name, version }, hook, input }, limitMs, signal);
				if (typeof outcome !== "string") {
					this.#hangs.delete(name);
					if (!("json" in outcome)) return this.#failed(plugin, hook, outcome.detail, outcome.message);
					const parsed = schema.safeParse(JSON.parse(outcome.json));
					if (parsed.success) return { value: parsed.data };
					return this.#failed(plugin, hook, `returned what it may not: ${issuesOf(parsed.error)}`);
				}
				failure = outcome;
				this.#hung(name);
			}
			return this.#failed(plugin, hook, failure);
		});
	}

	/** Ends all threads at once. */
	async close(): Promise<void> {
		this.#closed = true;
		await this.#threads.destroy();
	}

	/** A text says why there is no outcome. `limitMs` counts from when the hook begins. */
	async #run(
		task: DistributedOmit<HookTask, "begins">,
		limitMs: number,
		signal?: AbortSignal,
	): Promise<HookOutcome | string> {
		this.#check(signal);
		const late = new AbortController();
		let allowed = this.#options.declareLimitMs ?? DECLARE_LIMIT_MS;
		let timer = setTimeout(() => late.abort(), allowed);
		const { port1, port2 } = new MessageChannel();
		port1.once("message", () => {
			clearTimeout(timer);
			allowed = limitMs;
			timer = setTimeout(() => late.abort(), allowed);
		});
		try {
			return await this.#threads.run({ ...task, begins: port2 } as HookTask, {
				signal: signal === undefined ? late.signal : AbortSignal.any([late.signal, signal]),
				transferList: [port2],
			});
		} catch {
			this.#check(signal);
			return late.signal.aborted ? `did not come to an end within ${allowed} ms` : "ended its thread";
		} finally {
			clearTimeout(timer);
			port1.close();
		}
	}

	#failed({ name, version }: LoadedPlugin, hook: HookName, failure: string, message?: string): { failure: string } {
		const what = `plugin ${name}@${version}: ${hook} ${failure}`;
		const times = (this.#reports.get(what) ?? 0) + 1;
		this.#reports.set(what, times);
		const more = times === REPORTS_A_FAILURE ? " (not reported again)" : "";
		if (times <= REPORTS_A_FAILURE) this.#options.report(`${what}${message ? `: ${message}` : ""}${more}`);
		return { failure };
	}

	#hung(name: string): void {
		const count = (this.#hangs.get(name)?.count ?? 0) + 1;
		const until = count >= HANGS ? Date.now() + (this.#options.suspendMs ?? SUSPEND_MS) : 0;
		this.#hangs.set(name, { count, until });
	}

	#suspended(name: string): boolean {
		return (this.#hangs.get(name)?.until ?? 0) > Date.now();
	}

	#check(signal: AbortSignal | undefined): void {
		signal?.throwIfAborted();
		if (this.#closed) throw new LodeError("CANCELLED", "the threads of the plugins are closed");
	}
}
