import fastify from "fastify";

// What a webhook costs where nothing is verified, limited or written down: Fastify that parses the same body and answers as much.
const server = fastify({ bodyLimit: 5 * 1024 * 1024 });
server.addContentTypeParser("application/json", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
server.post("/webhooks/github", async ({ body }) => {
	const { ref } = JSON.parse(body.toString("utf8"));
	return { status: "accepted", receipt: ref };
});
const url = await server.listen({ host: "127.0.0.1", port: 0 });
process.stdout.write(`${JSON.stringify({ ready: true, pid: process.pid, url })}\n`);
