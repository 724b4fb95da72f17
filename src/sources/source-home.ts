import path from "node:path";
import { LodeError } from "../domain/errors.js";

/** Where Lode keeps what belongs to one source. The id becomes a folder name, so anything else than an id of ours is refused. */
export function sourceHome(home: string, sourceId: string): string {
	if (!/^[a-z0-9][a-z0-9-]{0,99}$/.test(sourceId)) {
		throw new LodeError("INTERNAL", "A source id has characters that no source id has.");
	}
	return path.join(home, "sources", sourceId);
}
