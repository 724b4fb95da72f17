import { LodeError } from "../domain/errors.js";
import type { Catalog, Source } from "../stores/catalog/catalog.port.js";
import { readableSources, unknownSource } from "./recipe.js";

/** A source by its id, or a unique beginning of it, or its address. @throws SOURCE_NOT_FOUND, USAGE where several match */
export async function findSource(catalog: Pick<Catalog, "sources">, wanted: string): Promise<Source> {
	const all = await readableSources(catalog);
	const exact = all.find(({ id }) => id === wanted);
	if (exact) return exact;
	const matching = all.filter(({ id, address }) => address === wanted || id.startsWith(wanted));
	if (matching.length === 1 && matching[0]) return matching[0];
	if (matching.length > 1) {
		throw new LodeError("USAGE", `${wanted} is the beginning or the address of ${matching.length} sources`, {
			next: `name one of them: ${matching.map(({ id, branch }) => (branch ? `${id} (${branch})` : id)).join(", ")}`,
		});
	}
	throw unknownSource(wanted);
}
