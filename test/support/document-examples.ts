import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

/** A command that a document shows, and the JSON that it shows for it. */
export interface Example {
	/** Line of the document, 1-based. */
	readonly line: number;
	/** Words after `lode`. */
	readonly args: readonly string[];
	readonly json?: unknown;
}

export function readDocument(path: string): Promise<string> {
	return readFile(fileURLToPath(new URL(`../../${path}`, import.meta.url)), "utf8");
}

/**
 * The `$ lode …` commands of a document's `console` blocks, in order. Blocks of other languages are not run: they show what needs a
 * network, another terminal, or an installation.
 */
export function examplesOf(markdown: string): Example[] {
	const examples: Example[] = [];
	let current: { line: number; args: string[]; output: string[] } | undefined;
	let inside = false;
	const end = (): void => {
		if (current === undefined) return;
		const output = current.output.join("\n").trim();
		examples.push({
			line: current.line,
			args: current.args,
			...(output.startsWith("{") ? { json: JSON.parse(output) as unknown } : {}),
		});
		current = undefined;
	};
	for (const [at, line] of markdown.split("\n").entries()) {
		if (line.startsWith("```")) {
			end();
			inside = line === "```console";
		} else if (inside && line.startsWith("$ ")) {
			end();
			const [program, ...args] = words(line.slice(2));
			if (program !== "lode") throw new Error(`line ${at + 1}: only lode is run`);
			current = { line: at + 1, args, output: [] };
		} else current?.output.push(line);
	}
	return examples;
}

/** Words of a command line, with double quotes and nothing else of a shell. */
function words(command: string): string[] {
	return [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");
}

/** Cells of the rows under the first table heading that begins with `heading`, without the marks of code. */
export function tableUnder(markdown: string, heading: string): string[][] {
	const lines = markdown.split("\n");
	const first = lines.findIndex((line) => line.startsWith(`| ${heading} |`));
	if (first < 0) throw new Error(`there is no table ${heading}`);
	const rows: string[][] = [];
	for (const line of lines.slice(first + 2)) {
		if (!line.startsWith("|")) break;
		rows.push(
			line
				.split("|")
				.slice(1, -1)
				.map((cell) => cell.trim()),
		);
	}
	return rows;
}

/**
 * Where printed JSON has other keys than the document shows. `…` among documented keys stands for any; keys that name entities or
 * sources differ anyway, and lists are compared by their first element.
 */
export function shapeDifferences(documented: unknown, printed: unknown, at = "$"): string[] {
	if (Array.isArray(documented) || Array.isArray(printed)) {
		if (!Array.isArray(documented) || !Array.isArray(printed)) return [`${at}: a list in one of the two only`];
		return documented.length === 0 || printed.length === 0
			? []
			: shapeDifferences(documented[0], printed[0], `${at}[0]`);
	}
	if (!isObject(documented) || !isObject(printed)) {
		return isObject(documented) === isObject(printed) ? [] : [`${at}: an object in one of the two only`];
	}
	const keys = Object.keys(documented);
	if (keys.includes("…")) return [];
	if (keys.some((key) => key.includes(":"))) {
		return shapeDifferences(Object.values(documented)[0], Object.values(printed)[0], `${at}.*`);
	}
	const missing = keys.filter((key) => !(key in printed)).map((key) => `${at}.${key} is documented and not printed`);
	const extra = Object.keys(printed)
		.filter((key) => !keys.includes(key))
		.map((key) => `${at}.${key} is printed and not documented`);
	const inner = keys
		.filter((key) => key in printed)
		.flatMap((key) => shapeDifferences(documented[key], printed[key], `${at}.${key}`));
	return [...missing, ...extra, ...inner];
}

function isObject(value: unknown): value is Record<string, unknown> {
	return typeof value === "object" && value !== null;
}
