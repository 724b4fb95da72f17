import { z } from "zod";
import { GRANT } from "../../domain/roles.js";

/** API keys as REST takes and shows them. */

export const newKeySchema = z
	.strictObject({
		name: z.string().trim().min(1).max(200).describe("What it is for."),
		roles: z
			.array(
				z
					.string()
					.regex(GRANT, "must be viewer, editor or admin, or one of them with a source: viewer:shop-66101d4f3727"),
			)
			.min(1)
			.max(1_000)
			.describe("viewer, editor or admin of all sources, or of one by its id: viewer:shop-66101d4f3727."),
		expiresAt: z.iso.datetime({ offset: true }).optional().describe("ISO 8601; never where omitted."),
		requestsPerDay: z.int().min(1).max(1_000_000_000).optional(),
	})
	.meta({ id: "NewApiKey" });

export const keySchema = z
	.looseObject({
		id: z.string(),
		name: z.string(),
		roles: z.array(z.string()),
		createdAt: z.string(),
		createdBy: z.string(),
		expiresAt: z.string().nullable(),
		revokedAt: z.string().nullable(),
		requestsPerDay: z.int().nullable(),
		lastUsedOn: z.string().nullable().describe("A day (UTC)."),
	})
	.meta({ id: "ApiKey" });
export const keysSchema = z.looseObject({ keys: z.array(keySchema) }).meta({ id: "ApiKeys" });
export const createdKeySchema = z
	.looseObject({ key: keySchema, secret: z.string().describe("The key itself: shown this once.") })
	.meta({ id: "CreatedApiKey" });
