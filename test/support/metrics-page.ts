import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

export interface ExposedMetric {
	readonly name: string;
	readonly type: string;
	readonly labels: ReadonlySet<string>;
	readonly samples: readonly {
		readonly name: string;
		readonly labels: Record<string, string>;
		readonly value: number;
	}[];
}

/** What a page in Prometheus' text format says. Labels of the format itself (`le`, `quantile`) are none of the metric's. */
export function exposedMetrics(page: string): Map<string, ExposedMetric> {
	const found = new Map<string, ExposedMetric>();
	let current: ExposedMetric | undefined;
	for (const line of page.split("\n")) {
		const [, name, type] = /^# TYPE (\S+) (\S+)/.exec(line) ?? [];
		if (name !== undefined && type !== undefined) {
			current = { name, type, labels: new Set(), samples: [] };
			found.set(name, current);
			continue;
		}
		const sample = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line);
		if (sample === null || current === undefined) continue;
		const labels = Object.fromEntries(
			[...(sample[2] ?? "").matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label, value]) => [label, value]),
		) as Record<string, string>;
		for (const label of Object.keys(labels)) {
			if (label !== "le" && label !== "quantile") (current.labels as Set<string>).add(label);
		}
		(current.samples as unknown[]).push({ name: sample[1], labels, value: Number(sample[3]) });
	}
	return found;
}

/** What docs/observability.md says of metrics, by name: rows `| `name` | type | unit | labels | meaning |`. */
export async function documentedMetrics(): Promise<
	Map<string, { readonly type: string; readonly unit: string; readonly labels: readonly string[] }>
> {
	const page = await readFile(fileURLToPath(new URL("../../docs/observability.md", import.meta.url)), "utf8");
	const rows = page.matchAll(/^\| `([a-z][a-z0-9_]*)` \| (counter|gauge|histogram|summary) \| ([^|]*) \| ([^|]*) \|/gm);
	return new Map(
		[...rows].map(([, name, type, unit, labels]) => [
			name as string,
			{
				type: type as string,
				unit: (unit as string).trim(),
				labels: [...(labels as string).matchAll(/`(\w+)`/g)].map(([, label]) => label as string),
			},
		]),
	);
}
