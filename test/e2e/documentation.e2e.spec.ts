import { glob, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CliDependencies } from "../../src/cli/cli.js";
import { exitCodes } from "../../src/cli/commands/exit-codes.js";
import { createProgram } from "../../src/cli/program.js";
import { loadConfig, settingValue } from "../../src/config/config.js";
import { SETTINGS } from "../../src/config/settings.js";
import { ERROR_CODES } from "../../src/domain/errors.js";
import { type Example, examplesOf, readDocument, shapeDifferences, tableUnder } from "../support/document-examples.js";
import { DevProcess, lode, lodeJson } from "../support/lode-process.js";
import { createShop, type Shop } from "../support/shop-repository.js";

/** Real: every command. The repository stands in for the one that the documents clone, with files of the same names. */

const DOCUMENTS = ["README.md", "docs/cli.md"];
const ROOT = fileURLToPath(new URL("../..", import.meta.url));

describe("examples", () => {
	let folder: string;
	let home: string;
	let shop: Shop;
	let dev: DevProcess;

	beforeAll(async () => {
		folder = await realpath(await mkdtemp(join(tmpdir(), "lode-documents-")));
		home = join(folder, ".lode");
		shop = await createShop();
		await shop.clone({ at: join(folder, "shop") });
		dev = await DevProcess.start(home);
	});
	afterAll(async () => {
		await dev.stop();
		await shop.remove();
		await rm(folder, { recursive: true, force: true, maxRetries: 5 });
	});

	/** What the documents call the commits of their repository, and a time after all of them. */
	function translated({ args }: Example): string[] {
		const [, second, third] = shop.commits;
		const names = new Map([
			["b0b77aa", second.slice(0, 7)],
			["fd7bfac", third.slice(0, 7)],
			["2026-11-21T12:00:00Z", new Date().toISOString()],
		]);
		return args.map((word) => names.get(word) ?? word);
	}

	test.each(DOCUMENTS)("%s: every command works and prints the keys that are shown", async (document) => {
		const examples = examplesOf(await readDocument(document));
		expect(examples.length).toBeGreaterThan(10);
		const problems: string[] = [];
		for (const example of examples) {
			const args = translated(example);
			const where = `${document}:${example.line}: lode ${args.join(" ")}`;
			const { code, stdout, stderr } = await lode(home, args, {}, { cwd: folder });
			if (code !== 0) problems.push(`${where}: exited with ${code}: ${stderr}`);
			if (args.includes("--json") !== (example.json !== undefined)) problems.push(`${where}: shows no JSON`);
			if (code !== 0 || example.json === undefined) continue;
			for (const difference of shapeDifferences(example.json, JSON.parse(stdout)))
				problems.push(`${where}: ${difference}`);
		}
		expect(problems).toEqual([]);
	});

	test("the documented error is what is printed", async () => {
		const documented = /^```json\n(\{"error".*\})\n```$/m.exec(await readDocument("README.md"))?.[1];
		const { code, stdout, stderr } = await lode(home, ["ingest", "shop", "--ref", "v9", "--json"], {}, { cwd: folder });
		const printed = stderr.trimEnd().split("\n").at(-1) ?? "";
		expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
		const { error } = JSON.parse(documented as string) as { error: Record<string, string> };
		expect(JSON.parse(printed)).toEqual({
			error: { ...error, message: error.message?.replace("/srv/shop", join(folder, "shop")) },
		});
	});

	test("remove prints what is documented", async () => {
		const { sources } = await lodeJson<{ sources: { id: string }[] }>(home, ["sources"]);
		const id = sources[0]?.id as string;
		const documented = /^prints `(\{"source".*\})`\.$/m.exec(await readDocument("docs/cli.md"))?.[1];
		expect(await lodeJson(home, ["remove", id])).toEqual(
			JSON.parse((documented as string).replaceAll("shop-66101d4f3727", id)),
		);
	});
});

interface Documented {
	readonly name: string;
	readonly args: string;
	readonly options: readonly string[];
}

/** The commands that do something, as `--help` shows them: words after `lode`, arguments, long options of their own. */
function commandsOf(command: Command, path: readonly string[] = []): Documented[] {
	const inner = command.commands.filter((one) => one.name() !== "help");
	const ofInner = inner.flatMap((one) => commandsOf(one, [...path, one.name()]));
	// One with arguments does something itself, too.
	if (inner.length > 0 && command.registeredArguments.length === 0) return ofInner;
	const args = command.registeredArguments.map((argument) =>
		argument.required ? argument.name().toUpperCase() : `[${argument.name().toUpperCase()}]`,
	);
	return [{ name: path.join(" "), args: args.join(" "), options: longOptions(command) }, ...ofInner];
}

