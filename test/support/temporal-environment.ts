import { fileURLToPath } from "node:url";
import { TestWorkflowEnvironment } from "@temporalio/testing";
import {
	bundleWorkflowCode,
	DefaultLogger,
	Runtime,
	Worker,
	type WorkflowBundleWithSourceMap,
} from "@temporalio/worker";
import { workerTracing } from "../../src/observability/tracing/start-tracing.js";
import { SEARCH_ATTRIBUTES } from "../../temporal/server/search-attributes.js";
import { temporalBinary } from "./temporal-binary.js";

try {
	Runtime.install({ logger: new DefaultLogger("ERROR") });
} catch {
	// Another suite of this process installed it.
}

const silent = { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error: console.error };
let bundle: Promise<WorkflowBundleWithSourceMap> | undefined;

/** The bundle of the workflows as they are in the source now. */
export function workflowBundle(): Promise<WorkflowBundleWithSourceMap> {
	bundle ??= bundleWorkflowCode({
		workflowsPath: fileURLToPath(new URL("../../src/workflows/index.ts", import.meta.url)),
		workflowInterceptorModules: [
			fileURLToPath(new URL("../../src/workflows/tracing/interceptors.ts", import.meta.url)),
		],
		logger: silent,
	});
	return bundle;
}

/** A real Temporal server of the test's own, with our search attributes. `extraArgs` go to `temporal server start-dev`. */
export async function temporalEnvironment(extraArgs: readonly string[] = []): Promise<TestWorkflowEnvironment> {
	const path = await temporalBinary(() => {});
	return TestWorkflowEnvironment.createLocal({
		server: {
			executable: { type: "existing-path", path },
			extraArgs: [
				...Object.entries(SEARCH_ATTRIBUTES).flatMap(([name, type]) => ["--search-attribute", `${name}=${type}`]),
				// As in temporal/server/server.ts: otherwise each step of a workflow waits up to 50 ms.
				...["--dynamic-config-value", "history.transferProcessorMaxPollRPS=2000"],
				...["--dynamic-config-value", "history.timerProcessorMaxPollRPS=2000"],
				...extraArgs,
			],
		},
	});
}

/** A worker on its own queue over the given activities. */
export async function testWorker(
	environment: TestWorkflowEnvironment,
	taskQueue: string,
	activities: object,
): Promise<Worker> {
	return Worker.create({
		connection: environment.nativeConnection,
		taskQueue,
		workflowBundle: await workflowBundle(),
		activities,
		// Where a test makes traces, they are made here too.
		...workerTracing(),
	});
}
