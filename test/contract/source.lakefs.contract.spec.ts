import { describe } from "vitest";
import { createLakefsSource } from "../../src/sources/lakefs/lakefs-source.adapter.js";
import type { TestContent } from "../support/git-repository.js";
import { createLakefsRepository } from "../support/lakefs-repository.js";
import { hasServer, useServer } from "../support/servers.js";
import { sourceContract } from "./source.contract.js";

/** An object store knows content only: a link or a mode is a file like any other there. */
function bytesOf(content: TestContent): string | Uint8Array {
	if (typeof content === "string" || content instanceof Uint8Array) return content;
	if ("content" in content) return content.content;
	throw new Error("an object holds bytes and nothing else");
}

// Real: lakeFS, its repositories and its API.
describe.runIf(hasServer("lakefs"))("lakeFS", () => {
	sourceContract("lakefs", async () => {
		const server = await useServer("lakefs");
		const repository = await createLakefsRepository(server);
		let there = true;
		return {
			adapter: createLakefsSource({ ...server, secretAccessKey: { reveal: () => server.secretAccessKey } }),
			target: repository.target,
			capabilities: { log: true, bytePaths: false, modes: false, symlinks: false, keepsPrepared: false, schemed: true },
			async write(files, deletes = []) {
				const named = files.map(([name, content]) => [name as string, bytesOf(content)] as const);
				await repository.commit({ files: named, deletes: deletes as string[] });
			},
			async vanish() {
				there = false;
				await repository.vanish();
			},
			async close() {
				if (there) await repository.remove();
			},
		};
	});
});
