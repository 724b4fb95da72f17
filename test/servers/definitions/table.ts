import type { ServerDefinition, ServerName } from "../server.js";
import { dgraph } from "./dgraph.js";
import { lakefs } from "./lakefs.js";
import { minio } from "./minio.js";
import { postgres } from "./postgres.js";
import { temporal } from "./temporal.js";
import { weaviate } from "./weaviate.js";

export const SERVERS: { readonly [N in ServerName]: ServerDefinition<N> } = {
	temporal,
	postgres,
	dgraph,
	weaviate,
	minio,
	lakefs,
};
