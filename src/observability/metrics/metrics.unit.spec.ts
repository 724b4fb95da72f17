import { expect, test } from "vitest";
import { LodeError } from "../../domain/errors.js";
import { Metrics } from "./metrics.js";
import { serveMetrics } from "./metrics-server.js";
import { observedPort } from "./observed-port.js";

const lines = async (metrics: Metrics, name: string) =>
	(await metrics.page()).body.split("\n").filter((line) => line.startsWith(name));

test("what does not answer is left out, and holds up nothing else", async () => {
	const metrics = new Metrics({ process: false, withinMs: 20 });
	metrics.gauge("sources", () => new Promise(() => undefined));
	metrics.gauge("archiveLag", async () => {
		throw new Error("away");
	});
	metrics.gauge("snapshot", (set) => set(7));
	metrics.before(() => new Promise(() => undefined));
	metrics.include(() => new Promise(() => undefined));
	metrics.include(async () => "other_metric 1");
	expect(await lines(metrics, "lode_s")).toEqual(["lode_snapshot_number 7"]);
	expect(await lines(metrics, "lode_archive")).toEqual([]);
	expect(await lines(metrics, "other_metric")).toEqual(["other_metric 1"]);
	expect(Number((await lines(metrics, "lode_metrics_errors_total"))[0]?.split(" ")[1])).toBeGreaterThanOrEqual(4);
});

test("a port that is measured answers, throws and has properties as before", async () => {
	class Store {
		readonly #kept = 3;
		readonly capabilities = { refusesClosedSeq: true };
		async add(more: number): Promise<number> {
			return this.#kept + more;
		}
		async fail(code: "STORE_UNAVAILABLE" | undefined): Promise<void> {
			throw code === undefined ? new Error("odd") : new LodeError(code, "away");
		}
		now(): number {
			return this.#kept;
		}
	}
	const metrics = new Metrics({ process: false });
	const told: unknown[] = [];
	const port = observedPort("graph", new Store(), metrics, { add: (args, result) => told.push([...args, result]) });
	expect(await port.add(4)).toBe(7);
	expect(port.now()).toBe(3);
	expect(port.capabilities).toEqual({ refusesClosedSeq: true });
	await expect(port.fail("STORE_UNAVAILABLE")).rejects.toThrow("away");
	await expect(port.fail(undefined)).rejects.toThrow("odd");
	expect(told).toEqual([[4, 7]]);
	expect(await lines(metrics, "lode_store_operation_seconds_count")).toEqual([
		'lode_store_operation_seconds_count{store="graph",operation="add"} 1',
		'lode_store_operation_seconds_count{store="graph",operation="fail"} 2',
	]);
	expect(await lines(metrics, "lode_store_errors_total")).toEqual([
		'lode_store_errors_total{store="graph",operation="fail",code="STORE_UNAVAILABLE"} 1',
		'lode_store_errors_total{store="graph",operation="fail",code="INTERNAL"} 1',
	]);
});

test("a port of its own serves the page and nothing else", async () => {
	const metrics = new Metrics({ process: false });
	metrics.gauge("snapshot", (set) => set(7));
	const server = await serveMetrics(metrics, { host: "127.0.0.1", port: 0 });
	try {
		const page = await fetch(server.url);
		expect([page.status, page.headers.get("content-type")]).toEqual([200, expect.stringContaining("version=0.0.4")]);
		expect(await page.text()).toContain("lode_snapshot_number 7");
		expect((await fetch(new URL("/", server.url))).status).toBe(404);
		expect((await fetch(server.url, { method: "POST" })).status).toBe(404);
	} finally {
		await server.close();
	}
});
