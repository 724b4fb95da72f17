/**
 * Asks for the first page now, whoever reads it later: what gives the pages starts meanwhile. One page is held. What fails is thrown to
 * the reader; `end` is to be called in any case.
 */
export function readAhead<T>(source: AsyncIterable<T>): { pages: AsyncIterable<T>; end(): Promise<void> } {
	const iterator = source[Symbol.asyncIterator]();
	const first = iterator.next();
	first.catch(() => undefined);
	async function* pages(): AsyncGenerator<T> {
		for (let page = await first; !page.done; page = await iterator.next()) yield page.value;
	}
	return {
		pages: pages(),
		async end() {
			await first.catch(() => undefined);
			await iterator.return?.();
		},
	};
}
