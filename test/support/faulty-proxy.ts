import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** `latency`: each way, each piece. `stall`: nothing passes, and nobody is told. `reset`: every connection. `503`: an HTTP answer to each. */
export type ProxyFault = { readonly way: "latency"; readonly ms: number } | { readonly way: "stall" | "reset" | "503" };

const UNAVAILABLE =
	"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/**
 * Stands before a server on 127.0.0.1 and passes bytes on, whatever they mean: HTTP, gRPC, Postgres. In this process, because a fault has to
 * begin and end at once, and because what passes bytes only (toxiproxy) cannot answer 503.
 */
export class FaultyProxy {
	#fault: ProxyFault | undefined;
	readonly #connections = new Set<{ readonly client: net.Socket; readonly server: net.Socket }>();

	private constructor(
		private readonly listener: net.Server,
		private readonly target: { readonly host: string; readonly port: number },
	) {}

	/** `target`: `host:port`. */
	static async before(target: string): Promise<FaultyProxy> {
		const { hostname: host, port } = new URL(`tcp://${target}`);
		const listener = net.createServer();
		const proxy = new FaultyProxy(listener, { host, port: Number(port) });
		listener.on("connection", (client) => proxy.#connect(client));
		await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
		return proxy;
	}

	/** `127.0.0.1:port` */
	get address(): string {
		return `127.0.0.1:${(this.listener.address() as net.AddressInfo).port}`;
	}

	set fault(fault: ProxyFault | undefined) {
		this.#fault = fault;
		for (const { client, server } of this.#connections) {
			if (fault?.way === "reset") client.resetAndDestroy();
			else if (fault?.way === "503") client.destroy();
			else if (fault?.way === "stall") for (const socket of [client, server]) socket.pause();
			else for (const socket of [client, server]) socket.resume();
		}
	}

	async close(): Promise<void> {
		for (const { client } of this.#connections) client.destroy();
		await new Promise((resolve) => this.listener.close(resolve));
	}

	#connect(client: net.Socket): void {
		client.on("error", () => undefined);
		if (this.#fault?.way === "reset") return void client.resetAndDestroy();
		if (this.#fault?.way === "503") {
			client.once("data", () => client.end(UNAVAILABLE));
			return;
		}
		const server = net.connect(this.target);
		const connection = { client, server };
		this.#connections.add(connection);
		const end = () => {
			this.#connections.delete(connection);
			client.destroy();
			server.destroy();
		};
		server.on("error", end);
		for (const socket of [client, server]) socket.on("close", end).setNoDelay();
		this.#pass(client, server);
		this.#pass(server, client);
		if (this.#fault?.way === "stall") for (const socket of [client, server]) socket.pause();
	}

	#pass(from: net.Socket, to: net.Socket): void {
		// In order, also when the delay ends: each waits for its own delay and for the one before it.
		let before: Promise<unknown> = Promise.resolve();
		const inTurn = (act: () => void) => {
			const delay = this.#fault?.way === "latency" ? sleep(this.#fault.ms) : undefined;
			before = Promise.all([before, delay]).then(act);
		};
		from.on("data", (bytes) => {
			inTurn(() => {
				if (to.destroyed || to.write(bytes)) return;
				from.pause();
				to.once("drain", () => this.#fault?.way !== "stall" && from.resume());
			});
		});
		from.on("end", () => inTurn(() => to.end()));
	}
}
