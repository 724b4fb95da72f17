import { createRepository, type TestRepository } from "./git-repository.js";
import type { LodeInstance } from "./lode-instance.js";

/** One of two sources of one installation, and words that only it has. */
export interface MarkedSource {
	readonly id: string;
	readonly address: string;
	readonly ingestion: string;
	readonly commit: string;
	readonly snapshot: number;
	/** What an answer to somebody who may not see it must not hold. */
	readonly marks: readonly string[];
}

/** Two repositories with files of the same names, dependencies in common, and words of their own; the other is published last. */
export async function twoSources(
	lode: LodeInstance,
): Promise<{ readonly ours: MarkedSource; readonly other: MarkedSource; remove(): Promise<void> }> {
	const [first, second] = [await createRepository(), await createRepository()];
	const ours = await marked(lode, first, "orchard", "Olga Orlova");
	const other = await marked(lode, second, "zanzibar", "Zeno Zweig");
	return {
		ours,
		other,
		async remove() {
			await first.remove();
			await second.remove();
		},
	};
}

async function marked(
	lode: LodeInstance,
	repository: TestRepository,
	word: string,
	author: string,
): Promise<MarkedSource> {
	const manifest = { name: `${word}-app`, version: "1.0.0", dependencies: { lodash: "4.17.21" } };
	const commit = await repository.commit({
		message: `Plant the ${word}`,
		author: { name: author, email: `${word}@example.org` },
		files: {
			"package.json": JSON.stringify(manifest),
			"src/common.ts": `import { each } from "lodash";\nexport function shared() {\n\treturn each("${word}");\n}\n`,
			[`src/${word}.ts`]: `import { shared } from "./common";\n/** The ${word} of the house. */\nexport function ${word}Count() {\n\treturn shared().length;\n}\n`,
			"models/customers.sql": `select * from {{ ref('${word}_orders') }}\n`,
			[`models/${word}_orders.sql`]: "select 1 as id\n",
			"docs/guide.md": `# Guide\n\nHow to tend the ${word} in the house.\n`,
		},
	});
	await repository.checkout();
	const { source: id, ingestion, snapshot } = await lode.ingest(repository.path);
	return {
		id,
		address: repository.path,
		ingestion: ingestion as string,
		commit,
		snapshot: snapshot as number,
		marks: [word, author, id, repository.path, commit, commit.slice(0, 10)],
	};
}
