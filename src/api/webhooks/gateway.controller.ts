import { Controller, Get, HttpCode, Inject, Post, Req, Res } from "@nestjs/common";
import type { FastifyReply, FastifyRequest } from "fastify";
import { LodeError } from "../../domain/errors.js";
import { traced, traceparent } from "../../observability/tracing/spans.js";
import { SENDERS, type SenderName } from "../../webhooks/receipt.js";
import type { WebhookRequest } from "../../webhooks/senders/sender.js";
import { SENDERS_BY_NAME } from "../../webhooks/senders/senders.js";
import { Gateway, type GatewayHealth } from "./gateway.js";

interface Answer {
	/** `accepted`: written down; `repeated`: it was before; `ignored`: it moves no branch. */
	readonly status: "accepted" | "repeated" | "ignored";
	readonly receipt?: string;
}

@Controller()
export class GatewayController {
	constructor(@Inject(Gateway) private readonly gateway: Gateway) {}

	/** Verifies, writes down, answers: in this order. */
	@Post("webhooks/:sender")
	@HttpCode(200)
	async receive(@Req() { params, headers, body }: FastifyRequest): Promise<Answer> {
		const { sender: name } = params as { readonly sender: string };
		const sender = SENDERS.find((one): one is SenderName => one === name);
		const secret = sender && this.gateway.secretOf(sender);
		if (sender === undefined || secret === undefined) {
			throw new LodeError("SOURCE_NOT_FOUND", "Nothing takes webhooks here.", {
				next: "See docs/webhooks.md: each sender needs a secret in the gateway's settings.",
			});
		}
		try {
			const answer = await this.accept(sender, {
				headers,
				body: Buffer.isBuffer(body) ? body : Buffer.alloc(0),
				secret,
			});
			this.gateway.answered(sender, answer.status);
			return answer;
		} catch (error) {
			this.gateway.answered(sender, error as Error);
			throw error;
		}
	}

	private async accept(sender: SenderName, request: WebhookRequest): Promise<Answer> {
		await SENDERS_BY_NAME[sender].verify(request);
		const notice = SENDERS_BY_NAME[sender].notice(request);
		if (notice === undefined) return { status: "ignored" };
		const parent = request.headers.traceparent;
		const attributes = { "lode.sender": sender };
		// Only whoever knows the secret begins a trace, or has one gone on with.
		return traced(`webhook ${sender}`, { parent: [parent].flat()[0], kind: "server", attributes }, async () => {
			const trace = traceparent();
			const { receipt, repeated } = await this.gateway.accept({ ...notice, ...(trace !== undefined && { trace }) });
			return { status: repeated ? "repeated" : "accepted", receipt: receipt.id };
		});
	}

	@Get("health/live")
	live(): { status: "live" } {
		return { status: "live" };
	}

	@Get(["health/webhook", "health/ready"])
	health(@Res({ passthrough: true }) reply: FastifyReply): GatewayHealth {
		const health = this.gateway.health();
		if (health.retry_after !== undefined) void reply.status(503).header("retry-after", health.retry_after);
		return health;
	}
}
