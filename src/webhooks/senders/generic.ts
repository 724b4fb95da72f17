import { Webhook } from "standardwebhooks";
import { z } from "zod";
import { header, readBody, refused, type Sender } from "./sender.js";

const text = z.string().min(1).max(4_096);
const eventSchema = z.object({
	type: text.optional(),
	data: z.object({ repository: text, branch: text.optional(), commit: z.string().max(100).optional() }),
});

/** Anything that signs as the Standard Webhooks specification says (https://www.standardwebhooks.com): id, time and signature in headers. */
export const generic: Sender = {
	async verify({ headers, body, secret }) {
		const signed = {
			"webhook-id": header(headers, "webhook-id") ?? "",
			"webhook-timestamp": header(headers, "webhook-timestamp") ?? "",
			"webhook-signature": header(headers, "webhook-signature") ?? "",
		};
		try {
			// Also refuses what was signed more than five minutes ago.
			new Webhook(secret, secret.startsWith("whsec_") ? undefined : { format: "raw" }).verify(body, signed, {
				jsonParse: false,
			});
		} catch {
			throw refused();
		}
	},
	notice({ headers, body }) {
		const { type, data } = readBody(eventSchema, body);
		const { repository, branch, commit } = data;
		return {
			sender: "generic",
			key: `generic:${header(headers, "webhook-id") ?? ""}`,
			event: type ?? "branch.moved",
			repository: [repository],
			...(branch !== undefined && { branch }),
			...(commit !== undefined && { commit }),
		};
	},
};
