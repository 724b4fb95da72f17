import type { Client } from "@temporalio/client";
import type { Source } from "../../stores/catalog/catalog.port.js";
import { refChangedSignal } from "../../workflows/contracts/follow-source.js";
import type { followSource } from "../../workflows/follow-source.js";
import { followOptions } from "./follow-options.js";

/** Starts the source's workflow where it does not run, and has it look at the branch: which commits there are follows from that. */
export async function hintSource(temporal: Pick<Client, "workflow">, taskQueue: string, source: Source): Promise<void> {
	await temporal.workflow.signalWithStart<typeof followSource>("followSource", {
		...followOptions(source, taskQueue),
		signal: refChangedSignal,
		signalArgs: [],
	});
}
