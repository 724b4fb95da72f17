import { writeSync } from "node:fs";
import { availableParallelism } from "node:os";
import { DefaultLogger, NativeConnection, Runtime, Worker } from "@temporalio/worker";
import { createActivities } from "./src/activities/activities.js";
import { loadConfig } from "./src/config/config.js";
import { enginesOf } from "./src/config/requirements.js";
import { redact } from "./src/config/secret.js";
import type { LodeError } from "./src/domain/errors.js";
import { followParent } from "./src/runtime/parent.js";
import { keepSchedules, openPorts } from "./src/wiring.js";
import { WORKFLOW_BUNDLE } from "./temporal/bundle/bundle-workflows.js";
import { accessTo, connectionOptions } from "./temporal/server/connection.js";
import { temporalReady } from "./temporal/server/ready.js";

/** A cluster that is being rolled out beside this worker; after that whoever runs it starts it again. */
const CLUSTER_READY_MS = 120_000;

/** Starts one worker. Prints `{"ready":true}` on standard output when it polls; its log goes to standard error. */
const { config } = loadConfig();
// Its log lies on the disk that may be full: a line that cannot be written must not end it.
process.stderr.on("error", () => undefined);
Runtime.install({
	logger: new DefaultLogger(
		config.log.level === "warn" ? "WARN" : (config.log.level.toUpperCase() as "INFO"),
		(entry) => {
			const line = JSON.stringify({
				time: new Date().toISOString(),
				level: entry.level,
				message: entry.message,
				...entry.meta,
			});
			process.stderr.write(`${redact(line)}\n`);
		},
	),
	// The parent decides when to stop: see followParent.
	shutdownSignals: [],
});
const address = config.temporal.address ?? "127.0.0.1:7233";
const access = accessTo(config.temporal, address);
// Started by a supervisor, the server is known to be ready. On a cluster this may be the first process that ever comes.
if (enginesOf(config).temporal === "cluster") {
	const report = (line: string) => void process.stderr.write(`${redact(line)}\n`);
	await temporalReady({ access, timeoutMs: CLUSTER_READY_MS, report });
	// A cluster may not let this key keep schedules: webhooks and people still bring commits in.
	await keepSchedules(config, { address }).catch((error: unknown) => {
		report(`sources are not compared with their repositories: ${(error as Error).message}`);
	});
}
const connection = await NativeConnection.connect(connectionOptions(access));
const { ports, close } = await openPorts(config, { address }).catch((error: unknown): never => {
	// The last line of its log is what the supervisor tells the user.
	const { code = "INTERNAL", message, next } = error as Partial<LodeError>;
	writeSync(process.stderr.fd, `${redact(JSON.stringify({ error: { code, message, next } }))}\n`);
	process.exit(1);
});
const worker = await Worker.create({
	connection,
	namespace: config.temporal.namespace,
	taskQueue: config.temporal.taskQueue,
	workflowBundle: { codePath: WORKFLOW_BUNDLE },
	activities: createActivities(ports),
	maxConcurrentActivityTaskExecutions: 4 + 2 * availableParallelism(),
	// A poller holds a slot while it waits. The default of ten would hold them all, and no workflow task could take its activities along
	// (eager execution, which the embedded server allows): each would go through the server's queues first.
	activityTaskPollerBehavior: { type: "simple-maximum", maximum: 2 },
	// When a worker dies, its cached workflows move on after this long.
	stickyQueueScheduleToStartTimeout: "3s",
	shutdownGraceTime: "8s",
});
const running = worker.run();
followParent({
	home: config.home,
	async shutdown() {
		worker.shutdown();
		await running;
		await close();
		await connection.close();
	},
});
process.stdout.write(`${JSON.stringify({ ready: true, pid: process.pid, taskQueue: config.temporal.taskQueue })}\n`);
running.catch((error: unknown) => {
	process.stderr.write(`${redact(String(error))}\n`);
	process.exit(1);
});
