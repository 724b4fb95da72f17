import { writeSync } from "node:fs";
import { availableParallelism } from "node:os";
import { setFlagsFromString } from "node:v8";
import { DefaultLogger, NativeConnection, Runtime, Worker } from "@temporalio/worker";
import { createActivities } from "./src/activities/activities.js";
import { loadConfig } from "./src/config/config.js";
import { enginesOf } from "./src/config/requirements.js";
import { redact } from "./src/config/secret.js";
import type { LodeError } from "./src/domain/errors.js";
import { createLog } from "./src/observability/log/create-log.js";
import { Metrics } from "./src/observability/metrics/metrics.js";
import { offerMetrics } from "./src/observability/metrics/metrics-server.js";
import { observedActivities } from "./src/observability/metrics/observed-activities.js";
import { temporalMetrics } from "./src/observability/metrics/temporal-metrics.js";
import { startTracing, workerTracing } from "./src/observability/tracing/start-tracing.js";
import { isLostTask } from "./src/runtime/lost-task.js";
import { followParent } from "./src/runtime/parent.js";
import { keepSchedules, openPorts } from "./src/wiring.js";
import { WORKFLOW_BUNDLE } from "./temporal/bundle/bundle-workflows.js";
import { accessTo, connectionOptions } from "./temporal/server/connection.js";
import { temporalReady } from "./temporal/server/ready.js";

/** A cluster that is being rolled out beside this worker; after that whoever runs it starts it again. */
const CLUSTER_READY_MS = 120_000;
/** For activities that are under way where the worker starts anew. */
const LOST_TASK_GRACE_MS = 5_000;

/**
 * What this thread's heap got on the command line (src/runtime/children.ts) holds for every thread that starts later and overrides its own limits:
 * a mining thread would keep 72 MB for what dies young. MiB a half; V8 has three halves, and there are four threads or more. With 4 V8's pages
 * are some 30 MB less than with 8; what it costs of the processor is within what runs differ by.
 */
setFlagsFromString("--max-semi-space-size=4");

/** Starts one worker. Prints `{"ready":true}` on standard output when it polls; its log goes to standard error. */
const { config } = loadConfig();
// Its log lies on the disk that may be full: a line that cannot be written must not end it.
process.stderr.on("error", () => undefined);
const log = createLog(config.log);
const tracing = await startTracing(config, "lode-worker");
const metrics = config.metrics.workerPort === undefined ? undefined : new Metrics();
/** What ends this worker, once it runs. */
let end = (): void => process.exit(1);
/** Whoever started it starts it again: the supervisor of `lode dev`, or what runs the container. */
const startAnew = (): void => {
	log({ level: "error", message: "a workflow task was lost within the library: this worker ends, to be started anew" });
	end();
};
Runtime.install({
	logger: new DefaultLogger(
		config.log.level === "warn" ? "WARN" : (config.log.level.toUpperCase() as "INFO"),
		({ level, message, meta }) => {
			log({ ...meta, level, message });
			if (isLostTask(message)) startAnew();
		},
	),
	telemetryOptions: {
		// What its native part says goes to the same log: redacted, and heard.
		logging: { forward: {}, filter: { core: "WARN", other: "ERROR" } },
		...(metrics ? { metrics: await temporalMetrics(metrics) } : {}),
	},
	// The parent decides when to stop: see followParent.
	shutdownSignals: [],
});
const address = config.temporal.address ?? "127.0.0.1:7233";
const access = accessTo(config.temporal, address);
// Started by a supervisor, the server is known to be ready. On a cluster this may be the first process that ever comes.
if (enginesOf(config).temporal === "cluster") {
	const report = (message: string) => log({ level: "info", message });
	await temporalReady({ access, timeoutMs: CLUSTER_READY_MS, report });
	// A cluster may not let this key keep schedules: webhooks and people still bring commits in.
	await keepSchedules(config, { address }).catch((error: unknown) => {
		const problem = (error as Error).message;
		log({ level: "warn", message: "sources are not compared with their repositories", problem });
	});
}
const connection = await NativeConnection.connect(connectionOptions(access));
const { ports, close } = await openPorts(config, { address, metrics }).catch((error: unknown): never => {
	// The last line of its log is what the supervisor tells the user.
	const { code = "INTERNAL", message, next } = error as Partial<LodeError>;
	writeSync(process.stderr.fd, `${redact(JSON.stringify({ error: { code, message, next } }))}\n`);
	process.exit(1);
});
const activities = createActivities(ports);
const page = await offerMetrics(metrics, { host: config.metrics.host, port: config.metrics.workerPort }, log);
const worker = await Worker.create({
	...workerTracing(),
	connection,
	namespace: config.temporal.namespace,
	taskQueue: config.temporal.taskQueue,
	workflowBundle: { codePath: WORKFLOW_BUNDLE },
	activities: metrics ? observedActivities(activities, metrics) : activities,
	maxConcurrentActivityTaskExecutions: 4 + 2 * availableParallelism(),
	// Steps of small commits: their batches are in memory.
	maxConcurrentLocalActivityExecutions: 8 + 4 * availableParallelism(),
	// A poller holds a slot while it waits. The default of ten would hold them all, and no workflow task could take its activities along
	// (eager execution, which the embedded server allows): each would go through the server's queues first.
	activityTaskPollerBehavior: { type: "simple-maximum", maximum: 2 },
	maxCachedWorkflows: config.worker.workflows,
	maxConcurrentWorkflowTaskExecutions: config.worker.workflowTasks,
	// The library would send a beat after four fifths of the time-out only: on a busy machine one that came a second late was the end of an attempt,
	// and bounded attempts were soon used up.
	maxHeartbeatThrottleInterval: "2s",
	// When a worker dies, its cached workflows move on after this long.
	stickyQueueScheduleToStartTimeout: "3s",
	shutdownGraceTime: "8s",
});
const running = worker.run();
end = () => {
	// The workflow that lost its task never comes to an end: activities that are under way do, and no more is waited for.
	setTimeout(() => process.exit(1), LOST_TASK_GRACE_MS);
	if (worker.getState() === "RUNNING") worker.shutdown();
};
followParent({
	home: config.home,
	async shutdown() {
		worker.shutdown();
		await running;
		await close();
		await connection.close();
		await page?.close();
		await tracing?.close();
	},
});
process.stdout.write(`${JSON.stringify({ ready: true, pid: process.pid, taskQueue: config.temporal.taskQueue })}\n`);
running.catch((error: unknown) => {
	log({ level: "error", message: "the worker failed", error: String(error) });
	process.exit(1);
});
