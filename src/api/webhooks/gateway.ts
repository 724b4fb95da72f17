import { LodeError } from "../../domain/errors.js";
import type { DispatchState } from "../../webhooks/dispatcher/dispatcher.js";
import type { Accepted, Ledger, LedgerState } from "../../webhooks/ledger/ledger.js";
import type { Notice, SenderName } from "../../webhooks/receipt.js";

export interface GatewayHealth {
	readonly status: "ready" | "draining" | "full";
	/** Seconds; absent where it accepts. */
	readonly retry_after?: number;
	readonly ledger: LedgerState;
	/** Where it says `failing`, receipts wait: nothing is lost. */
	readonly dispatch: DispatchState;
}

const RETRY_SECONDS = 30;

/** What takes notices down, and says whether it does. */
export class Gateway {
	#draining = false;

	constructor(
		private readonly ledger: Ledger,
		private readonly secrets: Readonly<Partial<Record<SenderName, { reveal(): string }>>>,
		private readonly dispatch: () => DispatchState,
	) {}

	secretOf(sender: SenderName): string | undefined {
		return this.secrets[sender]?.reveal();
	}

	async accept(notice: Notice): Promise<Accepted> {
		if (this.#draining) {
			throw new LodeError("STORE_UNAVAILABLE", "This process is ending.", {
				next: "Send it again.",
				retryAfterMs: 5_000,
			});
		}
		return this.ledger.accept(notice);
	}

	drain(): void {
		this.#draining = true;
	}

	health(): GatewayHealth {
		const ledger = this.ledger.state();
		const status = this.#draining ? "draining" : ledger.full ? "full" : "ready";
		const retry = status === "ready" ? {} : { retry_after: RETRY_SECONDS };
		return { status, ...retry, ledger, dispatch: this.dispatch() };
	}
}
