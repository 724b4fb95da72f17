import { answeringCalls, callingStore, type Packing } from "../../src/stores/sqlite/store-call.js";

/**
 * A store that is called as one in another thread is: arguments, answers and errors go the same way, but to this thread. Starting one for each test of a
 * suite would take most of its time.
 */
export function calledStore<Store extends { close(): Promise<void> }>(
	store: Store,
	own: Partial<Store>,
	packing: Packing,
	unpacking: Parameters<typeof answeringCalls>[1],
): Store {
	const answer = answeringCalls(() => store, unpacking);
	return callingStore<Store>(
		async (call, moved) => structuredClone(await answer(structuredClone(call, { transfer: [...moved] }))),
		own,
		packing,
	);
}
