import { type McpServer, type ReadResourceResult, ResourceTemplate } from "@modelcontextprotocol/server";
import type { LodeReader } from "../services/lode.js";
import { type Report, resourceError } from "./errors.js";
import type { Permit } from "./tool.js";

const JSON_TYPE = "application/json";
const MAX_COMPLETIONS = 100;

type Variables = Readonly<Record<string, string | string[] | undefined>>;

const one = (value: string | string[] | undefined): string => decodeURIComponent([value].flat()[0] ?? "");

/** Sources and reports as JSON, each at an address that clients can list, complete and keep. */
export function registerResources(server: McpServer, reader: LodeReader, report: Report, permit: Permit): void {
	const read =
		(name: string, answer: (variables: Variables) => Promise<unknown>) =>
		async (uri: URL, variables: Variables): Promise<ReadResourceResult> => {
			try {
				await permit(`resource ${name}`);
				const text = JSON.stringify(await answer(variables), undefined, 1);
				return { contents: [{ uri: uri.href, mimeType: JSON_TYPE, text }] };
			} catch (error) {
				throw resourceError(error, uri.href, report);
			}
		};
	const sourceIds = async () => (await reader.sources()).map(({ id }) => id);
	const ingestions = async () => (await reader.status()).ingestions;
	const beginning = (ids: () => Promise<string[]>) => async (value: string) =>
		(await ids()).filter((id) => id.startsWith(value)).slice(0, MAX_COMPLETIONS);
	const completeSource = beginning(sourceIds);

	server.registerResource(
		"sources",
		"lode://sources",
		{ title: "Sources", description: "Every source with the commit that is published of it.", mimeType: JSON_TYPE },
		(uri) => read("sources", async () => ({ sources: await reader.sources() }))(uri, {}),
	);
	server.registerResource(
		"source",
		new ResourceTemplate("lode://sources/{source}", {
			list: async () => ({
				resources: (await reader.sources()).map(({ id, address }) => ({
					uri: `lode://sources/${id}`,
					name: id,
					description: `Overview of ${address}`,
					mimeType: JSON_TYPE,
				})),
			}),
			complete: { source: completeSource },
		}),
		{
			title: "A source's overview",
			description: "What there is of one source in the latest snapshot: commit, files, chunks, entities by kind.",
			mimeType: JSON_TYPE,
		},
		read("source", ({ source }) => reader.overview(one(source), {})),
	);
	server.registerResource(
		"source-at",
		new ResourceTemplate("lode://sources/{source}/at/{at}", { list: undefined, complete: { source: completeSource } }),
		{
			title: "A source's overview as of then",
			description: "The same in an earlier snapshot: by number, ISO 8601 time or commit id.",
			mimeType: JSON_TYPE,
		},
		read("source-at", ({ source, at }) => reader.overview(one(source), { at: one(at) })),
	);
	server.registerResource(
		"ingestion",
		new ResourceTemplate("lode://ingestions/{ingestion}", {
			list: async () => ({
				resources: (await ingestions()).map(({ id, source, commit, status }) => ({
					uri: `lode://ingestions/${id}`,
					name: id,
					description: `${source} at ${commit.slice(0, 10)}: ${status}`,
					mimeType: JSON_TYPE,
				})),
			}),
			complete: { ingestion: beginning(async () => (await ingestions()).map(({ id }) => id)) },
		}),
		{
			title: "An ingestion's report",
			description: "What one ingestion did or why it failed: status, counts, stage and progress while it runs.",
			mimeType: JSON_TYPE,
		},
		read("ingestion", async ({ ingestion }) => (await reader.status(one(ingestion))).ingestions[0]),
	);
}
