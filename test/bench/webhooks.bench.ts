import { mkdtemp, rm } from "node:fs/promises";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pLimit from "p-limit";
import { ApiProcess } from "../support/api-process.js";
import { type Delivery, deliveries } from "../support/webhook-sender.js";
import type { Bench } from "./bench.js";
import { measureLimits } from "./machine.js";
import { figure, percentiles, quantile, timed } from "./measuring.js";

const SECRET = "bench-secret";

/** Sends it on a kept connection; milliseconds until the whole answer was there. */
function post(agent: http.Agent, url: string, { path, headers, body }: Delivery): Promise<number> {
	return new Promise((resolve, reject) => {
		const started = performance.now();
		const request = http.request(`${url}${path}`, { agent, method: "POST", headers }, (answer) => {
			answer.resume().on("end", () => {
				if (answer.statusCode === 200) resolve(performance.now() - started);
				else reject(new Error(`answered ${answer.statusCode}`));
			});
		});
		request.on("error", reject).end(body);
	});
}

/** Nothing is there that they could be dispatched to: what is measured is taking them down. */
export const webhooks: Bench = {
	summary: "webhooks acknowledged after their fsync, by 1 and 64 connections, beside the machine's own fsyncs",
	async run({ full, note }) {
		const home = await mkdtemp(join(tmpdir(), "lode-webhook-bench-"));
		const env = { LODE_WEBHOOK_SECRET_GITHUB: SECRET, LODE_WEBHOOK_RATE: "10000000", LODE_LOG_LEVEL: "error" };
		const gateway = await ApiProcess.start(home, env, "gateway");
		try {
			let sent = 0;
			const delivery = () =>
				deliveries.github(SECRET, {
					ref: "refs/heads/main",
					after: "1".repeat(40),
					cloneUrl: "https://git.example/a/b.git",
					delivery: `bench-${sent++}`,
				});
			const run = async (connections: number, count: number) => {
				const agent = new http.Agent({ keepAlive: true, maxSockets: connections });
				const limit = pLimit(connections);
				const made = Array.from({ length: count }, delivery);
				const { ms, value } = await timed(() =>
					Promise.all(made.map((one) => limit(() => post(agent, gateway.url, one)))),
				);
				agent.destroy();
				return { series: value, rate: (count / ms) * 1_000 };
			};
			await run(8, 200);
			const alone = await run(1, full ? 2_000 : 500);
			const many = await run(64, full ? 20_000 : 4_000);
			// Of the same minute: a shared disk is another one soon.
			const limits = measureLimits();
			const figures = [
				figure("webhooks acknowledged, 1 connection", alone.rate, "objects/s", {
					name: "fsync'd appends alone, a second",
					value: limits.fsyncAppendsPerSecond,
				}),
				...percentiles("webhook answered, 1 connection", alone.series),
				figure("webhooks acknowledged, 64 connections", many.rate, "objects/s", {
					name: "fsync'd appends grouped by 32, a second",
					value: limits.groupedAppendsPerSecond,
				}),
				...percentiles("webhook answered, 64 connections", many.series),
				figure("webhook answered, 64 connections, p99", quantile(many.series, 0.99), "ms"),
				figure("webhook answered, 1 connection, p99", quantile(alone.series, 0.99), "ms"),
			];
			note(figures.map(({ name, value, unit }) => `${name} ${value} ${unit}`).join("; "));
			return { figures, details: { limits } };
		} finally {
			await gateway.stop();
			await rm(home, { recursive: true, force: true });
		}
	},
};
