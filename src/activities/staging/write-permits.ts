import { LodeError } from "../../domain/errors.js";
import type { WriteOptions } from "../../stores/versioned.port.js";

/** The pulse is looked at this often; a gap of `PAUSE_MS` says that the process was stopped, or its machine was. */
const PULSE_MS = 500;
/** Below the heartbeat time-out of activities (8 s): a shorter pause ends no activity, so nothing is discarded behind it. */
const PAUSE_MS = 4_000;
/** What the process had in its hands when it was stopped reaches the activities within this after it woke up. */
const AFTERMATH_MS = 2_000;

/** What an activity asks before each write to a store that cannot refuse one by itself. */
export interface WritePermit {
	/** @throws STORE_UNAVAILABLE when the process was paused since the activity began: a discard may have come meanwhile. */
	options(): WriteOptions;
}

/**
 * Keeps writes of a process that was paused away from engines that cannot refuse a closed seq. Such an engine's discard is repeated after
 * the deadline of whatever was being written; that is enough only if nothing is written later. A process that is stopped (SIGSTOP, a
 * suspended machine) and wakes up after it has lost its activities without knowing yet: it notices the gap in its own pulse first.
 */
export class WritePermits {
	readonly #deadlineMs: number;
	readonly #now: () => number;
	#pulse: number;
	#wokeAt = Number.NEGATIVE_INFINITY;

	constructor(options: { readonly deadlineMs: number; readonly now?: () => number }) {
		this.#deadlineMs = options.deadlineMs;
		this.#now = options.now ?? Date.now;
		this.#pulse = this.#now();
		setInterval(() => this.beat(), PULSE_MS).unref();
	}

	/** Called by its own timer, and before each permission: whichever comes first after a pause. */
	beat(): void {
		const now = this.#now();
		if (now - this.#pulse > PAUSE_MS) this.#wokeAt = now;
		this.#pulse = now;
	}

	/** Call it when the activity begins. */
	permit(): WritePermit {
		this.beat();
		const begun = this.#now();
		return {
			options: () => {
				this.beat();
				if (this.#wokeAt + AFTERMATH_MS > begun) {
					throw new LodeError("STORE_UNAVAILABLE", "this worker was paused while it was to write", {
						next: "Nothing: the work is done again.",
					});
				}
				return { deadline: this.#now() + this.#deadlineMs };
			},
		};
	}
}

/** For stores that all refuse by themselves. */
export const ALWAYS_PERMITTED: Pick<WritePermits, "permit"> = { permit: () => ({ options: () => ({}) }) };
