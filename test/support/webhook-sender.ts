import { createHmac } from "node:crypto";
import { Webhook } from "standardwebhooks";

export interface Delivery {
	readonly path: string;
	readonly headers: Record<string, string>;
	readonly body: string;
}

const hmac = (secret: string, body: string) => createHmac("sha256", secret).update(body).digest("hex");
const json = { "content-type": "application/json" };

/** Webhooks as their senders send them. */
export const deliveries = {
	github(secret: string, push: { ref: string; after: string; cloneUrl: string; delivery: string }): Delivery {
		const body = JSON.stringify({
			ref: push.ref,
			after: push.after,
			repository: { clone_url: push.cloneUrl, html_url: push.cloneUrl.replace(/\.git$/, "") },
		});
		const headers = {
			...json,
			"x-github-event": "push",
			"x-github-delivery": push.delivery,
			"x-hub-signature-256": `sha256=${hmac(secret, body)}`,
		};
		return { path: "/webhooks/github", headers, body };
	},
	gitea(secret: string, push: { ref: string; after: string; cloneUrl: string; delivery: string }): Delivery {
		const body = JSON.stringify({ ref: push.ref, after: push.after, repository: { clone_url: push.cloneUrl } });
		const headers = {
			...json,
			"x-gitea-event": "push",
			"x-gitea-delivery": push.delivery,
			"x-gitea-signature": hmac(secret, body),
		};
		return { path: "/webhooks/gitea", headers, body };
	},
	gitlab(secret: string, push: { ref: string; after: string; cloneUrl: string; delivery: string }): Delivery {
		const body = JSON.stringify({ ref: push.ref, after: push.after, project: { git_http_url: push.cloneUrl } });
		const headers = {
			...json,
			"x-gitlab-event": "Push Hook",
			"x-gitlab-event-uuid": push.delivery,
			"x-gitlab-token": secret,
		};
		return { path: "/webhooks/gitlab", headers, body };
	},
	lakefs(secret: string, event: { repository: string; branch: string; commit: string; type?: string }): Delivery {
		const body = JSON.stringify({
			event_type: event.type ?? "post-commit",
			event_time: new Date().toISOString(),
			action_name: "lode",
			hook_id: "tell",
			repository_id: event.repository,
			branch_id: event.branch,
			commit_id: event.commit,
		});
		return { path: "/webhooks/lakefs", headers: { ...json, "x-lode-secret": secret }, body };
	},
	generic(
		secret: string,
		event: { repository: string; branch?: string; commit?: string; id: string; at?: Date },
	): Delivery {
		const { repository, branch, commit } = event;
		const body = JSON.stringify({ type: "branch.moved", data: { repository, branch, commit } });
		const at = event.at ?? new Date();
		const headers = {
			...json,
			"webhook-id": event.id,
			"webhook-timestamp": String(Math.floor(at.getTime() / 1_000)),
			"webhook-signature": new Webhook(secret, { format: "raw" }).sign(event.id, at, body),
		};
		return { path: "/webhooks/generic", headers, body };
	},
};

export interface Answered {
	readonly status: number;
	readonly headers: Headers;
	readonly body: {
		readonly status?: string;
		readonly receipt?: string;
		readonly code?: string;
		readonly detail?: string;
	};
}

export async function send(
	url: string,
	{ path, headers, body }: Delivery,
	signal: AbortSignal | null = null,
): Promise<Answered> {
	const response = await fetch(`${url}${path}`, { method: "POST", headers, body, signal });
	return { status: response.status, headers: response.headers, body: (await response.json()) as Answered["body"] };
}
