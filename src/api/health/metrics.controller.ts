import { Controller, Get, Inject, NotFoundException, Res } from "@nestjs/common";
import { ApiExcludeController } from "@nestjs/swagger";
import type { FastifyReply } from "fastify";
import type { Metrics } from "../../observability/metrics/metrics.js";

/** What there is to be measured in this process, if anything. */
export class PageOfMetrics {
	constructor(readonly metrics: Metrics | undefined) {}
}

/** For Prometheus: no part of the API, but a route as all others, so that whatever guards those guards this one. */
@ApiExcludeController()
@Controller("metrics")
export class MetricsController {
	constructor(@Inject(PageOfMetrics) private readonly page: PageOfMetrics) {}

	@Get()
	async metrics(@Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
		if (this.page.metrics === undefined) throw new NotFoundException("There are no metrics here.");
		const { contentType, body } = await this.page.metrics.page();
		void reply.header("content-type", contentType).header("cache-control", "no-store");
		return body;
	}
}
