import { LodeError } from "../../domain/errors.js";
import { groupSchema } from "../../domain/group.js";
import { sourceId } from "../../domain/keys.js";
import type { EmbeddingProvider } from "../../embeddings/embedding.port.js";
import type { ResolvedTarget } from "../../sources/source.port.js";
import type { Catalog, Source } from "../../stores/catalog/catalog.port.js";

export interface NewSourcePorts {
	readonly catalog: Pick<Catalog, "source" | "putSource">;
	/** The provider that new groups get their model from. */
	readonly defaultProvider: () => Promise<EmbeddingProvider>;
	readonly chunking: { readonly chunkSize: number; readonly overlap: number };
	readonly retention: { readonly maxVersions?: number; readonly ttl?: number };
}

/** The source of a target, put into the catalog where it is not there. @throws SOURCE_BUSY while it is being removed */
export async function ensureSource(
	{ catalog, defaultProvider, chunking, retention }: NewSourcePorts,
	target: Pick<ResolvedTarget, "kind" | "address" | "branch">,
	policy: Source["policy"] = "every",
): Promise<Source> {
	const { kind, address, branch } = target;
	const id = sourceId(address, branch);
	const known = await catalog.source(id);
	if (known?.removing) {
		throw new LodeError("SOURCE_BUSY", `source ${id} is being removed`, {
			next: `wait for it with: lode remove ${id}, then ingest again`,
		});
	}
	if (known) return known;
	const { id: model } = await (await defaultProvider()).model();
	const group = groupSchema.parse({ source: id, name: "default", indexing: { model, ...chunking }, retention });
	return catalog.putSource({ id, kind, address, branch, policy }, group);
}
