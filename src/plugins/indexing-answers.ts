import { z } from "zod";
import type { JsonObject } from "../domain/digest.js";
import { EDGE_KINDS, ENTITY_KINDS, type EntityKind } from "../domain/entities.js";
import { fileKey } from "../domain/keys.js";
import { CHUNK_KINDS } from "../domain/mined-file.js";
import { maxTextBytes } from "../mining/decode.js";

/** What indexing hooks may return; anything else is a failure of theirs. */

const MAX_ENTITIES = 2_000;
const MAX_EDGES = 10_000;
const MAX_JSON = 64 * 1024;

const text = (max: number) => z.string().min(1).max(max);
/** It was JSON when it crossed the thread. */
const jsonObject = z
	.record(z.string().max(200), z.unknown())
	.refine((value) => JSON.stringify(value).length <= MAX_JSON, `must be at most ${MAX_JSON} characters of JSON`)
	.transform((value) => value as JsonObject);

export const fileChange = z
	.strictObject({
		skip: text(300).optional(),
		text: z
			.string()
			.refine((value) => Buffer.byteLength(value) <= maxTextBytes, `must be at most ${maxTextBytes} bytes`)
			.optional(),
		metadata: jsonObject.optional(),
	})
	.nullable();

const key = text(2_000);
/** Stated by other things than a file: a plugin has no say in them. */
const FOREIGN: ReadonlySet<EntityKind> = new Set(["repository", "commit", "contributor", "folder", "name"]);
const entity = z.strictObject({
	key,
	kind: z.enum(ENTITY_KINDS),
	name: text(1_000),
	props: jsonObject.default({}),
	edges: z.array(z.strictObject({ kind: z.enum(EDGE_KINDS), to: key })).default([]),
});

/** For one file: its entities are of this source, and of files it is the only one. */
export function indexedFileChange({ source, path }: { readonly source: string; readonly path: string }) {
	const isOwn = ({ key: own, kind }: z.output<typeof entity>): boolean => {
		if (FOREIGN.has(kind)) return false;
		if (kind === "file") return own === fileKey(source, path);
		if (kind === "package" || kind === "module") return own.startsWith(`${kind}:`);
		if (kind === "column") return ["data_model", "dataset"].some((of) => own.startsWith(`column:${of}:${source}:`));
		return own.startsWith(`${kind}:${source}:`);
	};
	return z
		.strictObject({
			entities: z
				.array(entity.refine(isOwn, "has a kind or key that a file's plugin may not state"))
				.max(MAX_ENTITIES)
				.refine((all) => all.reduce((sum, { edges }) => sum + edges.length, 0) <= MAX_EDGES, "has too many edges")
				.default([]),
			chunks: z
				.array(
					z.strictObject({
						ordinal: z.int().min(0),
						kind: z.enum(CHUNK_KINDS).optional(),
						symbol: text(500).optional(),
					}),
				)
				.max(10_000)
				.default([]),
		})
		.nullable();
}
