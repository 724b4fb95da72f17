import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ROOT } from "./deploy-files.js";

interface Instruction {
	readonly name: string;
	readonly text: string;
}

/** The instructions of a Dockerfile by stage, continued lines joined and comments left out. */
function stagesOf(file: string): Instruction[][] {
	const lines = readFileSync(join(ROOT, file), "utf8")
		.split("\n")
		.filter((line) => !line.startsWith("#"))
		.join("\n")
		.replace(/\\\n\s*/g, " ")
		.split("\n")
		.filter((line) => line.trim() !== "");
	const stages: Instruction[][] = [];
	for (const line of lines) {
		const [name = "", ...rest] = line.split(" ");
		if (name === "FROM") stages.push([]);
		stages.at(-1)?.push({ name, text: rest.join(" ") });
	}
	return stages;
}

const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
	dependencies: Record<string, string>;
};

describe("the image", () => {
	const stages = stagesOf("Dockerfile");
	const last = stages.at(-1) ?? [];

	test("runs the Node that the tests run, in every stage", () => {
		for (const [from] of stages) expect(from?.text).toMatch(`node:${manifest.dependencies.node}-bookworm-slim`);
	});

	test("copies files that exist and that .dockerignore lets through", () => {
		const allowed = readFileSync(join(ROOT, ".dockerignore"), "utf8")
			.split("\n")
			.filter((line) => line.startsWith("!"))
			.map((line) => line.slice(1));
		const copies = stages.flat().filter(({ name, text }) => name === "COPY" && !text.startsWith("--from="));
		expect(copies.length).toBeGreaterThan(3);
		for (const { text } of copies) {
			for (const from of text.split(" ").slice(0, -1)) {
				expect([from, existsSync(join(ROOT, from)), allowed.includes(from.replace(/^\.\//, ""))]).toEqual([
					from,
					true,
					true,
				]);
			}
		}
	});

	test("compiles everything that `npm run build` compiles", () => {
		const { compilerOptions } = JSON.parse(readFileSync(join(ROOT, "nest-cli.json"), "utf8")) as {
			compilerOptions: { builder: { options: { filenames: string[] } } };
		};
		const copied = stages[0]?.filter(({ name }) => name === "COPY").flatMap(({ text }) => text.split(" ").slice(0, -1));
		for (const source of compilerOptions.builder.options.filenames) {
			expect(copied?.map((from) => from.replace(/^\.\//, ""))).toContain(source);
		}
	});

	test("ends as a user without rights, and holds no development dependency", () => {
		expect(last.filter(({ name }) => name === "USER").map(({ text }) => text)).toEqual(["node"]);
		const after = last.slice(last.findIndex(({ name }) => name === "USER"));
		expect(after.some(({ name }) => name === "RUN" || name === "COPY")).toBe(false);
		expect(last.filter(({ text }) => text.startsWith("--from=")).map(({ text }) => text)).toEqual([
			"--from=dependencies /app/node_modules ./node_modules",
			"--from=build /app/dist ./dist",
		]);
		expect(stages[1]?.find(({ name }) => name === "RUN")?.text).toContain("npm ci --omit=dev");
	});

	test("starts programs that the build makes", () => {
		const command = last.find(({ name }) => name === "CMD")?.text ?? "";
		expect(JSON.parse(command)).toEqual(["node", "dist/api.js"]);
		expect(existsSync(join(ROOT, "api.ts"))).toBe(true);
		expect(last.map(({ text }) => text).join(" ")).toContain("/app/dist/src/cli/main.js");
		expect(existsSync(join(ROOT, "src/cli/main.ts"))).toBe(true);
	});
});

test("MinIO's image ends as a user without rights too", () => {
	const last = stagesOf("deploy/minio/Dockerfile").at(-1) ?? [];
	expect(last.find(({ name }) => name === "USER")?.text).toBe("minio");
});
