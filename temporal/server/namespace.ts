import type { Connection } from "@temporalio/client";
import { msToTs } from "@temporalio/common/lib/time.js";
import { LodeError } from "../../src/domain/errors.js";
import { GRPC, grpcCode } from "./grpc-codes.js";

/** How long ended workflows can be looked at. What they did is in Lode's events, so this is for people in the Web UI. Days. */
const RETENTION_DAYS = 30;

/**
 * Registers the namespace where the server has none of this name. A new one can be used after the server's next refresh, about ten
 * seconds later: until then it answers as if there were none.
 * @throws PERMISSION_DENIED with the command that an operator can run
 */
export async function ensureNamespace(
	connection: Pick<Connection, "workflowService">,
	namespace: string,
	report: (line: string) => void,
): Promise<"there" | "registered"> {
	const service = connection.workflowService;
	try {
		await service.describeNamespace({ namespace });
		return "there";
	} catch (error) {
		if (grpcCode(error) !== GRPC.NOT_FOUND) throw error;
	}
	try {
		await service.registerNamespace({
			namespace,
			description: "Lode: every commit as a durable workflow",
			workflowExecutionRetentionPeriod: msToTs(RETENTION_DAYS * 86_400_000),
		});
		report(`Registered the Temporal namespace ${namespace}; the server takes some seconds to notice it`);
		return "registered";
	} catch (error) {
		if (grpcCode(error) === GRPC.ALREADY_EXISTS) return "registered";
		throw new LodeError("PERMISSION_DENIED", `Temporal has no namespace ${namespace}, and registering it failed`, {
			next:
				"Correct TEMPORAL_NAMESPACE, or let an operator create it: " +
				`temporal operator namespace create --namespace ${namespace} --retention ${RETENTION_DAYS}d`,
			cause: error,
		});
	}
}
