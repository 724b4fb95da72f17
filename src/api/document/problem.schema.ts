import { z } from "zod";

export const problemSchema = z
	.looseObject({
		type: z.string(),
		title: z.string(),
		status: z.int(),
		detail: z.string(),
		code: z.string().describe("Lode's code: see docs/cli.md."),
		next: z.string().optional().describe("What can be done about it."),
		fields: z
			.record(z.string(), z.string())
			.optional()
			.describe("What is wrong with each field of the request, by its dotted name."),
		command_id: z.string().optional().describe("The command that goes on, or failed."),
		status_url: z.string().optional(),
		wait_url: z.string().optional(),
	})
	.meta({ id: "Problem" });
