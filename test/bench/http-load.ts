import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import http from "node:http";
import { fileURLToPath } from "node:url";
import pLimit from "p-limit";
import { timed } from "./measuring.js";

const BARE = fileURLToPath(new URL("../support/bare-http-server.mjs", import.meta.url));

/** One request: a GET where it has no body. */
export interface LoadRequest {
	readonly path: string;
	readonly headers: Readonly<Record<string, string>>;
	readonly body?: string | Buffer;
}

export interface Load {
	/** Milliseconds until each whole answer was there. */
	readonly series: readonly number[];
	/** Answers a second. */
	readonly rate: number;
	/** Processor time of the server for one request, milliseconds; undefined where the system does not tell (no /proc). */
	readonly cpuMs: number | undefined;
}

/** Sends all of them over that many kept connections to a server that is the process `pid`. @throws where an answer is not 200 */
export async function sendAll(
	{ url, pid }: { readonly url: string; readonly pid: number | undefined },
	made: readonly LoadRequest[],
	connections: number,
): Promise<Load> {
	const agent = new http.Agent({ keepAlive: true, maxSockets: connections });
	const limit = pLimit(connections);
	const before = await cpuOf(pid);
	const { ms, value: series } = await timed(() => Promise.all(made.map((one) => limit(() => send(agent, url, one)))));
	const after = await cpuOf(pid);
	agent.destroy();
	const cpuMs = before === undefined || after === undefined ? undefined : (after - before) / made.length;
	return { series, rate: (made.length / ms) * 1_000, cpuMs };
}

/** Sends it on a kept connection; milliseconds until the whole answer was there. */
function send(agent: http.Agent, url: string, { path, headers, body }: LoadRequest): Promise<number> {
	return new Promise((resolve, reject) => {
		const started = performance.now();
		const request = http.request(
			`${url}${path}`,
			{ agent, method: body === undefined ? "GET" : "POST", headers },
			(answer) => {
				answer.resume().on("end", () => {
					if (answer.statusCode === 200) resolve(performance.now() - started);
					else reject(new Error(`answered ${answer.statusCode}`));
				});
			},
		);
		request.on("error", reject).end(body);
	});
}

/** User and system time so far, in milliseconds: Linux counts hundredths of a second. */
async function cpuOf(pid: number | undefined): Promise<number | undefined> {
	const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
	const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
	return fields && (Number(fields[11]) + Number(fields[12])) * 10;
}

/** The bare route in a process of its own. */
export async function startBareServer(): Promise<{ url: string; pid: number | undefined; stop(): Promise<void> }> {
	const child: ChildProcess = spawn(process.execPath, [BARE], { stdio: ["ignore", "pipe", "inherit"] });
	const [line] = (await Promise.race([
		once(child.stdout as NonNullable<ChildProcess["stdout"]>, "data"),
		once(child, "close"),
	])) as [unknown];
	if (!Buffer.isBuffer(line)) throw new Error("the bare server did not start");
	const { url } = JSON.parse(line.toString()) as { url: string };
	return {
		url,
		pid: child.pid,
		async stop() {
			const closed = once(child, "close");
			child.kill();
			await closed;
		},
	};
}
