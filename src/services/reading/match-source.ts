import { LodeError } from "../../domain/errors.js";
import type { Source } from "../../stores/catalog/catalog.port.js";
import { unknownSource } from "../recipe.js";

/** The source that a user names by its id, a unique beginning of it, or its address. @throws SOURCE_NOT_FOUND, USAGE (several) */
export function matchSource(sources: readonly Source[], wanted: string): Source {
	const exact = sources.find(({ id }) => id === wanted);
	if (exact) return exact;
	const matching = sources.filter(({ id, address }) => address === wanted || (wanted !== "" && id.startsWith(wanted)));
	if (matching.length === 1 && matching[0]) return matching[0];
	if (matching.length > 1) {
		throw new LodeError("USAGE", `${wanted} is the beginning or the address of ${matching.length} sources`, {
			next: `name one of them: ${matching.map(({ id, branch }) => (branch ? `${id} (${branch})` : id)).join(", ")}`,
		});
	}
	throw unknownSource(wanted);
}
