import type { Figure } from "./bench.js";

const WIDTH = 900;
const LABELS = 430;
const ROW = 34;
const BAR = 12;

const escaped = (text: string): string => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** One bar a figure, and one below it for what stands beside it; figures of one unit share a scale. An SVG document. */
export function chart(title: string, figures: readonly Figure[]): string {
	const values = figures.flatMap(({ value, beside }) => [value, beside?.value ?? 0]);
	const scale = (WIDTH - LABELS - 90) / Math.max(...values, Number.MIN_VALUE);
	const height = 40 + figures.length * ROW;
	const bar = (y: number, value: number, colour: string, text: string): string =>
		`<rect x="${LABELS}" y="${y}" width="${Math.max(1, value * scale).toFixed(1)}" height="${BAR}" fill="${colour}"/>` +
		`<text x="${(LABELS + value * scale + 5).toFixed(1)}" y="${y + BAR - 2}" font-size="11">${escaped(text)}</text>`;
	const rows = figures.map(({ name, value, unit, beside }, at) => {
		const y = 34 + at * ROW;
		const label = name.length > 66 ? `${name.slice(0, 65)}…` : name;
		return [
			`<text x="${LABELS - 8}" y="${y + BAR}" font-size="12" text-anchor="end">${escaped(label)}</text>`,
			bar(y, value, "#2563eb", `${value} ${unit}`),
			beside ? bar(y + BAR + 1, beside.value, "#9ca3af", `${beside.value} (${beside.name})`) : "",
		].join("");
	});
	return (
		`<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" font-family="sans-serif"><title>${escaped(title)}</title>` +
		`<rect width="100%" height="100%" fill="white"/><text x="10" y="20" font-size="14" font-weight="bold">${escaped(title)}</text>` +
		`${rows.join("")}</svg>\n`
	);
}

/** The charts of a bench by the end of their names: one a unit. */
export function chartsOf(bench: string, figures: readonly Figure[]): Map<string, string> {
	const units = new Set(figures.map(({ unit }) => unit));
	return new Map(
		[...units].map((unit) => [
			`${bench}-${unit.replace("/", "-a-")}.svg`,
			chart(
				`${bench}, ${unit}`,
				figures.filter((each) => each.unit === unit),
			),
		]),
	);
}
