import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { TestWorkflowEnvironment } from "@temporalio/testing";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { SearchHit } from "../../src/services/reports.js";
import {
	createRepository,
	type TestFiles,
	type TestRepository,
	testGitEnvironment,
} from "../support/git-repository.js";
import { LodeInstance } from "../support/lode-instance.js";
import { seededRandom } from "../support/seeded-random.js";
import { temporalEnvironment } from "../support/temporal-environment.js";

const SEED = Number(process.env.LODE_TEST_SEED ?? 20_261_121);
const CORPORA = fileURLToPath(new URL("../../../shared/corpora", import.meta.url));
const CHUNK_SIZE = 1_200;

/** What git says that a commit holds, read by git's own commands and nothing of ours. */
class GitCommit {
	readonly #lines = new Map<string, Promise<readonly string[]>>();

	private constructor(
		private readonly repository: string,
		readonly commit: string,
		/** By the path as Lode writes it: the blob's id. */
		readonly paths: ReadonlyMap<string, string>,
	) {}

	static async read(repository: string, commit: string): Promise<GitCommit> {
		const listed = (await git(repository, "ls-tree", "-r", "-z", commit)).toString("latin1");
		const blobs = [...listed.matchAll(/\d+ blob ([0-9a-f]+)\t([^\0]+)\0/g)];
		return new GitCommit(
			repository,
			commit,
			new Map(blobs.map(([, id, path]) => [shown(path as string), id as string])),
		);
	}

	/** The lines of a file, by "\n" alone; a byte order mark is no content. */
	lines(path: string): Promise<readonly string[]> {
		const known = this.#lines.get(path);
		if (known) return known;
		const lines = this.#read(path);
		this.#lines.set(path, lines);
		return lines;
	}

	async #read(path: string): Promise<readonly string[]> {
		const bytes = await git(this.repository, "cat-file", "blob", this.paths.get(path) as string);
		const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le" : "utf-8";
		return new TextDecoder(encoding, { fatal: true }).decode(bytes).split("\n");
	}
}

const run = promisify(execFile);

async function git(repository: string, ...args: string[]): Promise<Buffer> {
	const options = { env: testGitEnvironment(), encoding: "buffer", maxBuffer: 256 * 1024 * 1024 } as const;
	return (await run("git", ["-C", repository, ...args], options)).stdout;
}

/** A path that is not UTF-8 is written with `\xHH` for each offending byte. */
function shown(latin1: string): string {
	const bytes = Buffer.from(latin1, "latin1");
	const text = bytes.toString("utf8");
	return Buffer.from(text).equals(bytes)
		? text
		: latin1.replace(/[\x80-\xff]/g, (character) => `\\x${character.charCodeAt(0).toString(16)}`);
}

/** Undefined where a hit is what git says. */
async function disagreement(hit: SearchHit, at: GitCommit): Promise<string | undefined> {
	const name = `${hit.path}:${hit.startLine}-${hit.endLine}`;
	if (hit.commit !== at.commit) return `${name}: of commit ${hit.commit}, asked for ${at.commit}`;
	if (!at.paths.has(hit.path)) return `${name}: not in the commit`;
	const lines = await at.lines(hit.path);
	const expected = lines.slice(hit.startLine - 1, hit.endLine).join("\n");
	if (hit.text === expected) return undefined;
	// Of a line that is longer than a chunk may be, a chunk is a part.
	const part = hit.startLine === hit.endLine && expected.length > CHUNK_SIZE && expected.includes(hit.text);
	return part ? undefined : `${name}: ${JSON.stringify(hit.text.slice(0, 80))} is not what git has there`;
}

/** Searches words of the repository, each at one of the commits, and compares every hit. */
async function compareHits(
	lode: LodeInstance,
	source: string,
	commits: readonly GitCommit[],
	searches: number,
	random: () => number,
): Promise<{ hits: SearchHit[]; disagreeing: string[]; empty: number }> {
	const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
	const hits: SearchHit[] = [];
	const disagreeing: string[] = [];
	let empty = 0;
	for (let count = 0; count < searches; count++) {
		const at = commits[count % commits.length] as GitCommit;
		// Words from anywhere in the commit: of a line, or of a path.
		const path = pick([...at.paths.keys()]);
		const lines = await at.lines(path).catch(() => [path]);
		const words = `${pick(lines)} ${random() < 0.2 ? path : ""}`.match(/[\p{L}\p{N}_]{3,40}/gu) ?? [path];
		const text = words.slice(0, 1 + Math.floor(random() * 4)).join(" ");
		const report = await lode.reader.search({ text, source, limit: 25, at: at.commit });
		if (report.hits.length === 0) empty += 1;
		for (const hit of report.hits) {
			hits.push(hit);
			const wrong = await disagreement(hit, at);
			if (wrong !== undefined) disagreeing.push(`"${text}" → ${wrong}`);
		}
	}
	return { hits, disagreeing, empty };
}

