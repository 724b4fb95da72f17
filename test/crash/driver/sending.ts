import { setTimeout as sleep } from "node:timers/promises";
import { type Delivery, deliveries, send } from "../../support/webhook-sender.js";
import type { PlannedWebhook } from "./plan-history.js";

/** A webhook whose commit is there. */
export interface ReadyWebhook extends PlannedWebhook {
	readonly repository: string;
	readonly id: string;
}

export interface Acknowledged {
	readonly receipt: string;
	readonly commit: number;
}

/** As long as GitHub waits. */
const TIMEOUT_MS = 10_000;

function deliveryOf(secret: string, { sender, delivery, repository, id }: ReadyWebhook): Delivery {
	const push = { ref: "refs/heads/main", after: id, cloneUrl: repository, delivery };
	if (sender === "generic") return deliveries.generic(secret, { repository, branch: "main", commit: id, id: delivery });
	return deliveries[sender](secret, push);
}

/** Senders as they are: each request once, whatever comes of it. */
export class Senders {
	readonly acknowledged = new Map<string, Acknowledged>();
	/** Repeats that were given another receipt than the first. */
	readonly moved: string[] = [];
	/** Answers by status; 0 for none. */
	readonly answers: Record<number, number> = {};
	readonly #waiting: ReadyWebhook[] = [];
	readonly #asked = new Set<Promise<void>>();
	#ended = false;
	#running: Promise<unknown> = Promise.resolve();

	constructor(
		private readonly url: string,
		private readonly secret: string,
	) {}

	start(clients: number): void {
		this.#running = Promise.all(Array.from({ length: clients }, () => this.#client()));
	}

	push(webhooks: readonly ReadyWebhook[]): void {
		this.#waiting.push(...webhooks);
	}

	/** When all that was pushed is sent. */
	async end(): Promise<void> {
		this.#ended = true;
		await this.#running;
	}

	/** When every request that is under way now has its answer, or none. */
	async quiet(): Promise<void> {
		await Promise.all([...this.#asked]);
	}

	get sent(): number {
		return Object.values(this.answers).reduce((sum, count) => sum + count, 0);
	}

	async #client(): Promise<void> {
		for (;;) {
			const webhook = this.#waiting.shift();
			if (webhook === undefined) {
				if (this.#ended) return;
				await sleep(10);
				continue;
			}
			const asked = this.#ask(webhook);
			this.#asked.add(asked);
			await asked;
			this.#asked.delete(asked);
		}
	}

	async #ask(webhook: ReadyWebhook): Promise<void> {
		const { delivery, commit } = webhook;
		const answer = await send(this.url, deliveryOf(this.secret, webhook), AbortSignal.timeout(TIMEOUT_MS)).catch(
			() => undefined,
		);
		const status = answer?.status ?? 0;
		this.answers[status] = (this.answers[status] ?? 0) + 1;
		const receipt = answer?.body.receipt;
		if (status !== 200 || receipt === undefined) return;
		const first = this.acknowledged.get(delivery);
		if (first === undefined) this.acknowledged.set(delivery, { receipt, commit });
		else if (first.receipt !== receipt) this.moved.push(`${delivery}: ${first.receipt}, then ${receipt}`);
	}
}
