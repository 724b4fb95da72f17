import { z } from "zod";
import { eventKey, header, isSameSecret, readBody, refused, type Sender } from "./sender.js";

const text = z.string().min(1).max(4_096);
const eventSchema = z.object({
	event_type: text,
	repository_id: text,
	branch_id: z.string().max(4_096).nullish(),
	commit_id: z.string().max(100).nullish(),
	source_ref: z.string().max(4_096).nullish(),
	action_name: z.string().max(4_096).nullish(),
	hook_id: z.string().max(4_096).nullish(),
});
/** What happens before a commit is no commit yet, and may be refused by another hook. */
const MOVES = new Set(["post-commit", "post-merge", "post-create-branch", "post-revert", "post-cherry-pick"]);

/** lakeFS signs nothing: an action sends the secret in a header of its hook. */
export const lakefs: Sender = {
	async verify({ headers, secret }) {
		const bearer = /^Bearer (.+)$/i.exec(header(headers, "authorization") ?? "")?.[1];
		if (!isSameSecret(header(headers, "x-lode-secret") ?? bearer, secret)) throw refused();
	},
	notice({ body }) {
		const data = readBody(eventSchema, body);
		const { event_type: event, repository_id, branch_id, commit_id, action_name, hook_id } = data;
		if (!MOVES.has(event) || !branch_id) return undefined;
		const repository = [`lakefs://${repository_id}`];
		// It sends no delivery id, and each event once.
		const key = `lakefs:${eventKey(event, repository_id, branch_id, commit_id ?? undefined, action_name ?? undefined, hook_id ?? undefined)}`;
		return { sender: "lakefs", key, event, repository, branch: branch_id, ...(commit_id && { commit: commit_id }) };
	},
};
