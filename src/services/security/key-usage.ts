import { randomUUID } from "node:crypto";
import { LodeError } from "../../domain/errors.js";
import type { EventStore } from "../../stores/events/events.port.js";
import type { Principal } from "./principal.js";

export const LAST_USED = "ApiKeyUsed";
export const usageStream = (key: string): string => `api-key-${key}`;

/** Where a process ends without saying goodbye, what a key sent since the last event is forgotten: at most so long, and such a part of a quota. */
const TELL_MS = 30_000;
const TELL_PART = 0.01;

interface Counted {
	day: string;
	/** Told by events, of all processes. */
	told: number;
	/** Of this process, not yet in an event. */
	untold: number;
	toldAt: number;
	version: number;
	/** Every request is to be told: there is a quota. */
	exact: boolean;
	telling?: Promise<void>;
}

/**
 * What each API key sends a day. Counts are events, so that a quota holds over restarts and for all processes of an installation together; a key
 * without a quota leaves one event a day, which says that it was used.
 */
export class KeyUsage {
	readonly #process = randomUUID();
	readonly #keys = new Map<string, Promise<Counted>>();
	#events = 0;

	constructor(
		private readonly events: Pick<EventStore, "append" | "read">,
		private readonly now: () => number = Date.now,
		private readonly onFailure: (error: unknown) => void = () => undefined,
	) {}

	/** Counts a request. @throws RATE_LIMITED where the day's are used up */
	async count({ id, kind, requestsPerDay }: Principal): Promise<void> {
		if (kind !== "key") return;
		const key = id.slice("key:".length);
		const counted = await this.#of(key);
		counted.exact = requestsPerDay !== undefined;
		if (requestsPerDay !== undefined && counted.told + counted.untold >= requestsPerDay) {
			const midnight = new Date(this.now()).setUTCHours(24, 0, 0, 0);
			throw new LodeError("RATE_LIMITED", `this key has sent its ${requestsPerDay} requests of today`, {
				next: "It may send again from midnight (UTC) on.",
				retryAfterMs: midnight - this.now(),
			});
		}
		counted.untold += 1;
		const first = counted.told === 0 && counted.untold === 1;
		const due =
			requestsPerDay !== undefined &&
			(counted.untold >= requestsPerDay * TELL_PART || this.now() - counted.toldAt >= TELL_MS);
		if (first || due) void this.#tell(key, counted);
	}

	/** Writes what is counted and not told. */
	async close(): Promise<void> {
		for (const [key, known] of this.#keys) {
			const counted = await known.catch(() => undefined);
			if (counted === undefined) continue;
			await counted.telling;
			if (counted.exact && counted.untold > 0) await this.#tell(key, counted);
		}
	}

	#of(key: string): Promise<Counted> {
		const begun = (version: number): Counted => {
			return { day: this.#day(), told: 0, untold: 0, toldAt: this.now(), version, exact: false };
		};
		const known = this.#keys.get(key) ?? this.#read(key, begun(0));
		const today = known.then((counted) =>
			counted.day === this.#day() ? counted : this.#read(key, begun(counted.version)),
		);
		this.#keys.set(key, today);
		// The next one tries anew.
		today.catch(() => this.#keys.delete(key));
		return today;
	}

	/** Adds what was told since. */
	async #read(key: string, counted: Counted): Promise<Counted> {
		for (const { data, version } of await this.events.read(usageStream(key), counted.version + 1)) {
			if (data.day === counted.day) counted.told += Number(data.requests);
			counted.version = version;
		}
		return counted;
	}

	#tell(key: string, counted: Counted): Promise<void> {
		counted.telling ??= (async () => {
			const { day, untold: requests, exact } = counted;
			counted.toldAt = this.now();
			this.#events += 1;
			// Where the number does not matter, the first process of the day tells it for all.
			const idempotencyKey = exact ? `${day}/${this.#process}/${this.#events}` : day;
			const metadata = { correlationId: `key:${key}`, idempotencyKey };
			try {
				await this.events.append(usageStream(key), "any", [{ type: LAST_USED, data: { day, requests }, metadata }]);
				counted.untold -= requests;
				await this.#read(key, counted);
			} catch (error) {
				this.onFailure(error);
			}
		})().finally(() => {
			counted.telling = undefined;
		});
		return counted.telling;
	}

	#day(): string {
		return new Date(this.now()).toISOString().slice(0, 10);
	}
}
