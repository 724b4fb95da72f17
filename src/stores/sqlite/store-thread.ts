import { Piscina } from "piscina";
import { LodeError } from "../../domain/errors.js";
import { callingStore, OPEN, type Packing, type StoreAnswer, type StoreCall } from "./store-call.js";

export interface StoreThreadOptions {
	/** The module that answers, by `answeringCalls`. */
	readonly entry: { readonly filename: string; readonly execArgv?: string[] };
	/** What people call the store in messages, e.g. `graph`. */
	readonly role: string;
	/** What the module opens its store with. */
	readonly options: object;
}

/** Calls that a store works on at once: as many as come. Those that do not wait for anything are one after the other all the same. */
const CALLS_AT_ONCE = 64;
/** Batches of records die young. What a call holds beyond that is bounded by what a batch holds. MiB. */
const YOUNG_HEAP_MB = 12;
const OLD_HEAP_MB = 256;

/**
 * A store whose connection lives in a thread of its own, so that nobody who shares this thread waits for what it writes. Calls begin in the order in
 * which they were made. A thread that dies fails the calls that it had, whose transactions are whole or not at all; the next call opens the store again.
 * @throws what opening it throws
 */
export async function openStoreInThread<Store extends { close(): Promise<void> }>(
	{ entry, role, options }: StoreThreadOptions,
	own: Partial<Store>,
	packing: Packing,
): Promise<Store> {
	const thread = new Piscina<StoreCall, StoreAnswer>({
		...entry,
		workerData: options,
		minThreads: 1,
		maxThreads: 1,
		concurrentTasksPerWorker: CALLS_AT_ONCE,
		resourceLimits: { maxOldGenerationSizeMb: OLD_HEAP_MB, maxYoungGenerationSizeMb: YOUNG_HEAP_MB },
	});
	// The death of a thread rejects what it ran; without a listener that of an idle one would end the process.
	thread.on("error", () => {});
	let closing: Promise<void> | undefined;
	const run = async (call: StoreCall, moved: readonly ArrayBuffer[] = []): Promise<StoreAnswer> => {
		try {
			return await thread.run(call, { transferList: [...moved] });
		} catch (cause) {
			throw new LodeError("STORE_UNAVAILABLE", `The thread of the ${role} store ended`, { cause });
		}
	};
	const end = async () => {
		await run({ method: "close", args: [] }).catch(() => undefined);
		await thread.destroy();
	};
	const opened = await run({ method: OPEN, args: [] });
	if ("failure" in opened) {
		await thread.destroy();
		const { code, message, next } = opened.failure;
		throw new LodeError(code, message, { next });
	}
	const close = () => (closing ??= end());
	const call: typeof run = async (...args) => {
		if (closing === undefined) return run(...args);
		throw new LodeError("STORE_UNAVAILABLE", `The ${role} store is closed`);
	};
	return callingStore<Store>(call, { ...own, close } as Partial<Store>, packing);
}
