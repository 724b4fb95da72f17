import { setTimeout as sleep } from "node:timers/promises";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { type Definition, METRICS, type MetricKey } from "./definitions.js";

type Of<T extends Definition["type"]> = {
	[K in MetricKey]: (typeof METRICS)[K]["type"] extends T ? K : never;
}[MetricKey];

type Labels = Readonly<Record<string, string>>;

/** A page in Prometheus' text format. */
export interface MetricsPage {
	readonly contentType: string;
	readonly body: string;
}

/** The metrics of one process. What is measured twice under one key is one metric: stores may be opened again. */
export class Metrics {
	readonly #registry = new Registry();
	/** Of others: whole lines that are added to the page. */
	readonly #pages: (() => Promise<string>)[] = [];
	readonly #before: (() => Promise<void>)[] = [];

	readonly #withinMs: number;

	/** `process`: what Node says of itself. `withinMs`: how long a page waits for what has to be read for it. */
	constructor({ process = true, withinMs = 3_000 }: { readonly process?: boolean; readonly withinMs?: number } = {}) {
		this.#withinMs = withinMs;
		if (process) collectDefaultMetrics({ register: this.#registry });
	}

	count(key: Of<"counter">): (labels?: Labels, by?: number) => void {
		const { name, help, labels: labelNames } = METRICS[key];
		const found = this.#known<Counter>(name) ?? new Counter({ name, help, labelNames, registers: [this.#registry] });
		return (labels = {}, by = 1) => found.inc(labels, by);
	}

	/** In seconds where the metric is a time. */
	observe(key: Of<"histogram">): (labels: Labels, value: number) => void {
		const { name, help, labels: labelNames, buckets } = METRICS[key];
		const found =
			this.#known<Histogram>(name) ??
			new Histogram({ name, help, labelNames, buckets: [...buckets], registers: [this.#registry] });
		return (labels, value) => found.observe(labels, value);
	}

	/** `read` is asked whenever the page is; what it cannot tell at the moment is left out. */
	gauge(key: Of<"gauge">, read?: (set: (value: number, labels?: Labels) => void) => Promise<void> | void): void {
		const { name, help, labels: labelNames } = METRICS[key];
		const found = this.#known<Gauge>(name) ?? new Gauge({ name, help, labelNames, registers: [this.#registry] });
		if (read === undefined) return;
		const failed = this.count("collectErrors");
		Object.assign(found, {
			collect: async () => {
				found.reset();
				// A gauge without labels would be zero, which is another thing than unknown.
				if (labelNames.length === 0) found.remove({});
				try {
					await this.#inTime(read((value, labels = {}) => found.set(labels, value)));
				} catch {
					failed();
				}
			},
		});
	}

	/** Called before each page, for counters that follow from what others wrote. */
	before(read: () => Promise<void>): void {
		this.#before.push(read);
	}

	/** The page of another exporter in this process. One that fails is left out. */
	include(page: () => Promise<string>): void {
		this.#pages.push(page);
	}

	async page(): Promise<MetricsPage> {
		const failed = this.count("collectErrors");
		await Promise.all(this.#before.map((read) => this.#inTime(read()).catch(() => failed())));
		const own = await this.#registry.metrics();
		const others = await Promise.all(
			this.#pages.map((page) =>
				this.#inTime(page()).catch(() => {
					failed();
					return "";
				}),
			),
		);
		return { contentType: this.#registry.contentType, body: [own, ...others].join("\n") };
	}

	/** A store that does not answer must not hold up what the others say. */
	async #inTime<T>(work: Promise<T> | T): Promise<T> {
		const over = new AbortController();
		const late = sleep(this.#withinMs, undefined, { signal: over.signal, ref: false }).then(() => {
			throw new Error("too late");
		});
		late.catch(() => undefined);
		try {
			return await Promise.race([work, late]);
		} finally {
			over.abort();
		}
	}

	#known<T>(name: string): T | undefined {
		return this.#registry.getSingleMetric(name) as T | undefined;
	}
}
