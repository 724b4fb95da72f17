import { z } from "zod";

/** What probes are answered. */

export const liveSchema = z.looseObject({ status: z.literal("live") }).meta({ id: "Live" });
export const readySchema = z
	.looseObject({
		status: z.enum(["ready", "starting", "draining", "unavailable"]),
		retry_after: z.int().min(0).optional().describe("Seconds."),
		stores: z.array(z.looseObject({ name: z.string(), problem: z.string().nullable() })).optional(),
	})
	.meta({ id: "Readiness" });
