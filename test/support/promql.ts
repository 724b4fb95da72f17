import { parser } from "@prometheus-io/lezer-promql";

export interface Selected {
	readonly metric: string;
	readonly matchers: readonly { readonly label: string; readonly value: string }[];
}

export interface Query {
	readonly selected: readonly Selected[];
	/** In `by (…)`. */
	readonly grouped: readonly string[];
}

/** What a PromQL query asks for, by Prometheus' own grammar. Throws where it is none. */
export function readQuery(expression: string): Query {
	// Grafana fills these in.
	const text = expression.replaceAll("$__rate_interval", "5m");
	const selected: { metric: string; matchers: { label: string; value: string }[] }[] = [];
	const grouped: string[] = [];
	const of = (node: { from: number; to: number }) => text.slice(node.from, node.to);
	parser.parse(text).iterate({
		enter({ name, node }) {
			if (node.type.isError) throw new Error(`no PromQL at ${node.from}: ${text}`);
			if (name === "VectorSelector") {
				const metric = node.getChild("Identifier");
				selected.push({ metric: metric ? of(metric) : "", matchers: [] });
			}
			if (name === "UnquotedLabelMatcher") {
				const label = node.getChild("LabelName");
				const value = node.getChild("StringLiteral");
				if (label && value)
					selected.at(-1)?.matchers.push({ label: of(label), value: JSON.parse(of(value)) as string });
			}
			if (name === "GroupingLabels") for (const label of node.getChildren("LabelName")) grouped.push(of(label));
		},
	});
	if (selected.length === 0) throw new Error(`asks for nothing: ${text}`);
	return { selected, grouped };
}
