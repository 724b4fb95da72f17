import { z } from "zod";

/** What writes take and answer. */

const text = (max: number) => z.string().trim().min(1).max(max);

export const newSourceSchema = z
	.strictObject({
		target: text(2_000).describe(
			"A path on the server's machine, a URL that git clones, or lakefs://REPOSITORY[/BRANCH].",
		),
		ref: text(500).optional().describe("A branch; what the target's HEAD names where omitted."),
		policy: z.enum(["every", "head"]).optional().describe("every: each commit is ingested. head: the newest only."),
	})
	.meta({ id: "NewSource" });

export const newIngestionSchema = z
	.strictObject({
		target: text(2_000).optional().describe("As for a source, which is created where it is not there."),
		source: text(1_000).optional().describe("Instead of a target: a source that is there."),
		ref: text(500).optional().describe("A branch, tag or commit; the head where omitted."),
	})
	.refine(({ target, source }) => (target === undefined) !== (source === undefined), "give either target or source")
	.meta({ id: "NewIngestion" });

export const newVerificationSchema = z
	.strictObject({ source: text(1_000).optional(), at: text(100).optional() })
	.meta({ id: "NewVerification" });

const seconds = (most: number) =>
	z
		.string("must be given once")
		.regex(/^\d{1,3}$/, `must be whole seconds from 0 to ${most}`)
		.transform(Number)
		.refine((value) => value <= most, `must be whole seconds from 0 to ${most}`);

export const MOST_WAIT_SECONDS = 300;
const whole = { type: "integer", minimum: 0, maximum: MOST_WAIT_SECONDS };
export const writeQuery = z.strictObject({
	timeout: seconds(MOST_WAIT_SECONDS)
		.optional()
		.meta({
			...whole,
			description: "Seconds to wait for the result; without it the answer comes as soon as the work is accepted.",
		}),
});
export const waitQuery = z.strictObject({
	timeout: seconds(MOST_WAIT_SECONDS)
		.default(30)
		.meta({ ...whole, description: "Seconds to wait for the result; 30 where omitted." }),
});
export type WriteQuery = z.infer<typeof writeQuery>;
export type WaitQuery = z.infer<typeof waitQuery>;

export const acceptedSchema = z
	.strictObject({
		command_id: z.string(),
		status: z.literal("PENDING"),
		status_url: z.string(),
		wait_url: z.string(),
		visibility_token: z
			.string()
			.describe("A read with it as minVisibility waits for the command's end, and sees what it did."),
	})
	.meta({ id: "Accepted" });

const record = z.record(z.string(), z.unknown());

export const commandSchema = z
	.looseObject({
		command_id: z.string(),
		kind: z.string(),
		status: z.enum(["PENDING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"]),
		request: record,
		by: z.string().describe("The principal that asked for it."),
		accepted_at: z.string(),
		finished_at: z.string().nullable(),
		source: z.string().nullable(),
		commit: z.string().nullable(),
		ingestion: z.string().nullable(),
		progress: record.nullable(),
		workflow_url: z.string().nullable(),
		result: record.nullable(),
		failure: z.looseObject({ code: z.string(), message: z.string() }).nullable(),
		status_url: z.string(),
		wait_url: z.string(),
		visibility_token: z.string(),
		history: z.array(z.looseObject({ time: z.string(), type: z.string(), data: record })),
	})
	.meta({ id: "Command" });
export type CommandAnswer = z.infer<typeof commandSchema>;
export type Accepted = z.infer<typeof acceptedSchema>;

/** A key may be anything that a client makes up. */
export const idempotencyKeySchema = z
	.string("Idempotency-Key: must be given once")
	.regex(/^[\x21-\x7e]{1,255}$/, "Idempotency-Key: must be 1 to 255 visible characters");