const crlf = (text: string) => text.replaceAll("\n", "\r\n");
const long = (word: string, length: number) => Array.from({ length }, (_, at) => `${word}${at}`).join(" ");
const TS = `import { readFile } from "node:fs/promises";

/** Loads the ledger. */
export class LedgerStore {
	#rows = 0;

	async load(path: string): Promise<string> {
		const text = await readFile(path, "utf8");
		this.#rows += text.length;
		return text;
	}
}

export const emptyLedger = (): LedgerStore => new LedgerStore();
`;

function files(): TestFiles {
	return [
		["src/ledger.ts", TS],
		["src/crlf.ts", crlf(TS.replaceAll("Ledger", "Windows"))],
		["src/no-end.js", "function withoutLineEnd() {\n\treturn 'last line';\n}\n\nmodule.exports = { withoutLineEnd };"],
		["src/minified.js", `var bundle={${long("member:1,key", 3_000)}};`],
		[
			"py/accounts.py",
			'"""Accounts."""\n\nclass Account:\n    """Holds money."""\n\n    def deposit(self, amount):\n        return self.balance + amount\n\n\ndef open_account(name):\n    return Account()\n',
		],
		[
			"go/main.go",
			'package main\n\nimport "fmt"\n\n// Greet says hello.\nfunc Greet(name string) {\n\tfmt.Println(name)\n}\n',
		],
		[
			"java/Shop.java",
			"package shop;\n\npublic class Shop {\n  private int stock;\n\n  public int sell(int amount) {\n    return stock - amount;\n  }\n}\n",
		],
		[
			"rust/lib.rs",
			"pub struct Vault { gold: u32 }\n\nimpl Vault {\n    pub fn withdraw(&mut self, gold: u32) -> u32 {\n        self.gold -= gold;\n        gold\n    }\n}\n",
		],
		["c/queue.c", "#include <stdio.h>\n\nint enqueue(int *queue, int value)\n{\n\tqueue[0] = value;\n\treturn 1;\n}\n"],
		[
			"cpp/stack.cpp",
			"namespace ds {\nclass Stack {\npublic:\n  void push(int v) { top = v; }\nprivate:\n  int top;\n};\n}\n",
		],
		["cs/Order.cs", "namespace Shop {\n  public class Order {\n    public decimal Total() { return 1m; }\n  }\n}\n"],
		["ruby/cart.rb", "module Shop\n  class Cart\n    def checkout(user)\n      user.pay(total)\n    end\n  end\nend\n"],
		["php/index.php", "<?php\nfunction render_page($title) {\n  return '<h1>' . $title . '</h1>';\n}\n"],
		[
			"docs/guide.md",
			`# Guide\n\nHow to settle invoices.\n\n## Refunds\n\nSee [ledger](../src/ledger.ts).\n\n${long("paragraph", 600)}\n\n### Deep\n\nText\u00a0with umlauts: Größe, naïve, 漢字.\n`,
		],
		["docs/bom.md", "\ufeff# Marked\n\nStarts with a byte order mark.\n"],
		["docs/utf16.txt", Buffer.from("\ufeffsixteen bits a character\nsecond line of sixteen\n", "utf16le")],
		["docs/lone-cr.txt", "one carriage\rreturn alone\nis no line end\n\u2028neither is this separator\n"],
		["docs/blank.txt", "\n\n\nfirst text after blanks\n\n\n\nsecond text after blanks\n\n"],
		["dbt_project.yml", "name: shop\nversion: '1.0'\nmodel-paths: [models]\n"],
		[
			"models/orders.sql",
			"with source as (\n  select * from {{ ref('raw_orders') }}\n)\n\nselect order_id, amount from source\n",
		],
		[
			"models/schema.yml",
			"version: 2\nmodels:\n  - name: orders\n    description: All orders.\n    columns:\n      - name: order_id\n        tests: [unique]\n",
		],
		[
			"data/people.csv",
			`id,name,town\n${Array.from({ length: 200 }, (_, at) => `${at},person ${at},town ${at % 7}`).join("\n")}\n`,
		],
		[
			"data/events.jsonl",
			`${Array.from({ length: 50 }, (_, at) => JSON.stringify({ id: at, kind: `kind${at % 3}` })).join("\n")}\n`,
		],
		["package.json", '{\n  "name": "shop",\n  "dependencies": { "left-pad": "1.0.0" }\n}\n'],
		["odd name (1) ü\n.txt", "a name with a line end\n"],
		[Buffer.from([0x6c, 0xe4, 0x2e, 0x74, 0x78, 0x74]), "a name in latin one\n"],
		["empty.txt", ""],
		["image.png", Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 1, 2, 3])],
	];
}

