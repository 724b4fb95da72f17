import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { testGitEnvironment } from "./git-repository.js";

export interface GitServer {
	/** `git://127.0.0.1:PORT/repository` */
	readonly url: string;
	/** From now on every connection is cut after that many bytes of the answer; `afterCut` is called then. Undefined: none is. */
	cutAfter(bytes: number | undefined, afterCut?: () => Promise<void>): void;
	close(): Promise<void>;
}

/** A real `git daemon` (inetd mode) behind a socket that can be cut in the middle of an answer. */
export async function startGitServer(folder: string): Promise<GitServer> {
	let limit: number | undefined;
	let afterCut: (() => Promise<void>) | undefined;
	const sockets = new Set<Socket>();
	const server: Server = createServer((socket) => {
		sockets.add(socket);
		const args = ["daemon", "--inetd", "--export-all", `--base-path=${folder}`, folder];
		const daemon = spawn("git", args, { env: testGitEnvironment(), stdio: ["pipe", "pipe", "ignore"] });
		let sent = 0;
		daemon.stdout.on("data", (chunk: Buffer) => {
			const room = limit === undefined ? chunk.length : Math.max(0, limit - sent);
			sent += chunk.length;
			if (chunk.length <= room) {
				socket.write(chunk);
				return;
			}
			daemon.kill();
			socket.write(chunk.subarray(0, room), () => {
				void (afterCut?.() ?? Promise.resolve()).then(() => socket.destroy());
			});
			daemon.stdout.removeAllListeners("data");
		});
		daemon.on("close", () => {
			if (limit === undefined || sent <= limit) socket.end();
		});
		daemon.stdin.on("error", () => {});
		socket.on("error", () => daemon.kill());
		socket.on("close", () => sockets.delete(socket));
		socket.pipe(daemon.stdin);
	});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	const address = server.address();
	const port = typeof address === "object" && address !== null ? address.port : 0;
	return {
		url: `git://127.0.0.1:${port}/repository`,
		cutAfter(bytes, then) {
			limit = bytes;
			afterCut = then;
		},
		async close() {
			for (const socket of sockets) socket.destroy();
			server.close();
			await once(server, "close");
		},
	};
}
