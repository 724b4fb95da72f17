import type { Command } from "commander";
import type { Config, ConfigSources } from "../config/config.js";
import type { HttpOptions, McpHttp } from "../mcp/serve-http.js";
import type { StdioOptions } from "../mcp/serve-stdio.js";
import type { Metrics } from "../observability/metrics/metrics.js";
import type { RunningApi, startApi } from "../runtime/api-child.js";
import type { Runtime, RuntimeOptions } from "../runtime/runtime.js";
import type { RuntimeRecord } from "../runtime/runtime-file.js";
import type { LodeEvents } from "../services/events/create-events.js";
import type { LodeCommander, LodeReader, OpenedServices } from "../services/lode.js";
import type { RebuildOptions } from "../services/rebuild/rebuild.js";
import type { Check, Migrated, RebuildReport } from "../services/reports.js";
import type { LodeKeys } from "../services/security/handle-keys.js";
import { Interrupts } from "./interrupts.js";
import { type CliIo, jsonLine, printable } from "./io.js";
import { Progress } from "./progress.js";

/** What commands use of the rest of Lode; a test passes stand-ins. */
export interface CliDependencies {
	readonly io: CliIo;
	openReader(config: Config): Promise<LodeReader>;
	openCommander(config: Config, options: { address: string }): Promise<LodeCommander>;
	/** Webhooks that were parked, whether the gateway runs or not. */
	openEvents(config: Config): Promise<LodeEvents>;
	/** To each principal what it may see: for servers. */
	openServices(config: Config, metrics: Metrics): Promise<OpenedServices>;
	/** API keys. */
	openKeys(config: Config): Promise<LodeKeys>;
	withRuntime<T>(
		config: Config,
		report: (line: string) => void,
		fn: (runtime: Runtime) => Promise<T>,
		options?: RuntimeOptions,
	): Promise<T>;
	/** Asks the configured provider which model it has, without downloading one. */
	probeEmbeddings(config: Config): Promise<{ provider: string; model: string }>;
	/** Each configured server: reachable, version, permissions, schema. Changes nothing. */
	checkServers(config: Config): Promise<Check[]>;
	/** Makes the catalog and the stores again from the archive. */
	rebuild(config: Config, options: RebuildOptions): Promise<RebuildReport>;
	migrateServers(config: Config, report: (line: string) => void): Promise<Migrated[]>;
	/** Has sources compared with their repositories, and what happens archived, from now on. */
	keepSchedules(config: Config, options: { address: string }): Promise<void>;
	/** The HTTP API as a child of this process. */
	startApi(...args: Parameters<typeof startApi>): Promise<RunningApi>;
	runningRuntime(home: string): Promise<RuntimeRecord | undefined>;
	/** Servers for AI agents; the process's own streams belong to `stdio` from then on. */
	mcp(): Promise<{
		stdio(options: Pick<StdioOptions, "reader" | "version" | "report">, signal: AbortSignal): Promise<void>;
		http(options: HttpOptions): Promise<McpHttp>;
	}>;
}

/** Options that every command takes. */
export interface GlobalOptions {
	readonly json?: boolean;
	readonly home?: string;
	readonly logLevel?: string;
	readonly temporalAddress?: string;
	readonly temporalNamespace?: string;
	readonly embeddingProvider?: string;
	readonly embeddingBaseUrl?: string;
	readonly embeddingModel?: string;
	readonly set?: readonly (readonly [string, string])[];
}

/** One run of one command. */
export class Invocation {
	/** What the process exits with when the command returns. */
	exitCode = 0;
	readonly io: CliIo;

	constructor(
		readonly dependencies: CliDependencies,
		readonly globals: GlobalOptions,
	) {
		this.io = dependencies.io;
	}

	get json(): boolean {
		return this.globals.json === true;
	}

	/** Where settings are read from: the flags of this command line, the environment, the current folder. */
	get sources(): ConfigSources {
		const { globals, io } = this;
		const flags: Record<string, string | undefined> = {
			...Object.fromEntries(globals.set ?? []),
			...defined({
				LODE_HOME: globals.home,
				LODE_LOG_LEVEL: globals.logLevel,
				TEMPORAL_ADDRESS: globals.temporalAddress,
				TEMPORAL_NAMESPACE: globals.temporalNamespace,
				LODE_EMBEDDING_PROVIDER: globals.embeddingProvider,
				LODE_EMBEDDING_BASE_URL: globals.embeddingBaseUrl,
				LODE_EMBEDDING_MODEL: globals.embeddingModel,
			}),
		};
		return { flags, env: io.env, cwd: io.cwd };
	}

