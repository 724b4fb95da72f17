import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { createClient } from "@hey-api/openapi-ts";

interface Answered {
	// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every form.
	readonly data: any;
	// biome-ignore lint/suspicious/noExplicitAny: as above.
	readonly error: any;
	readonly response: Response;
}
export interface OperationInput {
	readonly path?: Record<string, string>;
	readonly query?: Record<string, unknown>;
	readonly body?: unknown;
	readonly headers?: Record<string, string>;
}
type Call = (input: OperationInput) => Promise<Answered>;

/** A client of the REST API that a generator makes of docs/openapi.json: a function for each operation of the document. */
export async function openApiClient(
	url: string,
): Promise<{ readonly operations: Readonly<Record<string, Call>>; readonly remove: () => Promise<void> }> {
	const folder = await mkdtemp(join(tmpdir(), "lode-openapi-client-"));
	await createClient({
		input: fileURLToPath(new URL("../../docs/openapi.json", import.meta.url)),
		output: folder,
		plugins: ["@hey-api/typescript", "@hey-api/sdk", "@hey-api/client-fetch"],
		logs: { level: "silent" },
	});
	const load = (file: string) => import(pathToFileURL(join(folder, file)).href);
	const { client } = await load("client.gen.ts");
	client.setConfig({ baseUrl: url });
	return { operations: await load("sdk.gen.ts"), remove: () => rm(folder, { recursive: true }) };
}
