import { LodeError } from "../../domain/errors.js";
import type { GatewayMetrics } from "../../observability/metrics/webhook-metrics.js";
import type { DispatchState } from "../../webhooks/dispatcher/dispatcher.js";
import type { Accepted, Ledger, LedgerState } from "../../webhooks/ledger/ledger.js";
import type { Notice, SenderName } from "../../webhooks/receipt.js";

export interface GatewayHealth {
	readonly status: "ready" | "starting" | "draining" | "full";
	/** Seconds; absent where it accepts. */
	readonly retry_after?: number;
	/** Absent while it is read. */
	readonly ledger?: LedgerState;
	/** Where it says `failing`, receipts wait: nothing is lost. */
	readonly dispatch?: DispatchState;
}

/** What the gateway works with once it is there. */
export interface Recovered {
	readonly ledger: Pick<Ledger, "accept" | "state">;
	dispatch(): DispatchState;
}

const RETRY_SECONDS = { starting: 5, draining: 5, full: 30 } as const;

/** What takes notices down, and says whether it does. Nothing is taken before the ledger is read: only then is a repeat known. */
export class Gateway {
	#recovered: Recovered | undefined;
	#draining = false;

	constructor(
		private readonly secrets: Readonly<Partial<Record<SenderName, { reveal(): string }>>>,
		private readonly metrics?: Pick<GatewayMetrics, "answered">,
	) {}

	/** Counts how a webhook of a known sender was answered. */
	answered(...answer: Parameters<GatewayMetrics["answered"]>): void {
		this.metrics?.answered(...answer);
	}

	secretOf(sender: SenderName): string | undefined {
		return this.secrets[sender]?.reveal();
	}

	/** @throws STORE_UNAVAILABLE, DISK_FULL: nothing is written then */
	async accept(notice: Notice): Promise<Accepted> {
		if (this.#draining) throw notNow("This process is ending.", RETRY_SECONDS.draining);
		if (this.#recovered === undefined) throw notNow("This process is reading its ledger.", RETRY_SECONDS.starting);
		return this.#recovered.ledger.accept(notice);
	}

	/** From now on it accepts. */
	open(recovered: Recovered): void {
		this.#recovered = recovered;
	}

	drain(): void {
		this.#draining = true;
	}

	health(): GatewayHealth {
		const ledger = this.#recovered?.ledger.state();
		const status = this.#status(ledger);
		const retry = status === "ready" ? {} : { retry_after: RETRY_SECONDS[status] };
		const dispatch = this.#recovered?.dispatch();
		return { status, ...retry, ...(ledger && { ledger }), ...(dispatch && { dispatch }) };
	}

	#status(ledger: LedgerState | undefined): GatewayHealth["status"] {
		if (this.#draining) return "draining";
		if (ledger === undefined) return "starting";
		return ledger.full ? "full" : "ready";
	}
}

function notNow(message: string, seconds: number): LodeError {
	return new LodeError("STORE_UNAVAILABLE", message, { next: "Send it again.", retryAfterMs: seconds * 1_000 });
}
