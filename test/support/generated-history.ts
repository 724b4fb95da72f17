import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seededRandom } from "./seeded-random.js";

/** What one commit of a generated history does to the tree before it. Numbers choose among what is there. */
export type HistoryStep =
	| { readonly do: "add"; readonly file: number; readonly variant: number }
	| { readonly do: "edit"; readonly pick: number; readonly variant: number }
	| { readonly do: "rename"; readonly pick: number; readonly to: number }
	| { readonly do: "delete"; readonly pick: number }
	/** Back to the tree of an earlier commit, in a new commit. */
	| { readonly do: "revert"; readonly to: number }
	/** The commit's parent is an earlier commit: what came between is no longer reachable. */
	| { readonly do: "forcePush"; readonly onto: number; readonly file: number; readonly variant: number };

export interface GeneratedHistory {
	readonly path: string;
	/** Commit ids in the order of the steps; the first one holds the initial files. */
	readonly commits: readonly string[];
	remove(): Promise<void>;
}

type Tree = ReadonlyMap<string, string>;

/** Files that refer to each other, so that a change of one retargets names in others. */
function fileOf(number: number, variant: number): { path: string; content: string } {
	const other = (number * 7 + variant) % 40;
	switch (number % 6) {
		case 0:
			return {
				path: `src/m${number}.ts`,
				content: `import { f${other} } from "./m${other}.js";\n\nexport function f${number}(value: number): number {\n\treturn f${other}(value) + ${variant};\n}\n\nexport class C${number} {\n\trun(): number {\n\t\treturn f${number}(${variant});\n\t}\n}\n`,
			};
		case 1:
			return {
				path: `src/m${number}/index.ts`,
				content: `export const f${number} = (value: number): number => value * ${variant};\nexport function shared(): string {\n\treturn "${variant}";\n}\n`,
			};
		case 2:
			return {
				path: `py/p${number}.py`,
				content: `from p${other} import helper_${other}\n\n\ndef helper_${number}(x):\n    """Variant ${variant}."""\n    return helper_${other}(x) + ${variant}\n`,
			};
		case 3:
			return {
				path: `docs/d${number}.md`,
				content: `# Document ${number}\n\nText ${variant} with a [link](../src/m${other}.ts).\n\n## Part\n\nMore about item ${other}.\n`,
			};
		case 4:
			return {
				path: `models/model_${number}.sql`,
				content: `select id as model_id, amount as amount_${variant % 3}\nfrom {{ ref('model_${(other * 6 + 4) % 60}') }}\n`,
			};
		default:
			return { path: `data/t${number}.csv`, content: `id,name_${variant % 3}\n1,a${variant}\n2,b${number}\n` };
	}
}

function applied(tree: Tree, step: HistoryStep, trees: readonly Tree[]): Tree {
	const next = new Map(tree);
	const paths = [...tree.keys()].sort();
	switch (step.do) {
		case "add": {
			const { path, content } = fileOf(step.file, step.variant);
			next.set(path, content);
			break;
		}
		case "edit": {
			const path = paths[step.pick % Math.max(1, paths.length)];
			const number = Number(/\d+/.exec(path ?? "")?.[0] ?? 0);
			if (path !== undefined) next.set(path, fileOf(number, step.variant).content);
			break;
		}
		case "rename": {
			const path = paths[step.pick % Math.max(1, paths.length)];
			if (path !== undefined) {
				next.delete(path);
				next.set(`moved/${step.to}/${path.split("/").at(-1)}`, tree.get(path) as string);
			}
			break;
		}
		case "delete": {
			const path = paths[step.pick % Math.max(1, paths.length)];
			if (path !== undefined && paths.length > 1) next.delete(path);
			break;
		}
		case "revert":
			return trees[step.to % trees.length] as Tree;
		case "forcePush": {
			const base = new Map(trees[step.onto % trees.length] as Tree);
			const { path, content } = fileOf(step.file, step.variant);
			return base.set(path, content);
		}
	}
	return next;
}

