import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A store in a temporary folder of its own, which `destroy` removes; `reopen` opens it once more, as another process would. */
export async function storeInFolder<Store extends { close(): Promise<void> }>(
	open: (folder: string) => Store | Promise<Store>,
): Promise<{ store: Store; reopen: () => Promise<Store>; destroy: () => Promise<void> }> {
	const folder = await mkdtemp(join(tmpdir(), "lode-store-"));
	const store = await open(folder);
	return {
		store,
		reopen: async () => open(folder),
		async destroy() {
			await store.close();
			await rm(folder, { recursive: true, force: true });
		},
	};
}
