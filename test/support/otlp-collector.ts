import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface CollectedSpan {
	readonly name: string;
	/** Of the process that sent it. */
	readonly service: string;
	readonly traceId: string;
	readonly spanId: string;
	readonly parentSpanId?: string;
	readonly attributes: readonly unknown[];
}

/** Takes spans by OTLP over HTTP, as JSON, and keeps them. */
export class OtlpCollector {
	readonly spans: CollectedSpan[] = [];
	/** What came, as it came. */
	readonly bodies: string[] = [];
	/** The headers that it came with. */
	readonly authorizations = new Set<string>();

	private constructor(
		readonly endpoint: string,
		readonly close: () => Promise<void>,
	) {}

	static async open(): Promise<OtlpCollector> {
		const server = createServer((request, response) => {
			const chunks: Buffer[] = [];
			request.on("data", (chunk: Buffer) => chunks.push(chunk));
			request.on("end", () => {
				const body = Buffer.concat(chunks).toString("utf8");
				if (request.headers.authorization !== undefined) collector.authorizations.add(request.headers.authorization);
				if (request.url === "/v1/traces") collector.take(body);
				response.writeHead(200, { "content-type": "application/json" }).end("{}");
			});
		});
		await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
		const { port } = server.address() as AddressInfo;
		const collector = new OtlpCollector(`http://127.0.0.1:${port}`, async () => {
			server.closeAllConnections();
			await new Promise((resolve) => server.close(resolve));
		});
		return collector;
	}

	private take(body: string): void {
		this.bodies.push(body);
		const { resourceSpans } = JSON.parse(body) as {
			resourceSpans: {
				resource: { attributes: { key: string; value: { stringValue?: string } }[] };
				scopeSpans: { spans: CollectedSpan[] }[];
			}[];
		};
		for (const { resource, scopeSpans } of resourceSpans) {
			const service = resource.attributes.find(({ key }) => key === "service.name")?.value.stringValue ?? "";
			for (const { spans } of scopeSpans) this.spans.push(...spans.map((span) => ({ ...span, service })));
		}
	}
}
