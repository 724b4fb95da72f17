import type { BenchResult, Figure } from "./bench.js";
import type { Machine, MachineLimits } from "./machine.js";

/** What `npm run bench` writes. */
export interface BenchReport {
	readonly schema: 1;
	/** ISO 8601. */
	readonly startedAt: string;
	readonly commit: string | null;
	readonly full: boolean;
	readonly machine: Machine;
	/** At the end. */
	readonly load: number;
	readonly benches: Record<
		string,
		BenchResult & { readonly limits: MachineLimits; readonly seconds: number; readonly error?: string }
	>;
}

/** The report as Markdown: the machine, then a table a bench. */
export function markdown(report: BenchReport): string {
	const { machine } = report;
	const lines = [
		`Commit ${report.commit ?? "unknown"}, ${report.startedAt}, ${report.full ? "full" : "small"} inputs. ` +
			`${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.platform}, Node ${machine.node}.`,
	];
	for (const [name, { limits, figures, seconds, error }] of Object.entries(report.benches)) {
		lines.push(
			"",
			`### ${name} (${seconds} s)`,
			"",
			`Limits just before: ${limits.fsyncAppendsPerSecond} fsync'd appends/s (${limits.groupedAppendsPerSecond} grouped by 32), ` +
				`${limits.sequentialWriteMbPerSecond} MB/s written, ${limits.dotProductsMs} ms for 50,000 × 384 dot products; load ${limits.load}.`,
			"",
		);
		if (error !== undefined) lines.push(`Failed: ${cell(error)}`, "");
		if (figures.length === 0) continue;
		lines.push(
			"| figure | value | times what stands beside it | load |",
			"| --- | ---: | --- | ---: |",
			...figures.map(row),
		);
	}
	return lines.join("\n");
}

function row({ name, value, unit, beside, load }: Figure): string {
	const shown = unit === "fraction" ? value.toFixed(3) : `${value} ${unit}`;
	const times = beside === undefined ? "" : `${beside.ratio} × ${cell(beside.name)} (${beside.value})`;
	return `| ${cell(name)} | ${shown} | ${times} | ${load} |`;
}

const cell = (text: string): string => text.replaceAll("|", "\\|").replace(/\s*\n\s*/g, " ");
