import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { METRICS } from "../../src/observability/metrics/definitions.js";
import { documentedMetrics } from "../support/metrics-page.js";
import { readQuery } from "../support/promql.js";
import { ROOT } from "./deploy-files.js";

interface Rule {
	readonly alert: string;
	readonly expr: string;
	readonly labels: { readonly severity: string };
	readonly annotations: { readonly summary: string; readonly description: string };
}

const read = (path: string) => readFileSync(join(ROOT, path), "utf8");
const rules = (parse(read("deploy/prometheus/rules.yml")) as { groups: { rules: Rule[] }[] }).groups.flatMap(
	(group) => group.rules,
);
const dashboard = JSON.parse(read("deploy/grafana/dashboards/lode.json")) as {
	panels: {
		title: string;
		datasource?: { uid: string };
		targets?: { expr: string; legendFormat: string; datasource: { uid: string } }[];
	}[];
};
const queries: [place: string, query: string][] = [
	...rules.map(({ alert, expr }): [string, string] => [alert, expr]),
	...dashboard.panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }): [string, string] => [title, expr])),
];
/** What Prometheus adds to what it reads. */
const ADDED = new Set(["job", "instance", "le"]);
/** Values that follow from elsewhere: methods of ports, error codes, HTTP. */
const OPEN = new Set(["operation", "code", "status", "job"]);
const documented = await documentedMetrics();
const page = read("docs/observability.md");

/** A histogram is asked for by its parts. */
function metricOf(name: string) {
	const whole = documented.get(name);
	if (whole !== undefined && whole.type !== "histogram") return { name, ...whole };
	const base = name.replace(/_(bucket|sum|count)$/, "");
	const histogram = base === name ? undefined : documented.get(base);
	return histogram?.type === "histogram" ? { name: base, ...histogram } : undefined;
}

describe("docs/observability.md", () => {
	test("explains each metric of Lode's own, with its type and labels, and no other", () => {
		const own = [...documented].filter(([name]) => name.startsWith("lode_"));
		const said = own.map(([name, { type, labels }]) => ({ name, type, labels: [...labels].sort() }));
		const defined = Object.values(METRICS).map(({ name, type, labels }) => ({
			name,
			type,
			labels: [...labels].sort(),
		}));
		const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
		expect(said.sort(byName)).toEqual(defined.sort(byName));
	});

	test("says each metric's unit as its name does", () => {
		for (const [name, { unit }] of documented) {
			if (/_seconds(_|$)/.test(name)) expect([name, unit]).toEqual([name, "seconds"]);
			if (/_bytes(_|$)/.test(name)) expect([name, unit]).toEqual([name, "bytes"]);
		}
	});

	test("says what to do about each alert", () => {
		const told = [...page.matchAll(/^\| `(Lode\w+)` \| \S/gm)].map(([, name]) => name);
		expect(told).toEqual(rules.map(({ alert }) => alert));
	});
});

describe("the dashboard and the alert rules", () => {
	test("there are some", () => {
		expect(rules.length).toBeGreaterThan(15);
		expect(queries.length).toBeGreaterThan(60);
		for (const { labels, annotations } of rules) {
			expect(["warning", "critical"]).toContain(labels.severity);
			expect(annotations.summary).not.toBe("");
			expect(annotations.description).not.toBe("");
		}
	});

	test.each(queries)("%s asks for metrics and labels that there are: %s", (_, query) => {
		const { selected, grouped } = readQuery(query);
		for (const { metric, matchers } of selected) {
			if (metric === "up") continue;
			const known = metricOf(metric);
			expect([metric, known?.name]).not.toEqual([metric, undefined]);
			const labels = new Set([...(known?.labels ?? []), ...ADDED]);
			for (const label of [...matchers.map((one) => one.label), ...grouped])
				expect([metric, label, labels.has(label)]).toEqual([metric, label, true]);
			for (const { value } of matchers.filter(({ label }) => !OPEN.has(label))) {
				for (const one of value.split("|")) expect(page).toMatch(new RegExp(`\\b${one}\\b`));
			}
		}
	});

	test("have each of Lode's metrics in a panel", () => {
		const shown = new Set(
			queries.flatMap(([, query]) => readQuery(query).selected.map(({ metric }) => metricOf(metric)?.name)),
		);
		// What went wrong with reading metrics shows in their absence.
		const missing = Object.values(METRICS).filter(
			({ name }) => !shown.has(name) && name !== METRICS.collectErrors.name,
		);
		expect(missing.map(({ name }) => name)).toEqual([]);
	});

	test("are where Prometheus and Grafana look for them", () => {
		const { rule_files } = parse(read("deploy/prometheus/prometheus.yml")) as { rule_files: string[] };
		const { services } = parse(read("docker-compose.yml"), { merge: true }) as {
			services: Record<string, { volumes: string[]; profiles?: string[] }>;
		};
		for (const file of rule_files)
			expect(services.prometheus?.volumes).toContain(`./deploy/prometheus/rules.yml:${file}:ro`);
		const { providers } = parse(read("deploy/grafana/provisioning/dashboards/lode.yml")) as {
			providers: { options: { path: string } }[];
		};
		for (const { options } of providers)
			expect(services.grafana?.volumes).toContain(`./deploy/grafana/dashboards:${options.path}:ro`);
		const { datasources } = parse(read("deploy/grafana/provisioning/datasources/lode.yml")) as {
			datasources: { uid: string }[];
		};
		const uids = datasources.map(({ uid }) => uid);
		for (const { title, datasource, targets = [] } of dashboard.panels) {
			for (const one of [datasource, ...targets.map((target) => target.datasource)])
				if (one) expect([title, uids.includes(one.uid)]).toEqual([title, true]);
		}
		for (const name of ["grafana", "jaeger"]) expect(services[name]?.profiles).toEqual(["observability"]);
	});

	test("notice a query for what there is not", () => {
		expect(metricOf("lode_search_seconds_bucket")?.name).toBe("lode_search_seconds");
		expect(metricOf("lode_search_seconds")).toBeUndefined();
		expect(metricOf("lode_sources_bucket")).toBeUndefined();
		expect(metricOf("lode_nothing")).toBeUndefined();
		expect(() => readQuery("sum(rate(lode_sources[5m])")).toThrow("no PromQL");
		expect(readQuery('sum by (store) (rate(a_total{code=~"X|Y", b="c"}[5m])) / d')).toEqual({
			selected: [
				{
					metric: "a_total",
					matchers: [
						{ label: "code", value: "X|Y" },
						{ label: "b", value: "c" },
					],
				},
				{ metric: "d", matchers: [] },
			],
			grouped: ["store"],
		});
	});
});
