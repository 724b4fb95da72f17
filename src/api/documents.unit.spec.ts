import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { printOpenApi } from "./document/print-openapi.js";
import { printGraphqlSchema } from "./graphql/print-schema.js";

/** What is committed for readers and generators of clients. `LODE_WRITE_DOCUMENTS=1` writes it anew. */
const DOCUMENTS = [
	["schema.graphql", printGraphqlSchema],
	["docs/openapi.json", printOpenApi],
] as const;

test.each(DOCUMENTS)("%s says what the API is", async (name, print) => {
	const file = fileURLToPath(new URL(`../../${name}`, import.meta.url));
	const now = await print();
	if (process.env.LODE_WRITE_DOCUMENTS === "1") await writeFile(file, now);
	expect(await readFile(file, "utf8")).toBe(now);
});
