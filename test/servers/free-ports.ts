import { createServer } from "node:net";

async function tryListen(port: number): Promise<{ port: number; close(): Promise<void> } | undefined> {
	const server = createServer();
	return new Promise((resolve) => {
		server.once("error", () => resolve(undefined));
		server.listen(port, "127.0.0.1", () => {
			const address = server.address();
			if (address === null || typeof address === "string") return resolve(undefined);
			resolve({ port: address.port, close: () => new Promise((closed) => server.close(() => closed())) });
		});
	});
}

/** Ports that nobody listens on now, all different. Somebody may take one before it is used: the start is then tried again. */
export async function freePorts(count: number): Promise<number[]> {
	const held = await Promise.all(Array.from({ length: count }, () => tryListen(0)));
	const ports = held.map((one) => one?.port);
	await Promise.all(held.map((one) => one?.close()));
	if (ports.some((port) => port === undefined)) throw new Error("there are no free ports on 127.0.0.1");
	return ports as number[];
}

/** A number that, added to each of these, gives free ports: for programs whose ports can only be moved together. */
export async function freeOffset(ports: readonly number[]): Promise<number> {
	for (let attempt = 0; attempt < 50; attempt++) {
		const offset = 10_000 + Math.floor(Math.random() * 30_000);
		const held = await Promise.all(ports.map((port) => tryListen(port + offset)));
		await Promise.all(held.map((one) => one?.close()));
		if (held.every((one) => one !== undefined)) return offset;
	}
	throw new Error("there are no free ports on 127.0.0.1");
}
