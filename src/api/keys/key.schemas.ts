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

const shown = {
	id: z.string(),
	name: z.string(),
	roles: z.array(z.string()),
	createdAt: z.string(),
	createdBy: z.string(),
	expiresAt: z.string().nullable(),
	revokedAt: z.string().nullable(),
	requestsPerDay: z.int().nullable(),
	lastUsedOn: z.string().nullable().describe("A day (UTC)."),
};
const visibility_token = z.string().describe("A read with it as minVisibility sees the change.");

const keySchema = z.looseObject(shown).meta({ id: "ApiKey" });
export const revokedKeySchema = z.looseObject({ ...shown, visibility_token }).meta({ id: "RevokedApiKey" });
export const keysSchema = z.looseObject({ keys: z.array(keySchema) }).meta({ id: "ApiKeys" });
export const createdKeySchema = z
	.looseObject({
		key: keySchema,
		secret: z.string().nullable().describe("The key itself, shown this once; null in the answer to a repeat."),
		visibility_token,
	})
	.meta({ id: "CreatedApiKey" });