/** Writes the history into a new repository with `git fast-import`. Deterministic: the same steps give the same commit ids. */
export async function writeHistory(
	initial: readonly { file: number; variant: number }[],
	steps: readonly HistoryStep[],
): Promise<GeneratedHistory> {
	const path = await mkdtemp(join(tmpdir(), "lode-history-"));
	const trees: Tree[] = [
		new Map(initial.map(({ file, variant }) => fileOf(file, variant)).map((one) => [one.path, one.content])),
	];
	const parents: (number | undefined)[] = [undefined];
	for (const step of steps) {
		trees.push(applied(trees.at(-1) as Tree, step, trees));
		parents.push(step.do === "forcePush" ? step.onto % (trees.length - 1) : trees.length - 2);
	}
	let stream = "";
	const data = (text: string) => `data ${Buffer.byteLength(text)}\n${text}\n`;
	for (const [at, tree] of trees.entries()) {
		const who = `Author ${at % 3} <author${at % 3}@example.org> ${1_700_000_000 + at * 60} +0000`;
		stream += `reset refs/heads/main\n`;
		stream += `commit refs/heads/main\nmark :${at + 1}\nauthor ${who}\ncommitter ${who}\n${data(`Step ${at}: ${steps[at - 1]?.do ?? "initial"}`)}`;
		const parent = parents[at];
		if (parent !== undefined) stream += `from :${parent + 1}\n`;
		stream += "deleteall\n";
		for (const file of [...tree.keys()].sort()) stream += `M 100644 inline ${file}\n${data(tree.get(file) as string)}`;
		stream += "\n";
	}
	await git(path, ["init", "-q", "-b", "main", "."]);
	await git(path, ["fast-import", "--quiet", "--force", `--export-marks=${join(path, ".git", "marks")}`], stream);
	const marks = new Map(
		(await readFile(join(path, ".git", "marks"), "utf8"))
			.trim()
			.split("\n")
			.map((line) => line.split(" ") as [string, string]),
	);
	const commits = trees.map((_, at) => marks.get(`:${at + 1}`) as string);
	for (const [at, commit] of commits.entries()) await git(path, ["update-ref", `refs/tags/step-${at}`, commit]);
	return { path, commits, remove: () => rm(path, { recursive: true, force: true, maxRetries: 3 }) };
}

/** A random history from a seed. */
export function generateHistory(options: { seed: number; commits: number; files: number }): Promise<GeneratedHistory> {
	const random = seededRandom(options.seed);
	const number = (below: number) => Math.floor(random() * below);
	const initial = Array.from({ length: options.files }, (_, file) => ({ file, variant: number(9) }));
	const steps = Array.from({ length: options.commits - 1 }, (_, at): HistoryStep => {
		switch (number(8)) {
			case 0:
				return { do: "add", file: options.files + number(50), variant: number(9) };
			case 1:
				return { do: "rename", pick: number(1_000), to: number(4) };
			case 2:
				return { do: "delete", pick: number(1_000) };
			case 3:
				return { do: "revert", to: number(at + 1) };
			case 4:
				return { do: "forcePush", onto: number(at + 1), file: number(60), variant: number(9) };
			default:
				return { do: "edit", pick: number(1_000), variant: number(9) };
		}
	});
	return writeHistory(initial, steps);
}

async function git(cwd: string, args: readonly string[], input = ""): Promise<void> {
	const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_")));
	const child = spawn("git", args, { cwd, env, stdio: [input === "" ? "ignore" : "pipe", "ignore", "pipe"] });
	let errors = "";
	child.stderr?.on("data", (text) => {
		errors += text;
	});
	child.stdin?.end(input);
	const [code] = (await once(child, "close")) as [number];
	if (code !== 0) throw new Error(`git ${args[0]}: ${errors}`);
}
