import { execFile } from "node:child_process";
import { copyFile, glob, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import config from "../vitest.config.js";
import { SECONDS } from "./support/longest-first.js";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** By rule of .dependency-cruiser.cjs: a module, and an import in it that the rule forbids. */
const VIOLATIONS: Record<string, readonly [module: string, specifier: string]> = {
	"no-cycles": ["src/domain/cycle-a.ts", "./cycle-b.js"],
	"no-unresolved": ["src/domain/planted.ts", "./missing.js"],
	"no-dev-dependency": ["src/services/planted.ts", "planted-for-development"],
	"no-undeclared-dependency": ["src/services/planted.ts", "planted-undeclared"],
	"domain-is-pure": ["src/domain/planted.ts", "../config/target.js"],
	"domain-without-io": ["src/domain/planted.ts", "node:fs"],
	"workflows-are-deterministic": ["src/workflows/planted.ts", "../activities/target.js"],
	"workflows-without-platform": ["src/workflows/planted.ts", "node:timers/promises"],
	"mining-is-pure": ["src/mining/planted.ts", "../stores/target.js"],
	"plugins-around-services": ["src/plugins/planted.ts", "../stores/target.js"],
	"stores-to-domain": ["src/stores/graph/planted.ts", "../../services/target.js"],
	"sources-to-domain": ["src/sources/git/planted.ts", "../../stores/target.js"],
	"embeddings-to-domain": ["src/embeddings/planted.ts", "../config/target.js"],
	"config-stands-alone": ["src/config/planted.ts", "../services/target.js"],
	"services-use-ports": ["src/services/planted.ts", "../stores/target.js"],
	"activities-use-ports": ["src/activities/planted.ts", "../stores/target.js"],
	"runtime-runs-processes": ["src/runtime/planted.ts", "../services/target.js"],
	"temporal-stands-alone": ["temporal/server/planted.ts", "../../src/config/target.js"],
	"cli-translates": ["src/cli/planted.ts", "../stores/target.js"],
	"observability-around-ports": ["src/observability/planted.ts", "../stores/target.js"],
	"mcp-translates": ["src/mcp/planted.ts", "../stores/target.js"],
	"webhooks-stand-alone": ["src/webhooks/planted.ts", "../services/target.js"],
	"api-translates": ["src/api/planted.ts", "../stores/target.js"],
	"only-entries-wire": ["src/services/planted.ts", "../wiring.js"],
};
const ENTRIES = ["worker.ts", "api.ts", "gateway.ts"];
const TARGETS = ["activities", "config", "mining", "services", "stores"].map((folder) => `src/${folder}/target.ts`);

interface CruiseOutput {
	readonly summary: {
		readonly violations: readonly { readonly from: string; readonly rule: { readonly name: string } }[];
		readonly ruleSetUsed: { readonly forbidden: readonly { readonly name: string }[] };
	};
}

/** Runs the project's import rules over a project that holds these modules, which import these specifiers. */
async function cruise(modules: Record<string, readonly string[]>): Promise<CruiseOutput["summary"]> {
	const folder = await mkdtemp(join(tmpdir(), "lode-imports-"));
	try {
		for (const file of [".dependency-cruiser.cjs", "tsconfig.json"])
			await copyFile(join(ROOT, file), join(folder, file));
		const devDependencies = { "planted-for-development": "1.0.0" };
		await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module", devDependencies }));
		for (const name of ["planted-for-development", "planted-undeclared"]) {
			await mkdir(join(folder, "node_modules", name), { recursive: true });
			await writeFile(join(folder, "node_modules", name, "package.json"), JSON.stringify({ name, main: "index.js" }));
			await writeFile(join(folder, "node_modules", name, "index.js"), "");
		}
		for (const [module, specifiers] of Object.entries(modules)) {
			await mkdir(dirname(join(folder, module)), { recursive: true });
			const lines = specifiers.map(
				(specifier, at) => `import * as i${at} from "${specifier}";\nconsole.log(i${at});\n`,
			);
			await writeFile(join(folder, module), `${lines.join("")}export const here = "${module}";\n`);
		}
		for (const entry of ENTRIES) await writeFile(join(folder, entry), "");
		const cli = join(ROOT, "node_modules", "dependency-cruiser", "bin", "dependency-cruiser.mjs");
		const args = [cli, "src", "temporal", ...ENTRIES, "--config", ".dependency-cruiser.cjs", "--output-type", "json"];
		const output = await new Promise<string>((resolve, reject) => {
			// It exits with the number of violations.
			execFile(process.execPath, args, { cwd: folder, maxBuffer: 1 << 26 }, (_error, stdout, stderr) =>
				stdout.startsWith("{") ? resolve(stdout) : reject(new Error(stderr)),
			);
		});
		return (JSON.parse(output) as CruiseOutput).summary;
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
}

describe("import rules", () => {
	test("each rule reports a planted violation", async () => {
		const modules: Record<string, string[]> = {
			"src/domain/cycle-b.ts": ["./cycle-a.js"],
			"src/wiring.ts": [],
			"temporal/server/find.ts": [],
		};
		for (const target of TARGETS) modules[target] = [];
		for (const [module, specifier] of Object.values(VIOLATIONS))
			modules[module] = [...(modules[module] ?? []), specifier];
		const { violations, ruleSetUsed } = await cruise(modules);

		expect(ruleSetUsed.forbidden.map(({ name }) => name).sort()).toEqual(Object.keys(VIOLATIONS).sort());
		const reported = violations.map(({ from, rule }) => `${rule.name}: ${from}`);
		for (const [rule, [module]] of Object.entries(VIOLATIONS)) expect(reported).toContain(`${rule}: ${module}`);
	});

	test("what the layers are meant to import is not reported", async () => {
		const { violations } = await cruise({
			"src/domain/target.ts": ["node:crypto"],
			"src/stores/graph/graph.port.ts": ["../../domain/target.js"],
			"src/services/target.ts": ["../domain/target.js", "../stores/graph/graph.port.js"],
			"src/wiring.ts": ["./services/target.js"],
			"src/cli/target.ts": ["../wiring.js", "../services/target.js"],
			"temporal/server/find.ts": ["../../src/domain/target.js", "node:fs"],
		});
		expect(violations).toEqual([]);
	});
});

describe("tests", () => {
	test("every spec belongs to one tier", async () => {
		const specs: string[] = [];
		for await (const file of glob("{src,temporal,test}/**/*.spec.ts", { cwd: ROOT }))
			specs.push(file.replaceAll("\\", "/"));
		const projects = (config.test?.projects ?? []) as { test: { name: string; include: string[] } }[];
		const tiers = new Map(specs.map((spec) => [spec, [] as string[]]));
		for (const { test } of projects) {
			for await (const file of glob(test.include, { cwd: ROOT }))
				tiers.get(file.replaceAll("\\", "/"))?.push(test.name);
		}
		expect(specs.length).toBeGreaterThan(50);
		expect(specs).toEqual(expect.arrayContaining(Object.keys(SECONDS)));
		expect([...tiers].filter(([, names]) => names.length !== 1)).toEqual([]);
	});
});
