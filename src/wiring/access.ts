import type { Config } from "../config/config.js";
import { errorCode } from "../domain/errors.js";
import { isFinished } from "../services/rebuild/unfinished.js";
import { type Audit, createAudit } from "../services/security/audit.js";
import { type AuditLocal, auditLocal } from "../services/security/audit-local.js";
import { Authenticator } from "../services/security/authenticator.js";
import { KeyStore } from "../services/security/key-store.js";
import { KeyUsage } from "../services/security/key-usage.js";
import type { Principal } from "../services/security/principal.js";
import { requireNameable } from "../sources/named-remotely.js";
import type { EventStore } from "../stores/events/events.port.js";
import { createOidcTokens } from "./oidc-tokens.js";
import { openEventLog } from "./stores.js";

export interface Access {
	readonly keys: KeyStore;
	readonly audit: Audit;
	readonly authenticator: Authenticator;
	count(principal: Principal): Promise<void>;
	checkTarget(principal: Principal, target: string): Promise<void>;
	close(): Promise<void>;
}

const notKept = (what: string) => (error: unknown) =>
	process.emitWarning(`${what} is not in the events: ${errorCode(error) ?? "the store is away"}`);

const CHANGE = "who changed something";

/** Who changed what, in the event log. */
export const openAudit = (events: EventStore): Audit => createAudit(events, notKept(CHANGE));

/**
 * The same for what may find the log in any state, or make it anew: it is opened once the operation has ended. Nothing is written into a log whose
 * rebuild has not come to its end, nor into an empty one, which is not empty for a rebuild then.
 */
export const auditAfterwards = (config: Config): AuditLocal =>
	auditLocal(async (principal, what) => {
		try {
			const log = await openEventLog(config);
			try {
				if (log && (await mayBeWritten(log.value))) await openAudit(log.value)(principal, what);
			} finally {
				await log?.close();
			}
		} catch (error) {
			notKept(CHANGE)(error);
		}
	});

async function mayBeWritten(events: EventStore): Promise<boolean> {
	return (await isFinished(events)) && (await events.latest(1)).length > 0;
}

/** Who asks, and what they may: over the event log, which keeps keys, what they were used for, and who changed what. */
export function openAccess(config: Pick<Config, "api" | "oidc" | "remotes">, events: EventStore): Access {
	const { api, oidc, remotes } = config;
	const { issuer, audience, rolesClaim } = oidc;
	const keys = new KeyStore(events);
	const usage = new KeyUsage(events, Date.now, notKept("the use of an API key"));
	const tokens =
		issuer === undefined || audience === undefined ? undefined : createOidcTokens({ issuer, audience, rolesClaim });
	const rules = {
		localPaths: api.localPaths,
		allowed: remotes.guard === "off" ? undefined : (remotes.allow ?? []),
	};
	return {
		keys,
		audit: openAudit(events),
		authenticator: new Authenticator({ keys, tokens, authentication: api.authentication }),
		count: (principal) => usage.count(principal),
		async checkTarget({ kind }, target) {
			// The machine's own user may name what that user can read.
			if (kind !== "local") await requireNameable(target, rules);
		},
		close: () => usage.close(),
	};
}