/** Real: everything. Git says what is right. */
/** The largest takes a minute; LODE_TEST_THOROUGH=1 has it too. */
const REPOSITORIES = [
	"jaffle-shop-classic",
	"httpx",
	...(process.env.LODE_TEST_THOROUGH === "1" ? ["samples-typescript"] : []),
];

describe(`hits (seed ${SEED})`, () => {
	let environment: TestWorkflowEnvironment;
	let lode: LodeInstance;
	const cleanUps: (() => Promise<unknown>)[] = [];
	beforeAll(async () => {
		environment = await temporalEnvironment();
	});
	afterEach(async () => {
		await lode?.close();
		for (const cleanUp of cleanUps.splice(0)) await cleanUp();
	});
	afterAll(() => environment?.teardown());

	test("agree with git in path, lines and text, at every commit", async () => {
		lode = await LodeInstance.open(environment);
		const repository: TestRepository = await createRepository();
		cleanUps.push(() => repository.remove());
		const commits = [
			await repository.commit({ files: files() }),
			await repository.commit({
				files: {
					"src/ledger.ts": crlf(TS),
					"src/crlf.ts": TS.replaceAll("Ledger", "Windows"),
					"docs/guide.md": "Nothing but a line.\n\n# Guide\n\nHow to settle invoices later.\n",
					"data/people.csv": "id,name\n1,one\n",
				},
			}),
			await repository.commit({
				files: { "lib/accounts.py": "def open_account(name):\n    return name\n", "py/new.py": "X = 1\n" },
				deletes: ["py/accounts.py", "src/minified.js"],
			}),
			await repository.commit({
				files: { "src/ledger.ts": `\n\n\n${TS}`, "src/minified.js": `x=[${long("y", 900)}]` },
			}),
		];
		let source = "";
		for (const commit of commits) {
			const report = await lode.ingest(repository.path, commit);
			expect(report.files.failed).toBe(0);
			source = report.source;
		}
		const told = await Promise.all(commits.map((commit) => GitCommit.read(repository.path, commit)));
		const { hits, disagreeing, empty } = await compareHits(lode, source, told, 160, seededRandom(SEED));
		expect(disagreeing).toEqual([]);
		expect(hits.length).toBeGreaterThan(1_000);
		expect(empty).toBeLessThan(20);

		// The comparison is worth something: it has seen all kinds of files, and it notices a shifted line or another version.
		const seen = new Set(hits.map(({ path }) => path));
		for (const path of [
			"src/crlf.ts",
			"src/minified.js",
			"docs/bom.md",
			"docs/utf16.txt",
			"docs/lone-cr.txt",
			"data/people.csv",
		])
			expect([...seen], path).toContain(path);
		for (const path of ["l\\xe4.txt", "odd name (1) ü\n.txt"]) expect([...seen], path).toContain(path);
		const hit = hits.find(({ path, commit }) => path === "src/ledger.ts" && commit === commits[3]) as SearchHit;
		const [first, , , last] = told as [GitCommit, GitCommit, GitCommit, GitCommit];
		expect(await disagreement(hit, last)).toBeUndefined();
		expect(await disagreement({ ...hit, startLine: hit.startLine + 1 }, last)).toContain("is not what git has");
		expect(await disagreement({ ...hit, commit: first.commit }, first)).toContain("is not what git has");
	});

	const missing = existsSync(CORPORA) ? undefined : `there is no ${CORPORA}`;
	if (missing !== undefined) console.info(`hits of real repositories are not compared: ${missing}`);
	test.skipIf(missing !== undefined).each(REPOSITORIES)(
		"of %s agree with git, and none of its files fails",
		async (name) => {
			lode = await LodeInstance.open(environment);
			const folder = await mkdtemp(join(tmpdir(), "lode-corpus-"));
			cleanUps.push(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
			const path = join(folder, name);
			const bundle = join(CORPORA, `${name}.bundle`);
			await run("git", ["clone", "--quiet", "--no-checkout", bundle, path], { env: testGitEnvironment() });
			const report = await lode.ingest(path);
			expect(report.files).toMatchObject({ failed: 0, changed: 0, removed: 0 });
			const at = await GitCommit.read(path, report.commit);
			expect(report.files.added).toBe(at.paths.size);
			const { hits, disagreeing, empty } = await compareHits(lode, report.source, [at], 60, seededRandom(SEED));
			expect(disagreeing).toEqual([]);
			expect(hits.length).toBeGreaterThan(1_000);
			expect(empty).toBeLessThan(20);
			await lode.verified(report.source);
		},
		180_000,
	);
});
