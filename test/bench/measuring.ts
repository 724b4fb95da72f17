import { loadavg } from "node:os";
import type { Figure } from "./bench.js";

export function rounded(value: number, digits = 1): number {
	return Number(value.toFixed(digits));
}

export function figure(
	name: string,
	value: number,
	unit: Figure["unit"],
	beside?: { readonly name: string; readonly value: number },
): Figure {
	const digits = unit === "fraction" ? 3 : unit === "ms" && value < 10 ? 2 : 1;
	return {
		name,
		value: rounded(value, digits),
		unit,
		...(beside && beside.value > 0
			? { beside: { ...beside, value: rounded(beside.value, 2), ratio: rounded(value / beside.value, 2) } }
			: {}),
		load: rounded(loadavg()[0] ?? 0, 2),
	};
}

/** Milliseconds that the work took, and what it gave. */
export async function timed<T>(work: () => Promise<T> | T): Promise<{ ms: number; value: T }> {
	const started = performance.now();
	const value = await work();
	return { ms: performance.now() - started, value };
}

/** The value below which `part` (0..1) of the series lies: the nearest of its members. */
export function quantile(series: readonly number[], part: number): number {
	const sorted = [...series].sort((a, b) => a - b);
	return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN;
}

/** The figures `<name>, p50` and `<name>, p95` of a series of milliseconds. */
export function percentiles(
	name: string,
	milliseconds: readonly number[],
	beside?: { readonly name: string; readonly value: number },
): Figure[] {
	return [
		figure(`${name}, p50`, quantile(milliseconds, 0.5), "ms", beside),
		figure(`${name}, p95`, quantile(milliseconds, 0.95), "ms", beside),
	];
}
