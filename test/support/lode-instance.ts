import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { WorkflowHandle } from "@temporalio/client";
import type { TestWorkflowEnvironment } from "@temporalio/testing";
import type { Worker } from "@temporalio/worker";
import { createActivities } from "../../src/activities/activities.js";
import type { Ports } from "../../src/activities/ports.js";
import { type Config, loadConfig } from "../../src/config/config.js";
import type { Metrics } from "../../src/observability/metrics/metrics.js";
import { observedActivities } from "../../src/observability/metrics/observed-activities.js";
import type { LodeCommander, LodeReader } from "../../src/services/lode.js";
import type { IngestReport, VerifyReport } from "../../src/services/reports.js";
import { openCommander, openPorts, openReader } from "../../src/wiring.js";
import { followWorkflowId } from "../../src/workflows/contracts/ids.js";
import { testWorker } from "./temporal-environment.js";

export interface InstanceOptions {
	/** Replaces or wraps ports before the worker gets them: for injected faults. */
	readonly ports?: (ports: Ports) => Ports;
	readonly env?: Record<string, string>;
	/** A folder that is there, which the instance takes over; a new one where omitted. */
	readonly home?: string;
	/** What its worker is measured with. */
	readonly metrics?: Metrics;
}

/** A whole Lode in this process, on real engines in a home of its own; the Temporal server is the test's. */
export class LodeInstance {
	#closed = false;

	private constructor(
		readonly home: string,
		readonly config: Config,
		/** The worker's ports: what it reads and writes. */
		readonly ports: Ports,
		readonly commander: LodeCommander,
		readonly reader: LodeReader,
		private readonly environment: TestWorkflowEnvironment,
		private readonly worker: Worker,
		private readonly running: Promise<void>,
		private readonly closePorts: () => Promise<void>,
	) {}

	static async open(environment: TestWorkflowEnvironment, options: InstanceOptions = {}): Promise<LodeInstance> {
		const home = options.home ?? (await mkdtemp(join(tmpdir(), "lode-home-")));
		const taskQueue = randomUUID();
		const { config } = loadConfig({
			env: { LODE_HOME: home, TEMPORAL_TASK_QUEUE: taskQueue, LODE_GC_GRACE: "0", ...options.env },
			cwd: home,
		});
		const address = environment.address;
		// In this thread: under Vitest a worker thread would compile the sources anew.
		const { ports: opened, close } = await openPorts(config, { address, miningThreads: 0, metrics: options.metrics });
		const ports = options.ports ? options.ports(opened) : opened;
		const activities = createActivities(ports);
		const measured = options.metrics ? observedActivities(activities, options.metrics) : activities;
		const worker = await testWorker(environment, taskQueue, measured);
		return new LodeInstance(
			home,
			config,
			opened,
			await openCommander(config, { address }),
			await openReader(config),
			environment,
			worker,
			worker.run(),
			close,
		);
	}

	/** host:port of the Temporal server. */
	get address(): string {
		return this.environment.address;
	}

	ingest(target: string, ref?: string): Promise<IngestReport> {
		return this.commander.ingest(target, { ref });
	}

	/** The workflow that follows a source. */
	follows(source: string): WorkflowHandle {
		return this.environment.client.workflow.getHandle(followWorkflowId(source));
	}

	/** Fails the test with the problems when there are any. */
	async verified(source?: string, at?: string): Promise<VerifyReport> {
		const report = await this.reader.verify({ source, at });
		if (!report.ok) throw new Error(`verify: ${JSON.stringify(report.problems.slice(0, 5), null, 1)}`);
		return report;
	}

	async close(): Promise<void> {
		if (this.#closed) return;
		this.#closed = true;
		for (const { id } of await this.ports.catalog.sources()) {
			// Workflow ids are business keys: another instance on the same server must not meet this one's.
			await this.follows(id)
				.terminate()
				.catch(() => undefined);
		}
		this.worker.shutdown();
		await this.running;
		await this.commander.close();
		await this.reader.close();
		await this.closePorts();
		await rm(this.home, { recursive: true, force: true, maxRetries: 3 });
	}
}
