import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chooseProvider, createProvider, providerForModel } from "../../src/embeddings/choose-provider.js";
import { isLocalModelPresent } from "../../src/embeddings/local/local-model-files.js";
import { createLocalProvider } from "../../src/embeddings/local/local-provider.js";
import { writeTinyModel } from "../support/tiny-onnx-model.js";

/** Real: Transformers.js, ONNX Runtime, and a tiny model with random weights that is made here. */
describe("a local model", () => {
	let home: string;
	const model = "tests/tiny";
	beforeAll(async () => {
		home = await mkdtemp(join(tmpdir(), "lode-local-"));
		await writeTinyModel(join(home, "models", "tests", "tiny"));
	});
	afterAll(async () => {
		await rm(home, { recursive: true, force: true });
	});

	it("is loaded from the home without a network and gives unit vectors that depend on the text alone", async () => {
		const provider = createLocalProvider({ home, model, download: false });
		try {
			expect(await provider.model()).toEqual({ id: "local/tests/tiny-16", dimensions: 16 });
			const [hello, long, empty] = await provider.embed(["hello world", `hello ${"graph lake ".repeat(50)}`, ""]);
			expect(hello).toHaveLength(16);
			for (const vector of [hello, long, empty]) {
				expect(vector?.reduce((sum, x) => sum + x * x, 0)).toBeCloseTo(1, 5);
			}
			expect(long).not.toEqual(hello);
			expect((await provider.embed(["hello world"]))[0]).toEqual(hello);
			// Mean pooling: the order of known words does not matter.
			const [turned] = await provider.embed(["world hello"]);
			for (const [at, x] of (turned as Float32Array).entries()) expect(x).toBeCloseTo(hello?.[at] as number, 5);
		} finally {
			await provider.close();
		}
	});

	it("is loaded from a folder of the user's", async () => {
		const provider = createLocalProvider({ home: tmpdir(), model: join(home, "models", "tests", "tiny") });
		expect(await provider.model()).toEqual({ id: "local/tiny-16", dimensions: 16 });
		await provider.close();
	});

	it("is chosen where it is there and nothing else is asked for", () => {
		expect(isLocalModelPresent({ home, model })).toBe(true);
		expect(isLocalModelPresent({ home, model: "tests/other" })).toBe(false);
		expect(chooseProvider({ home, model })).toBe("local");
		expect(chooseProvider({ home })).toBe("lexical");
		expect(chooseProvider({ home, model, baseUrl: "http://127.0.0.1:1" })).toBe("openai");
		expect(chooseProvider({ home, model, provider: "lexical" })).toBe("lexical");
		expect(providerForModel({ home, model }, "local/tests/tiny-16")?.name).toBe("local");
		expect(providerForModel({ home, model }, "local/tests/other-16")).toBeUndefined();
		expect(providerForModel({ home, model }, "lexical-v1-384")?.name).toBe("lexical");
		expect(createProvider({ home, model }).name).toBe("local");
	});

	it("says what is missing and what to do", async () => {
		const missing = createLocalProvider({ home, model: "tests/other", download: false });
		await expect(missing.model()).rejects.toMatchObject({
			code: "EMBEDDING_FAILED",
			message: expect.stringContaining("tests/other"),
			next: expect.stringContaining("LODE_EMBEDDING_MODEL"),
		});
		await writeTinyModel(join(home, "broken"));
		await writeFile(join(home, "broken", "onnx", "model.onnx"), "not a model");
		const broken = createLocalProvider({ home, model: join(home, "broken") });
		await expect(broken.model()).rejects.toMatchObject({ code: "EMBEDDING_FAILED" });
		for (const bad of ["../../etc", "a/b/c", "https://example.com/x", ""]) {
			await expect(createLocalProvider({ home, model: bad, download: false }).model()).rejects.toMatchObject({
				code: expect.stringMatching(/CONFIG_INVALID|EMBEDDING_FAILED/),
			});
		}
	});
});
