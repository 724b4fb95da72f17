import type { LodeReader } from "../../services/lode.js";
import type { ReadyReport } from "../../services/reports.js";

export type ReadinessStatus = "ready" | "starting" | "draining" | "unavailable";

export interface Readiness {
	readonly status: ReadinessStatus;
	/** Seconds after which asking again is worth it; absent where it is ready. */
	readonly retry_after?: number;
	readonly stores?: ReadyReport["stores"];
}

/** Many probes ask; the stores are asked this often at most. Milliseconds. */
const FRESH_MS = 2_000;
const RETRY_SECONDS = 5;

/** Whether this process should get requests. */
export class ReadinessOf {
	#draining = false;
	#asked: { at: number; report: Promise<ReadyReport> } | undefined;

	constructor(private readonly reader: () => LodeReader | undefined) {}

	/** From now on it is not ready: what runs may end, nothing new should come. */
	drain(): void {
		this.#draining = true;
	}

	async now(): Promise<Readiness> {
		if (this.#draining) return { status: "draining", retry_after: RETRY_SECONDS };
		const reader = this.reader();
		if (reader === undefined) return { status: "starting", retry_after: RETRY_SECONDS };
		const { ready, stores } = await this.#report(reader);
		return ready ? { status: "ready", stores } : { status: "unavailable", retry_after: RETRY_SECONDS, stores };
	}

	#report(reader: LodeReader): Promise<ReadyReport> {
		const now = performance.now();
		if (this.#asked === undefined || now - this.#asked.at > FRESH_MS) this.#asked = { at: now, report: reader.ready() };
		return this.#asked.report;
	}
}
