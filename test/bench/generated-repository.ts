import { createRepository, type TestRepository } from "../support/git-repository.js";
import { seededNumbers } from "../support/seeded-vectors.js";

/** Paths and contents of a repository of a given size: a third each TypeScript, Python and Markdown, 20 files a folder, about 1.5 KiB each. */
const FILES_A_FOLDER = 20;
const FILES_A_COMMIT = 5_000;

export interface GeneratedRepository {
	readonly repository: TestRepository;
	readonly path: string;
	readonly files: number;
	/** Changes one file, which differs from edit to edit, so that it holds `word`. Returns the commit. */
	edit(number: number, word: string): Promise<string>;
}

/** A git repository whose files refer to each other; equal sizes give equal repositories. */
export async function generateRepository(files: number): Promise<GeneratedRepository> {
	const repository = await createRepository();
	for (let at = 0; at < files; at += FILES_A_COMMIT) {
		const end = Math.min(files, at + FILES_A_COMMIT);
		const changed = Array.from({ length: end - at }, (_, n) => generatedFile(at + n, files));
		await repository.commit({
			message: `Add files ${at} to ${end}`,
			files: changed.map(({ path, content }) => [path, content] as const),
		});
	}
	return {
		repository,
		path: repository.path,
		files,
		edit(number, word) {
			const { path, content } = generatedFile((number * 7_919) % files, files);
			const comment = path.endsWith(".py") ? `# ${word}` : path.endsWith(".md") ? word : `// ${word}`;
			return repository.commit({ message: `Edit ${number}`, files: { [path]: `${content}\n${comment}\n` } });
		},
	};
}

const WORDS = (
	"account adapter amount archive balance batch branch buffer cache channel client column commit config context cursor customer " +
	"driver engine entry event export factory field filter format handle header import index invoice item key ledger limit link " +
	"list loader lock manager mapper message model module node number offset option order page parser path payment pool price " +
	"process profile query queue range reader record region report request result retry role route rule schema scope search " +
	"session signal snapshot source state status step store stream string table tag target task timer token total trace tree " +
	"type unit update user value vector version view window worker writer zone"
).split(" ");

function generatedFile(number: number, files: number): { path: string; content: string } {
	const next = seededNumbers(number + 1);
	const word = () => WORDS[Math.floor(next() * WORDS.length)] as string;
	const name = () => {
		const [first, second] = [word(), word()];
		return `${first}${second.charAt(0).toUpperCase()}${second.slice(1)}`;
	};
	const sentence = (length: number) => Array.from({ length }, word).join(" ");
	const folder = `part-${Math.floor(number / FILES_A_FOLDER / 50)}/area-${Math.floor(number / FILES_A_FOLDER)}`;
	const other = Math.floor(next() * files);
	switch (number % 3) {
		case 0: {
			const functions = Array.from({ length: 4 }, (_, n) => {
				const [parameter, local] = [word(), name()];
				return [
					`/** ${sentence(12)}. */`,
					`export function ${name()}${number}x${n}(${parameter}: number): number {`,
					`\tconst ${local}${n} = ${parameter} * ${1 + Math.floor(next() * 90)};`,
					`\tif (${local}${n} > ${Math.floor(next() * 900)}) throw new Error("${sentence(5)}");`,
					`\treturn ${local}${n} + ${Math.floor(next() * 900)};`,
					"}",
				].join("\n");
			});
			const head = `import { shared${other} } from "../area-${Math.floor(other / FILES_A_FOLDER)}/m${other}.js";`;
			const tail = `export const shared${number} = (): number => shared${other}() + ${number};`;
			return { path: `${folder}/m${number}.ts`, content: `${[head, ...functions, tail].join("\n\n")}\n` };
		}
		case 1: {
			const methods = Array.from({ length: 4 }, (_, n) => {
				const parameter = word();
				return [
					`    def ${word()}_${word()}_${n}(self, ${parameter}):`,
					`        """${sentence(14)}."""`,
					`        ${word()}_value = ${parameter} + ${Math.floor(next() * 900)}`,
					`        return {"${word()}": ${parameter}, "${word()}": ${Math.floor(next() * 900)}}`,
				].join("\n");
			});
			const name = `${word()}${number}`;
			return {
				path: `${folder}/p${number}.py`,
				content: `"""${sentence(16)}."""\n\nimport json\n\n\nclass ${name.charAt(0).toUpperCase()}${name.slice(1)}:\n${methods.join("\n\n")}\n`,
			};
		}
		default: {
			const sections = Array.from({ length: 3 }, () => `## ${sentence(4)}\n\n${sentence(50)}.\n`);
			return {
				path: `${folder}/d${number}.md`,
				content: `# ${sentence(4)} ${number}\n\nSee [the module](../area-${Math.floor(other / FILES_A_FOLDER)}/m${other}.ts).\n\n${sections.join("\n")}`,
			};
		}
	}
}
