import type { LodeView, LodeViews } from "../../services/viewing/lode-view.js";
import type { Page, PageRequest } from "../../services/viewing/page.js";
import { readCursor, writeCursor } from "../graphql/relay.js";

/** The view and the place of a page: a cursor stands for the snapshot that its page came from. @throws USAGE */
export async function openPage(
	views: LodeViews,
	{ at, after, first }: { readonly at?: string; readonly after?: string; readonly first: number },
): Promise<{ view: LodeView; page: PageRequest }> {
	const cursor = after === undefined ? undefined : readCursor(after);
	const view = await views.open({ at: at ?? cursor?.at, live: at === undefined && cursor?.live });
	return { view, page: { first, after: cursor?.cursor } };
}

/** `{snapshot, [name], next}`: `next` is `after` of the next page. */
export function answeredPage<T, A>(name: string, view: LodeView, page: Page<T>, shown: (item: T) => A) {
	const last = page.items.at(-1)?.cursor;
	return {
		snapshot: view.snapshot.number,
		[name]: page.items.map(({ item }) => shown(item)),
		next: page.more && last !== undefined ? writeCursor(view, last) : null,
	};
}
