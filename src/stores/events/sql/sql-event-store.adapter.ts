import { type Kysely, sql } from "kysely";
import { LodeError } from "../../../domain/errors.js";
import { unindexed } from "../../sqlite/unindexed.js";
import type {
	EventFilter,
	EventStore,
	ExpectedVersion,
	NewEvent,
	SourceActivity,
	StoredEvent,
} from "../events.port.js";
import type { AppendSignal } from "./append-signal.js";
import { appendEvents, storedEvent, versionBefore } from "./event-log.js";
import type { EventTables } from "./event-tables.js";
import { sourceActivity } from "./source-activity.js";

export interface SqlEventStoreOptions {
	readonly kysely: Kysely<EventTables>;
	readonly signal: AppendSignal;
	/** ISO 8601, UTC. */
	readonly now: () => string;
	/** How long a subscription sleeps when there is nothing new. */
	readonly pollMs: number;
	readonly release: () => void;
}

/** How many events a subscription takes at once. */
const PAGE = 100;

/** The event store on any engine that Kysely speaks to. */
export class SqlEventStore implements EventStore {
	readonly #options: SqlEventStoreOptions;
	readonly #subscriptions = new Set<Subscription>();
	#closed = false;

	constructor(options: SqlEventStoreOptions) {
		this.#options = options;
	}

	async append(stream: string, expected: ExpectedVersion, events: readonly NewEvent[]): Promise<StoredEvent[]> {
		const { kysely, signal, now } = this.#options;
		const stored = await kysely
			.transaction()
			.execute((transaction) => appendEvents(transaction, now(), stream, expected, events));
		signal.notify();
		return stored;
	}

	async read(stream: string, fromVersion = 1, limit?: number): Promise<StoredEvent[]> {
		let query = this.#options.kysely
			.selectFrom("event")
			.selectAll()
			.where("stream", "=", stream)
			.where("version", ">=", fromVersion)
			.orderBy("version");
		if (limit !== undefined) query = query.limit(limit);
		return (await query.execute()).map(storedEvent);
	}

	async readAll(position: number, limit: number, filter: EventFilter = {}): Promise<StoredEvent[]> {
		const { stream } = filter;
		let query = this.#matching(filter).where("position", ">", position);
		// The stream's index is by version: a page near its end would read all that is before.
		if (stream !== undefined && position > 0) query = query.where("version", ">", versionBefore(stream, position));
		const rows = await query.orderBy(orderOf(filter)).limit(limit).execute();
		return rows.map(storedEvent);
	}

	async latest(limit: number, filter: EventFilter = {}): Promise<StoredEvent[]> {
		return (await this.#matching(filter).orderBy(orderOf(filter), "desc").limit(limit).execute()).map(storedEvent);
	}

	#matching({ stream, types, source, sources }: EventFilter) {
		let query = this.#options.kysely.selectFrom("event").selectAll();
		if (stream !== undefined) query = query.where("stream", "=", stream);
		// Of a stream only what is in it is read, whatever else is asked.
		const by = (column: "type" | "source") => (stream === undefined ? sql.ref<string>(column) : unindexed(column));
		// No engine reads an empty list alike: it matches nothing.
		if (types?.length === 0) query = query.where(sql<boolean>`1 = 0`);
		else if (types !== undefined) query = query.where(by("type"), "in", types);
		if (source !== undefined) query = query.where(by("source"), "=", source);
		if (sources === "any") query = query.where(by("source"), "is not", null);
		else if (sources !== undefined) query = query.where(by("source"), "in", sources);
		return query;
	}

	activity(): Promise<SourceActivity[]> {
		return sourceActivity(this.#options.kysely);
	}

	async checkpoint(consumer: string): Promise<number> {
		const row = await this.#options.kysely
			.selectFrom("checkpoint")
			.select("position")
			.where("consumer", "=", consumer)
			.executeTakeFirst();
		return row?.position ?? 0;
	}

	async moveCheckpoint(consumer: string, position: number): Promise<void> {
		await this.#options.kysely.transaction().execute((transaction) =>
			transaction
				.insertInto("checkpoint")
				.values({ consumer, position })
				.onConflict((conflict) =>
					conflict.column("consumer").doUpdateSet({ position }).where("checkpoint.position", "<", position),
				)
				.execute(),
		);
	}

	async forgetCheckpoint(consumer: string): Promise<void> {
		await this.#options.kysely.transaction().execute(async (transaction) => {
			await transaction.deleteFrom("checkpoint").where("consumer", "=", consumer).execute();
		});
	}

	async subscribe(consumer: string, handler: (event: StoredEvent) => Promise<void>): Promise<() => Promise<void>> {
		if (this.#closed) throw new LodeError("STORE_UNAVAILABLE", "Cannot subscribe: the event store is closed");
		const subscription = new Subscription(this, this.#options, consumer, handler);
		this.#subscriptions.add(subscription);
		return async () => {
			this.#subscriptions.delete(subscription);
			await subscription.stop();
		};
	}

	async close(): Promise<void> {
		if (this.#closed) return;
		this.#closed = true;
		const stopping = [...this.#subscriptions].map((subscription) => subscription.stop());
		this.#subscriptions.clear();
		// A handler's error belongs to whoever stops its subscription; a close goes on to release the database.
		await Promise.allSettled(stopping);
		this.#options.release();
	}
}

/** A stream's versions are in the order of positions, and the order of its index. */
function orderOf({ stream }: EventFilter): "position" | "version" {
	return stream === undefined ? "position" : "version";
}

/** One consumer's loop over the log. */
class Subscription {
	readonly #store: SqlEventStore;
	readonly #options: SqlEventStoreOptions;
	readonly #consumer: string;
	readonly #handler: (event: StoredEvent) => Promise<void>;
	readonly #ended: Promise<void>;
	#stopping = false;
	#failure: { readonly error: unknown } | undefined;

	constructor(
		store: SqlEventStore,
		options: SqlEventStoreOptions,
		consumer: string,
		handler: (event: StoredEvent) => Promise<void>,
	) {
		this.#store = store;
		this.#options = options;
		this.#consumer = consumer;
		this.#handler = handler;
		this.#ended = this.#run().catch((error: unknown) => {
			this.#failure = { error };
		});
	}

	/** Waits for the handler that runs now. @throws what the handler threw, where that ended the subscription */
	async stop(): Promise<void> {
		this.#stopping = true;
		this.#options.signal.notify();
		await this.#ended;
		if (this.#failure) throw this.#failure.error;
	}

	async #run(): Promise<void> {
		const { signal, pollMs } = this.#options;
		let position = await this.#store.checkpoint(this.#consumer);
		while (!this.#stopping) {
			// Armed before the read: what is appended between the read and the sleep still wakes it.
			const woken = new AbortController();
			const sleep = signal.wait(pollMs, woken.signal);
			const events = await this.#store.readAll(position, PAGE);
			if (events.length === 0) {
				if (!this.#stopping) await sleep;
				else woken.abort();
				continue;
			}
			woken.abort();
			for (const event of events) {
				if (this.#stopping) return;
				await this.#handler(event);
				position = event.position;
				await this.#store.moveCheckpoint(this.#consumer, position);
			}
		}
	}
}