const longOptions = (command: Command): string[] =>
	command
		.createHelp()
		.visibleOptions(command)
		.map((option) => option.long as string)
		.filter((long) => long !== "--help")
		.sort();

describe("reference", () => {
	// Nothing of it is called: the commands are only looked at.
	const { program } = createProgram({ io: { stdout: {}, stderr: {} } } as unknown as CliDependencies, "0");

	test("docs/cli.md has every command with its arguments and options, and no other", async () => {
		const markdown = await readDocument("docs/cli.md");
		const documented = markdown
			.split(/^### /m)
			.slice(1)
			.map((part): Documented => {
				const [heading = "", ...lines] = part.split("\n");
				const [name = "", args = ""] =
					/^lode ([a-z-]+(?: (?:show|get|set|list|parked|replay|create|update|delete|revoke))?) ?(.*)$/
						.exec(heading)
						?.slice(1) ?? [];
				const rows = lines.filter((line) => line.startsWith("| `--"));
				return { name, args, options: rows.map((row) => /^\| `(--[a-z-]+)/.exec(row)?.[1] ?? row).sort() };
			});
		const byName = (a: Documented, b: Documented) => (a.name < b.name ? -1 : 1);
		expect(documented.sort(byName)).toEqual(commandsOf(program).sort(byName));
	});

	test("docs/cli.md has the options of every command", async () => {
		const rows = tableUnder(await readDocument("docs/cli.md"), "option");
		const documented = rows.map(([option]) => /--[a-z-]+/.exec(option ?? "")?.[0]);
		expect(documented.sort()).toEqual(
			["--help", ...longOptions(program).filter((long) => long !== "--version")].sort(),
		);
	});

	test("the README has every setting with its key and its default", async () => {
		const rows = tableUnder(await readDocument("README.md"), "setting");
		const code = (cell: string | undefined) => /^`(.*)`$/.exec(cell ?? "")?.[1];
		expect(rows.map(([name, key]) => [code(name), code(key)])).toEqual(SETTINGS.map(({ name, key }) => [name, key]));
		const { config } = loadConfig({ env: {}, cwd: "/" });
		for (const setting of SETTINGS) {
			const shown = code(rows.find(([name]) => code(name) === setting.name)?.[2]);
			if (shown === undefined) continue;
			const value = String(settingValue(config, setting));
			expect(value, setting.name).toBe(setting.name === "LODE_HOME" ? resolve("/", shown) : shown);
		}
		const fixed = SETTINGS.filter((setting) => settingValue(config, setting) !== undefined).map(({ name }) => name);
		const described = rows.filter(([, , value]) => code(value) !== undefined).map(([name]) => code(name));
		// How many threads depends on the machine.
		expect(described).toEqual(fixed.filter((name) => name !== "LODE_WORKER_THREADS"));
	});

	test("exit codes are those of the errors", async () => {
		const full = tableUnder(await readDocument("docs/cli.md"), "exit");
		const documented = full.map(([exit, meaning, codes]) => ({
			exit: Number(exit),
			meaning,
			codes: [...(codes ?? "").matchAll(/`([A-Z_]+)`/g)].map(([, code]) => code),
		}));
		expect(documented).toEqual(exitCodes());
		expect(documented.flatMap(({ codes }) => codes).sort()).toEqual(Object.keys(ERROR_CODES).sort());
		const short = tableUnder(await readDocument("README.md"), "exit");
		expect(short.map(([exit, meaning]) => [Number(exit), meaning])).toEqual(
			documented.map(({ exit, meaning }) => [exit, meaning]),
		);
	});

	test("links between documents lead somewhere", async () => {
		const documents: string[] = [];
		for await (const document of glob(["*.md", "docs/**/*.md"], { cwd: ROOT })) documents.push(document);
		expect(documents.length).toBeGreaterThan(50);
		const anchors = async (path: string) =>
			(await readDocument(path))
				.split("\n")
				.filter((line) => /^#{1,6} /.test(line))
				.map((line) =>
					line
						.replace(/^#+ /, "")
						.toLowerCase()
						.replace(/[^\p{L}\p{N} -]/gu, "")
						.replaceAll(" ", "-"),
				);
		const broken: string[] = [];
		for (const document of documents) {
			for (const [, link = ""] of (await readDocument(document)).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
				const [path = "", anchor] = link.split("#");
				const target = path === "" ? document : join(dirname(document), path).replaceAll("\\", "/");
				const found = path === "" || (await exists(join(ROOT, target)));
				if (!found || (anchor !== undefined && !(await anchors(target)).includes(anchor)))
					broken.push(`${document}: ${link}`);
			}
		}
		expect(broken).toEqual([]);
	});
});

async function exists(path: string): Promise<boolean> {
	return realpath(path).then(
		() => true,
		() => false,
	);
}
