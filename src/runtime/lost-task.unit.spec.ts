import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { isLostTask } from "./lost-task.js";

it("knows what the library of this version says when it loses a task", async () => {
	// It comes along with the library, and is no dependency of ours.
	const folder = join(dirname(createRequire(import.meta.url).resolve("@temporalio/worker")), "..", "..", "core-bridge");
	const source = await readFile(
		join(folder, "sdk-core", "crates", "sdk-core", "src", "worker", "workflow", "workflow_stream.rs"),
		"utf8",
	);
	const said = [...source.matchAll(/dbg_panic!\(\s*"([^"{]*)"/g)].map(([, text]) => text as string);
	expect(said.filter(isLostTask)).toHaveLength(1);
	expect(isLostTask("Run missing during completion")).toBe(false);
});
