import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ApiProcess } from "../support/api-process.js";
import { deliveries } from "../support/webhook-sender.js";
import type { Bench } from "./bench.js";
import { sendAll, startBareServer } from "./http-load.js";
import { measureLimits } from "./machine.js";
import { figure, percentiles, quantile } from "./measuring.js";

const SECRET = "bench-secret";

/** Nothing is there that they could be dispatched to: what is measured is taking them down. */
export const webhooks: Bench = {
	summary:
		"webhooks acknowledged after their fsync, by 1 and 64 connections, beside a bare Fastify route and the machine's fsyncs",
	async run({ full, note }) {
		const home = await mkdtemp(join(tmpdir(), "lode-webhook-bench-"));
		const env = { LODE_WEBHOOK_SECRET_GITHUB: SECRET, LODE_WEBHOOK_RATE: "10000000", LODE_LOG_LEVEL: "error" };
		const gateway = await ApiProcess.start(home, env, "gateway");
		const bareServer = await startBareServer();
		try {
			let sent = 0;
			const made = (count: number) =>
				Array.from({ length: count }, () =>
					deliveries.github(SECRET, {
						ref: "refs/heads/main",
						after: "1".repeat(40),
						cloneUrl: "https://git.example/a/b.git",
						delivery: `bench-${sent++}`,
					}),
				);
			const [few, lots] = full ? [2_000, 20_000] : [500, 4_000];
			for (const server of [gateway, bareServer]) await sendAll(server, made(1_000), 8);
			const alone = await sendAll(gateway, made(few), 1);
			const bareAlone = await sendAll(bareServer, made(few), 1);
			const many = await sendAll(gateway, made(lots), 64);
			const bareMany = await sendAll(bareServer, made(lots), 64);
			// Of the same minute: a shared disk is another one soon.
			const limits = measureLimits();
			const fsyncs = { name: "fsync'd appends alone, a second", value: limits.fsyncAppendsPerSecond };
			const grouped = {
				name: "fsync'd appends grouped by 32, a second",
				value: limits.groupedAppendsPerSecond,
			};
			const bare = (rate: number) => ({ name: "a bare Fastify route, a second", value: rate });
			const figures = [
				figure("webhooks acknowledged, 1 connection", alone.rate, "objects/s", fsyncs),
				figure("webhooks acknowledged, 1 connection, of bare", alone.rate, "objects/s", bare(bareAlone.rate)),
				...percentiles("webhook answered, 1 connection", alone.series),
				figure("webhook answered, 1 connection, p99", quantile(alone.series, 0.99), "ms"),
				figure("webhooks acknowledged, 64 connections", many.rate, "objects/s", grouped),
				figure("webhooks acknowledged, 64 connections, of bare", many.rate, "objects/s", bare(bareMany.rate)),
				...percentiles("webhook answered, 64 connections", many.series),
				figure("webhook answered, 64 connections, p99", quantile(many.series, 0.99), "ms"),
				figure("bare route answered, 64 connections, p99", quantile(bareMany.series, 0.99), "ms"),
				figure("bare route of the grouped fsyncs", bareMany.rate, "objects/s", grouped),
				...(many.cpuMs === undefined || bareMany.cpuMs === undefined
					? []
					: [
							figure("processor time of a webhook, 64 connections", many.cpuMs, "ms", {
								name: "of a bare Fastify route, ms",
								value: bareMany.cpuMs,
							}),
						]),
			];
			note(figures.map(({ name, value, unit }) => `${name} ${value} ${unit}`).join("; "));
			return { figures, details: { limits } };
		} finally {
			await gateway.stop();
			await bareServer.stop();
			await rm(home, { recursive: true, force: true });
		}
	},
};
