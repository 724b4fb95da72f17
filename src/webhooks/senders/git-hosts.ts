import { createHmac } from "node:crypto";
import { verify } from "@octokit/webhooks-methods";
import { z } from "zod";
import type { Notice, SenderName } from "../receipt.js";
import { branchOfRef, eventKey, header, isSameSecret, readBody, refused, type Sender, unreadable } from "./sender.js";

const text = z.string().min(1).max(4_096);
const address = text.nullish();
const pushSchema = z.object({
	ref: text,
	after: z.string().max(100).nullish(),
	repository: z
		.object({
			clone_url: address,
			ssh_url: address,
			git_url: address,
			html_url: address,
			git_http_url: address,
			git_ssh_url: address,
		})
		.nullish(),
	/** GitLab's. */
	project: z.object({ git_http_url: address, git_ssh_url: address, web_url: address, http_url: address }).nullish(),
});

/** A push to GitHub, GitLab or Gitea: they agree on `ref` and `after`, and name the repository's addresses differently. */
function pushNotice(sender: SenderName, event: string, delivery: string | undefined, body: Buffer): Notice | undefined {
	const data = readBody(pushSchema, body);
	const branch = branchOfRef(data.ref);
	// A branch that was deleted has no commit to come.
	if (branch === undefined || /^0+$/.test(data.after ?? "")) return undefined;
	const found = [...Object.values(data.repository ?? {}), ...Object.values(data.project ?? {})];
	const repository = [...new Set(found.filter((one) => typeof one === "string"))];
	if (repository.length === 0) throw unreadable("it names no repository");
	const commit = data.after ?? undefined;
	const key = delivery === undefined ? eventKey(sender, event, ...repository, branch, commit) : `${sender}:${delivery}`;
	return { sender, key, event, repository, branch, ...(commit !== undefined && { commit }) };
}

export const github: Sender = {
	async verify({ headers, body, secret }) {
		const signature = header(headers, "x-hub-signature-256");
		if (signature === undefined || !(await verify(secret, body.toString("utf8"), signature).catch(() => false)))
			throw refused();
	},
	notice({ headers, body }) {
		const event = header(headers, "x-github-event") ?? "push";
		if (event !== "push") return undefined;
		return pushNotice("github", event, header(headers, "x-github-delivery"), body);
	},
};

export const gitea: Sender = {
	async verify({ headers, body, secret }) {
		const expected = createHmac("sha256", secret).update(body).digest("hex");
		if (!isSameSecret(header(headers, "x-gitea-signature"), expected)) throw refused();
	},
	notice({ headers, body }) {
		const event = header(headers, "x-gitea-event") ?? "push";
		if (event !== "push") return undefined;
		return pushNotice("gitea", event, header(headers, "x-gitea-delivery"), body);
	},
};

export const gitlab: Sender = {
	async verify({ headers, secret }) {
		if (!isSameSecret(header(headers, "x-gitlab-token"), secret)) throw refused();
	},
	notice({ headers, body }) {
		const event = header(headers, "x-gitlab-event") ?? "Push Hook";
		if (event !== "Push Hook") return undefined;
		const delivery = header(headers, "idempotency-key") ?? header(headers, "x-gitlab-event-uuid");
		return pushNotice("gitlab", event, delivery, body);
	},
};
