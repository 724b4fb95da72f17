import process from "node:process";
import { type GeneratedRepository, generateRepository } from "./generated-repository.js";
import type { RepositoryAnswer, RepositoryRequest } from "./repository-in-process.js";

/** Holds one generated repository for the process that forked this one, and ends with it. */
let generated: GeneratedRepository | undefined;

async function answer(request: RepositoryRequest): Promise<RepositoryAnswer> {
	if (request.type === "generate") {
		generated = await generateRepository(request.files);
		return { type: "generated", path: generated.path };
	}
	if (generated === undefined) throw new Error("no repository was generated yet");
	await generated.edit(request.number, request.word);
	return { type: "edited" };
}

process.on("message", (request: RepositoryRequest) => {
	answer(request).then(
		(said) => process.send?.(said),
		(error: unknown) => process.send?.({ type: "failed", reason: String(error) } satisfies RepositoryAnswer),
	);
});
process.on("disconnect", () => void generated?.repository.remove());
