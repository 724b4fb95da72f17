/**
 * A generator as a subscription needs it: it ends when its reader goes, also while it waits for something, which a generator by itself would
 * notice at its next value only. What it fails with becomes its last value: a failed field of one subscription, not the end of the socket.
 */
export function stoppable<T>(
	values: AsyncGenerator<T, void, void>,
	ending: AbortController,
): AsyncIterableIterator<T | Error> {
	return {
		[Symbol.asyncIterator]() {
			return this;
		},
		async next() {
			try {
				return await values.next();
			} catch (error) {
				return { done: false, value: error as Error };
			}
		},
		async return() {
			ending.abort();
			await values.return().catch(() => undefined);
			return { done: true, value: undefined };
		},
	};
}
