import { errorCode } from "../../domain/errors.js";
import type { Audit, Audited } from "./audit.js";
import { LOCAL } from "./principal.js";

/** What a change has come to, and of which source and what else. */
export type Tell = (outcome: "done" | "accepted", what?: Pick<Audited, "source" | "about" | "code">) => Promise<void>;

/** Makes a change that the machine's own user asked for, and audits it: as soon as the change tells what it came to, or why it came to nothing. */
export type AuditLocal = <T>(operation: Audited["operation"], change: (tell: Tell) => Promise<T>) => Promise<T>;

export const NOT_AUDITED: AuditLocal = (_operation, change) => change(async () => undefined);

/** What is told twice (each source once) is one event; what was accepted is not refused when waiting for its end fails. */
export function auditLocal(audit: Audit): AuditLocal {
	return async (operation, change) => {
		const told = new Set<string | undefined>();
		try {
			return await change(async (outcome, what = {}) => {
				if (told.has(what.source)) return;
				told.add(what.source);
				await audit(LOCAL, { operation, outcome, ...what });
			});
		} catch (error) {
			if (told.size === 0) {
				await audit(LOCAL, { operation, outcome: "refused", code: errorCode(error) ?? "INTERNAL" });
			}
			throw error;
		}
	};
}
