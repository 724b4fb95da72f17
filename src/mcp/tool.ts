import type { CallToolResult, McpServer } from "@modelcontextprotocol/server";
import type { z } from "zod";
import type { LodeReader } from "../services/lode.js";
import { type Report, toolError } from "./errors.js";

/** Characters of an answer's text at most: what a model can take in beside its other work. */
const MAX_TEXT = 60_000;

/** What one tool says of one call: for models as text, for programs as an object of its output schema. */
export interface Answer<T> {
	readonly text: string;
	readonly structured: T;
}

export interface ReadTool<I extends z.ZodObject, O extends z.ZodObject> {
	readonly name: string;
	readonly title: string;
	readonly description: string;
	readonly input: I;
	readonly output: O;
	/** Everything that it answers comes from one call of a use case, and so from one snapshot. */
	run(reader: LodeReader, input: z.output<I>): Promise<Answer<z.input<O>>>;
}

/** Keeps the types of a tool's schemas together with what it does. */
export const readTool = <I extends z.ZodObject, O extends z.ZodObject>(tool: ReadTool<I, O>): ReadTool<I, O> => tool;

/** Nothing is changed, neither here nor elsewhere, and a repeat answers the same while nothing is published. */
const READ_ONLY = { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false };

/** What a server registers of a tool whose schemas it need not know. */
export type AnyReadTool = ReadTool<z.ZodObject, z.ZodObject>;

/** Whether whoever asks may: `tool NAME` or `resource NAME`. @throws FORBIDDEN */
export type Permit = (place: string) => Promise<void>;

export function registerReadTool(
	server: McpServer,
	reader: LodeReader,
	tool: AnyReadTool,
	report: Report,
	permit: Permit,
): void {
	const { name, title, description, input: inputSchema, output: outputSchema } = tool;
	server.registerTool(
		name,
		{ title, description, inputSchema, outputSchema, annotations: { title, ...READ_ONLY } },
		async (input): Promise<CallToolResult> => {
			try {
				await permit(`tool ${name}`);
				const { text, structured } = await tool.run(reader, input);
				return { content: [{ type: "text", text: bounded(text) }], structuredContent: structured };
			} catch (error) {
				return toolError(error, report);
			}
		},
	);
}

function bounded(text: string): string {
	return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT)}\n… cut: ask for less at once.`;
}
