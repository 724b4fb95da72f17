import { setTimeout as sleep } from "node:timers/promises";
import type { Config } from "../config/config.js";
import { errorCode, LodeError } from "../domain/errors.js";
import { ownerOf, ownFolder } from "../runtime/single-owner.js";
import { createEvents, type LodeEvents, type ReplayReport } from "../services/events/create-events.js";
import { type AuditLocal, NOT_AUDITED, type Tell } from "../services/security/audit-local.js";
import { Ledger } from "../webhooks/ledger/ledger.js";
import { readLedger } from "../webhooks/ledger/read-ledger.js";
import { ledgerFolder } from "../webhooks/ledger/segment-files.js";
import { type ReplayRequest, requestsFolder, writeRequest } from "../webhooks/replay/request-files.js";

/** The gateway looks twice a second. Milliseconds. */
const WAIT_MS = 10_000;
const LOOK_MS = 50;
/** How long it is only the request that is looked at: asking who owns the ledger starts a program on some systems. */
const TURN_MS = 1_000;

/** Receipts that the audit names: there may be thousands. */
const NAMED = 10;

type EventsConfig = Pick<Config, "home"> & { readonly webhooks: Pick<Config["webhooks"], "ledgerBytes"> };

interface EventsOptions {
	/** For the gateway's answer. Default 10,000. */
	readonly waitMs?: number;
	/** None where omitted. */
	readonly audit?: AuditLocal;
}

/** Parked webhooks, with the gateway running or not: whoever owns the ledger writes it. */
export function openEvents(
	config: EventsConfig,
	{ waitMs = WAIT_MS, audit = NOT_AUDITED }: EventsOptions = {},
): LodeEvents {
	const folder = ledgerFolder(config.home);

	/** Undefined while another process owns the ledger. */
	async function replayHere(ids: readonly string[]): Promise<"us" | undefined> {
		const giveUp = await ownFolder(folder, "the ledger of webhooks").catch((error: unknown) => {
			if (errorCode(error) === "CONFIG_INVALID") return undefined;
			throw error;
		});
		if (giveUp === undefined) return undefined;
		try {
			const ledger = await Ledger.open({ folder, maxBytes: config.webhooks.ledgerBytes });
			try {
				const wanted = new Set(ids);
				await ledger.replay(ledger.parked().filter(({ id }) => wanted.has(id)));
			} finally {
				await ledger.close();
			}
		} finally {
			await giveUp();
		}
		return "us";
	}

	/** Undefined while it has not taken it. */
	async function askGateway(request: ReplayRequest, until: number): Promise<"gateway" | undefined> {
		for (;;) {
			const outcome = await request.outcome();
			if (outcome === "taken") return "gateway";
			if (outcome === "refused") {
				throw new LodeError("STORE_UNAVAILABLE", "The gateway cannot read the request to replay", {
					next: `Its log says why. Run lode as the user that the gateway runs as; the request is in ${requestsFolder(folder)}/refused.`,
				});
			}
			if (Date.now() >= until) return undefined;
			await sleep(LOOK_MS);
		}
	}

	async function replay(ids: readonly string[]): Promise<{ by: "gateway" | "us" }> {
		const deadline = Date.now() + waitMs;
		let request: ReplayRequest | undefined;
		for (;;) {
			// The gateway may begin or end meanwhile.
			if ((await replayHere(ids)) !== undefined) {
				await request?.withdraw();
				return { by: "us" };
			}
			request ??= await writeRequest(folder, ids);
			const by = await askGateway(request, Math.min(deadline, Date.now() + TURN_MS));
			if (by !== undefined) return { by };
			if (Date.now() >= deadline) {
				const owner = await ownerOf(folder);
				throw new LodeError(
					"TIMEOUT",
					`The gateway (process ${owner}) has not taken the request in ${waitMs / 1_000} s`,
					{
						next: "It takes it as soon as it can, see its log; lode events parked shows what is left.",
					},
				);
			}
		}
	}

	const events = createEvents({ read: () => readLedger(folder), gateway: () => ownerOf(folder), replay });
	return {
		parked: events.parked,
		replay: (selection) => audit("replay-events", (tell) => toldReplay(tell, () => events.replay(selection))),
	};
}

async function toldReplay(tell: Tell, replay: () => Promise<ReplayReport>): Promise<ReplayReport> {
	try {
		const report = await replay();
		const { replayed } = report;
		const more = replayed.length > NAMED ? `, and ${replayed.length - NAMED} more` : "";
		await tell("done", replayed.length === 0 ? {} : { about: `${replayed.slice(0, NAMED).join(", ")}${more}` });
		return report;
	} catch (error) {
		// The gateway takes the request as soon as it can.
		if (errorCode(error) === "TIMEOUT") await tell("accepted");
		throw error;
	}
}
