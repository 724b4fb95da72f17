import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** An OpenAI-compatible endpoint that answers no question for vectors before its gate is open. */
export interface GatedEmbeddings {
	readonly url: string;
	/** Resolves when somebody waits at the gate. */
	readonly asked: Promise<void>;
	open(): void;
	/** Who asks from now on waits until it is opened again. */
	shut(): void;
	/** From now on it says that the key is wrong, or no more. */
	refuse(refusing: boolean): void;
	/** From now on it asks to wait for so many seconds, or no more. */
	limit(seconds: number | undefined): void;
	close(): Promise<void>;
}

/** Vectors have four dimensions, and follow from a text's length. */
export async function gatedEmbeddings(): Promise<GatedEmbeddings> {
	let wait = (): void => undefined;
	/** Undefined where it is open. */
	let gate: PromiseWithResolvers<void> | undefined = Promise.withResolvers<void>();
	const asked = new Promise<void>((resolve) => {
		wait = resolve;
	});
	let refusing = false;
	let retryAfter: number | undefined;
	const server = createServer(async (request, response) => {
		// Who still asks for what had this port before is no provider.
		if (request.method !== "POST") return void response.writeHead(404).end();
		let body = "";
		for await (const part of request) body += part;
		const { input, model } = JSON.parse(body) as { input: string | string[]; model: string };
		const texts = [input].flat();
		// With this one text the provider only asks for the number of dimensions.
		if (texts.join() !== "dimensions") {
			if (refusing) {
				response.statusCode = 401;
				response.end(JSON.stringify({ error: { message: "no such key" } }));
				return;
			}
			if (retryAfter !== undefined) {
				response.writeHead(429, { "retry-after": String(retryAfter) });
				response.end(JSON.stringify({ error: { message: "too many requests" } }));
				return;
			}
			if (gate) wait();
			await gate?.promise;
		}
		const data = texts.map((text, index) => ({ object: "embedding", index, embedding: [1, text.length % 7, 3, 4] }));
		response.setHeader("content-type", "application/json");
		response.end(JSON.stringify({ object: "list", model, data, usage: { prompt_tokens: 1, total_tokens: 1 } }));
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	return {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
		asked,
		open: () => {
			gate?.resolve();
			gate = undefined;
		},
		shut: () => {
			gate ??= Promise.withResolvers<void>();
		},
		refuse: (value) => {
			refusing = value;
		},
		limit: (seconds) => {
			retryAfter = seconds;
		},
		close: () =>
			new Promise((resolve) => {
				server.closeAllConnections();
				server.close(() => resolve());
			}),
	};
}