	/** @throws CONFIG_INVALID */
	async config(): Promise<Config> {
		const { loadConfig } = await import("../config/config.js");
		return loadConfig(this.sources).config;
	}

	/** The command's answer: with `--json` the object, else what `human` makes of it. */
	async result(answer: object, human: () => string | Promise<string>): Promise<void> {
		if (this.json) {
			this.io.stdout.write(jsonLine(answer));
			return;
		}
		const text = await human();
		this.io.stdout.write(printable(text.endsWith("\n") ? text : `${text}\n`));
	}

	/** A line for people, on standard error. */
	note = (line: string): void => {
		this.io.stderr.write(printable(`${line}\n`));
	};

	/** Characters in a line of the terminal; 100 elsewhere. */
	get width(): number {
		return Math.min(Math.max(this.io.stdout.columns ?? 100, 40), 200);
	}

	async withReader<T>(use: (reader: LodeReader, config: Config) => Promise<T>): Promise<T> {
		const config = await this.config();
		const reader = await this.dependencies.openReader(config);
		try {
			return await use(reader, config);
		} finally {
			await reader.close();
		}
	}

	/**
	 * Runs `use` with Temporal and a worker, started where needed. Ctrl-C stops waiting at once (CANCELLED): what Temporal has accepted
	 * is finished by whoever keeps it running, or by the next start.
	 */
	async withCommander<T>(
		what: string,
		use: (commander: LodeCommander, progress: Progress, signal: AbortSignal) => Promise<T>,
	): Promise<T> {
		const config = await this.config();
		const interrupts = new Interrupts(this.io.signals);
		const progress = new Progress(this.io);
		const { signal, force } = interrupts;
		try {
			return await this.dependencies.withRuntime(
				config,
				(line) => progress.line(line),
				async (runtime) => {
					if (runtime.uiAddress !== null) progress.line(`Temporal Web UI: ${runtime.uiAddress}`);
					const commander = await this.dependencies.openCommander(config, { address: runtime.address });
					const stopped = interrupts.interrupted.then(async (): Promise<never> => {
						progress.stop();
						const { LodeError } = await import("../domain/errors.js");
						throw new LodeError("CANCELLED", `stopped waiting for ${what}`, {
							next: runtime.owned
								? "What was accepted is safe: the next `lode dev` or `lode ingest` finishes it."
								: "It goes on in the Lode that is running; `lode status` shows it.",
						});
					});
					// It rejects in any case once interrupted, even when nobody waits for it any more.
					stopped.catch(() => undefined);
					try {
						// Only here is it known who finishes what was accepted: the service's own word on the interruption gives way.
						const used = use(commander, progress, signal).catch((error: unknown) => {
							if (signal.aborted) return stopped;
							throw error;
						});
						return await Promise.race([stopped, used]);
					} finally {
						progress.stop();
						// After an interruption calls may still be under way, and the Temporal client throws out of a timer when its
						// connection is closed between two tries of one. The end of the process closes it.
						if (!signal.aborted) await commander.close();
					}
				},
				{ signal, force },
			);
		} finally {
			progress.stop();
			interrupts.dispose();
		}
	}
}

function defined(values: Record<string, string | undefined>): Record<string, string> {
	return Object.fromEntries(
		Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined),
	);
}

/** Registers commands: gives each handler its invocation, then its arguments and options as commander parsed them. */
export class Cli {
	exitCode = 0;

	constructor(readonly dependencies: CliDependencies) {}

	action<A extends unknown[]>(
		command: Command,
		handler: (invocation: Invocation, ...parsed: A) => Promise<void>,
	): Command {
		return command.action(async (...parsed: unknown[]) => {
			// Commander passes the arguments, then the options, then the command itself.
			const self = parsed.pop() as Command;
			const invocation = new Invocation(this.dependencies, self.optsWithGlobals<GlobalOptions>());
			await handler(invocation, ...(parsed as A));
			this.exitCode = invocation.exitCode;
		});
	}
}
