import { fileURLToPath } from "node:url";
import { TestWorkflowEnvironment } from "@temporalio/testing";
import {
	bundleWorkflowCode,
	DefaultLogger,
	Runtime,
	Worker,
	type WorkflowBundleWithSourceMap,
} from "@temporalio/worker";
import { findTemporal } from "../../temporal/server/find.js";

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
		logger: silent,
	});
	return bundle;
}

/** A real Temporal server of the test's own, with our search attributes. */
export async function temporalEnvironment(): Promise<TestWorkflowEnvironment> {
	const found = await findTemporal({ temporal: {} }, () => {});
	if (found.kind !== "binary") throw new Error("the tests start their own Temporal server: unset TEMPORAL_ADDRESS");
	return TestWorkflowEnvironment.createLocal({
		server: {
			executable: { type: "existing-path", path: found.path },
			extraArgs: ["LodeSource", "LodeCommit", "LodeStage"].flatMap((name) => ["--search-attribute", `${name}=Keyword`]),
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
	});
}
