import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { compareBytes } from "../../src/domain/byte-order.js";
import type { Corpus } from "./corpora.js";
import type { LodeInstance } from "./lode-instance.js";

const run = promisify(execFile);
const EACH = 25;

/** `count` of them, evenly spread. */
function spread<T>(values: readonly T[], count: number): T[] {
	const taken = Math.min(count, values.length);
	return Array.from({ length: taken }, (_, index) => values[Math.floor((index * values.length) / taken)] as T);
}

/**
 * Fifty queries that a repository itself suggests: names of what is defined in one place only, and, as people word what they look for, the
 * subjects of its commits and, where there are too few, lines of its documents.
 */
export async function profileQueries(
	lode: LodeInstance,
	corpus: Corpus,
): Promise<{ names: string[]; questions: string[] }> {
	const { catalog, graph } = lode.ports;
	const snapshot = await catalog.snapshot({ by: "latest" }, []);
	const defined = await graph.entities(
		{ snapshot },
		{ name: "", prefix: true, kinds: ["symbol", "data_model", "dataset"], limit: 5_000 },
	);
	const places = new Map<string, number>();
	for (const { name, origins } of defined) places.set(name, (places.get(name) ?? 0) + origins.length);
	const unique = [...places].filter(([name, count]) => count === 1 && name.length >= 4).map(([name]) => name);
	const { stdout } = await run("git", ["-C", corpus.path, "log", "--format=%s", "--no-merges"]);
	const subjects = [...new Set(stdout.split("\n"))].filter((subject) => subject.split(" ").length >= 3);
	const names = spread(unique.sort(compareBytes), EACH);
	const wanted = 2 * EACH - names.length;
	const questions = spread(subjects, wanted);
	if (questions.length < wanted) {
		const args = [
			"-C",
			corpus.path,
			"grep",
			"-hIE",
			"([A-Za-z]+ ){4}",
			"HEAD",
			"--",
			"*.md",
			"*.yml",
			"*.yaml",
			"*.rst",
		];
		const prose = (await run("git", args)).stdout
			.split("\n")
			.map((line) => line.replace(/[^A-Za-z0-9 ]+/g, " ").trim());
		const lines = [...new Set(prose)].filter((line) => line.split(/ +/).length >= 4).map((line) => line.slice(0, 200));
		questions.push(...spread(lines, wanted - questions.length));
	}
	return { names, questions };
}
