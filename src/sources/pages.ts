/** Groups what comes one by one. A page ends at `maxItems`, or when its items weigh more than `maxWeight` together. */
export async function* pages<T>(
	items: AsyncIterable<T>,
	maxItems: number,
	weight: (item: T) => number = () => 0,
	maxWeight = Number.POSITIVE_INFINITY,
): AsyncGenerator<readonly T[], void, undefined> {
	let page: T[] = [];
	let total = 0;
	for await (const item of items) {
		page.push(item);
		total += weight(item);
		if (page.length >= maxItems || total > maxWeight) {
			yield page;
			page = [];
			total = 0;
		}
	}
	if (page.length > 0) yield page;
}
