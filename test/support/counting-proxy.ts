import http from "node:http";
import type { AddressInfo } from "node:net";

export interface CountingProxy {
	readonly url: string;
	/** `GET /api/v1/…`, in the order in which they came. */
	readonly requests: string[];
	/** An answer of the proxy's own instead of the server's: status and body, or undefined to let the request through. */
	intercept: ((line: string) => { status: number; body?: string } | undefined) | undefined;
	close(): Promise<void>;
}

/** Stands before a real server on 127.0.0.1 and counts what is asked of it. */
export async function countingProxy(target: string): Promise<CountingProxy> {
	const upstream = new URL(target);
	const agent = new http.Agent({ keepAlive: true });
	const server = http.createServer((request, response) => {
		const line = `${request.method} ${request.url}`;
		proxy.requests.push(line);
		const answer = proxy.intercept?.(line);
		if (answer) {
			request.resume();
			response.writeHead(answer.status, { "content-type": "application/json" }).end(answer.body ?? "");
			return;
		}
		const { hostname, port } = upstream;
		const { method, url: path, headers } = request;
		const forwarded = http.request({ agent, hostname, port, method, path, headers }, (answered) => {
			response.writeHead(answered.statusCode ?? 502, answered.headers);
			answered.pipe(response);
		});
		forwarded.on("error", () => response.destroy());
		response.on("close", () => forwarded.destroy());
		request.pipe(forwarded);
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const proxy: CountingProxy = {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
		requests: [],
		intercept: undefined,
		async close() {
			server.closeAllConnections();
			agent.destroy();
			await new Promise((resolve) => server.close(resolve));
		},
	};
	return proxy;
}
