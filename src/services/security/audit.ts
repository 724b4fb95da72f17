import { randomUUID } from "node:crypto";
import type { ErrorCode } from "../../domain/errors.js";
import type { EventStore } from "../../stores/events/events.port.js";
import type { OperationName } from "./operations.js";
import type { Principal } from "./principal.js";

/** What no interface has but the command line: only the machine's own user asks for it. */
type LocalOperation = "rebuild" | "migrate" | "replay-events";

export interface Audited {
	readonly operation: OperationName | LocalOperation;
	/**
	 * `done`: it changed something. `accepted`: long work has started, whose end its command tells. `denied`: the principal may not.
	 * `refused`: for another reason.
	 */
	readonly outcome: "done" | "accepted" | "denied" | "refused";
	/** Why it was denied or refused, or what is wrong although it was done. */
	readonly code?: ErrorCode | "INTERNAL";
	/** Only one that is there and that the principal may see. */
	readonly source?: string;
	/** The command that was started. */
	readonly command?: string;
	/** What else it was about: the id of a key or of a group, the names of servers, the ids of receipts. */
	readonly about?: string;
}

/** Hears of every change that somebody asked for, also of those that they were not allowed. Never throws. */
export type Audit = (principal: Principal, what: Audited) => Promise<void>;

/** As events `AuditRecorded`, a stream a day. They name the principal and the operation, and hold nothing of a request's contents. */
export function createAudit(
	events: Pick<EventStore, "append">,
	onFailure: (error: unknown) => void,
	now: () => number = Date.now,
): Audit {
	return async ({ id: principal }, { operation, outcome, code, source, command, about }) => {
		const data = {
			principal,
			operation,
			outcome,
			code: code ?? null,
			command: command ?? null,
			about: about ?? null,
		};
		const idempotencyKey = command === undefined ? randomUUID() : `${command}/${outcome}`;
		const metadata = {
			correlationId: command ?? idempotencyKey,
			idempotencyKey,
			...(source !== undefined && { source }),
		};
		try {
			const day = new Date(now()).toISOString().slice(0, 10);
			await events.append(`audit-${day}`, "any", [{ type: "AuditRecorded", data, metadata }]);
		} catch (error) {
			// What was accepted says itself who asked for it (CommandAccepted).
			onFailure(error);
		}
	};
}
