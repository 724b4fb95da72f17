import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cacheBase } from "../servers/binaries.js";

/** What checks the files under deploy/ and docker-compose.yml. Neither needs a container engine or a cluster. */
export const DEPLOY_TOOLS = ["docker-compose", "kubernetes-validate"] as const;
export type DeployTool = (typeof DEPLOY_TOOLS)[number];

/** Its schemas come with it. */
const KUBERNETES_VALIDATE = "1.37.0";
const validateFolder = (): string => join(cacheBase(), `kubernetes-validate-${KUBERNETES_VALIDATE}`);

const HOW_TO: Readonly<Record<DeployTool, string>> = {
	"docker-compose": "npm run deploy:install (as root), or: apt-get install docker-compose",
	"kubernetes-validate": "npm run deploy:install, where Python 3 with pip is",
};

export function hasTool(tool: DeployTool): boolean {
	if (tool === "kubernetes-validate") return existsSync(join(validateFolder(), "kubernetes_validate"));
	return spawnSync("docker-compose", ["version"]).status === 0;
}

/** For `describe.runIf`: as `hasServer` does, it says what is missing, and fails under LODE_REQUIRE_SERVERS=1. */
export function hasDeployTool(tool: DeployTool): boolean {
	if (hasTool(tool)) return true;
	const message = `${tool} is missing: ${HOW_TO[tool]}`;
	if (process.env.LODE_REQUIRE_SERVERS === "1") throw new Error(message);
	console.warn(`skipping tests: ${message}`);
	return false;
}

export function runTool(
	tool: DeployTool,
	args: readonly string[],
	env: Record<string, string> = {},
): SpawnSyncReturns<string> {
	const [command, before, more] =
		tool === "docker-compose"
			? ["docker-compose", [], {}]
			: ["python3", ["-m", "kubernetes_validate"], { PYTHONPATH: validateFolder() }];
	return spawnSync(command, [...before, ...args], {
		encoding: "utf8",
		env: { ...process.env, ...more, ...env },
	});
}

/** Gets what is missing, as far as it can. Returns what is missing still, with how to get it. */
export function installTools(report: (line: string) => void): string[] {
	for (const tool of DEPLOY_TOOLS) {
		if (hasTool(tool)) continue;
		report(`Installing ${tool} …`);
		if (tool === "docker-compose") installCompose();
		else installValidate();
	}
	return DEPLOY_TOOLS.filter((tool) => !hasTool(tool)).map((tool) => `${tool}: ${HOW_TO[tool]}`);
}

function installCompose(): void {
	if (process.getuid?.() !== 0) return;
	const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
	for (const args of [
		["update", "-q"],
		["install", "-y", "-q", "--no-install-recommends", "docker-compose"],
	]) {
		if (spawnSync("apt-get", args, { stdio: ["ignore", "ignore", "inherit"], env }).status !== 0) return;
	}
}

/** Into an empty folder, then one step to the place. */
function installValidate(): void {
	mkdirSync(cacheBase(), { recursive: true });
	const into = mkdtempSync(join(cacheBase(), "new-"));
	try {
		const args = ["-m", "pip", "install", "-q", "--disable-pip-version-check", "--root-user-action=ignore"];
		const pip = spawnSync("python3", [...args, "--target", into, `kubernetes-validate==${KUBERNETES_VALIDATE}`], {
			stdio: ["ignore", "ignore", "inherit"],
		});
		if (pip.status !== 0) return;
		rmSync(validateFolder(), { recursive: true, force: true });
		renameSync(into, validateFolder());
	} finally {
		rmSync(into, { recursive: true, force: true });
	}
}
