import { errorCode } from "../../domain/errors.js";
import type { DispatchPorts, DispatchState } from "../../webhooks/dispatcher/dispatcher.js";
import type { Ledger } from "../../webhooks/ledger/ledger.js";
import type { Receipt, SenderName } from "../../webhooks/receipt.js";
import type { Metrics } from "./metrics.js";

const REFUSALS: Readonly<Record<string, string>> = {
	UNAUTHENTICATED: "refused",
	USAGE: "unreadable",
	DISK_FULL: "full",
	STORE_UNAVAILABLE: "unavailable",
};

/** What the gateway is told about: how webhooks were answered, and the ledger once it is read. */
export interface GatewayMetrics {
	answered(sender: SenderName, outcome: "accepted" | "repeated" | "ignored" | Error): void;
	recovered(ledger: Pick<Ledger, "state" | "oldestWaiting">, dispatch: () => DispatchState): void;
}

export function gatewayMetrics(metrics: Metrics): GatewayMetrics {
	const answered = metrics.count("deliveries");
	return {
		answered(sender, outcome) {
			const named = outcome instanceof Error ? (REFUSALS[errorCode(outcome) ?? ""] ?? "failed") : outcome;
			answered({ sender, outcome: named });
		},
		recovered(ledger, dispatch) {
			metrics.gauge("ledgerReceipts", (set) => {
				const { waiting, parked } = ledger.state();
				set(waiting, { state: "waiting" });
				set(parked, { state: "parked" });
			});
			metrics.gauge("ledgerOldest", (set) => {
				const oldest = ledger.oldestWaiting();
				set(oldest === undefined ? 0 : ageOf(oldest));
			});
			metrics.gauge("ledgerBytes", (set) => set(ledger.state().bytes));
			metrics.gauge("ledgerMaxBytes", (set) => set(ledger.state().maxBytes));
			metrics.gauge("ledgerDamaged", (set) => set(ledger.state().damaged));
			metrics.gauge("dispatchFailing", (set) => set(dispatch().failing === undefined ? 0 : 1));
		},
	};
}

/** What the dispatcher works with, measured. A receipt that several sources want counts once for each. */
export function observedDispatch<T extends DispatchPorts>(ports: T, metrics: Metrics): T {
	const dispatched = metrics.count("dispatched");
	const took = metrics.observe("eventSeconds");
	const settled = (outcome: string, receipts: readonly Receipt[]) => {
		dispatched({ outcome }, receipts.length);
		for (const receipt of receipts) took({ outcome }, ageOf(receipt));
	};
	const failing = async <R>(receipts: number, work: Promise<R>): Promise<R> => {
		try {
			return await work;
		} catch (error) {
			dispatched({ outcome: "failed" }, receipts);
			throw error;
		}
	};
	return {
		...ports,
		async hint(source, receipts) {
			await failing(receipts.length, ports.hint(source, receipts));
			settled("told", receipts);
		},
		async unwanted(receipts) {
			await failing(receipts.length, ports.unwanted(receipts));
			settled(
				"parked",
				receipts.map(({ receipt }) => receipt),
			);
		},
	};
}

/** Seconds. */
const ageOf = ({ receivedAt }: Pick<Receipt, "receivedAt">): number =>
	Math.max(0, Date.now() - Date.parse(receivedAt)) / 1_000;
