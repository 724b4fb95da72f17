import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sha256 } from "../../domain/digest.js";
import { createLexicalProvider, LEXICAL_MODEL } from "./lexical-provider.js";

const provider = createLexicalProvider();
const embed = async (text: string): Promise<Float32Array> => (await provider.embed([text]))[0] as Float32Array;
const similarity = async (a: string, b: string): Promise<number> => {
	const [left, right] = [await embed(a), await embed(b)];
	return left.reduce((sum, x, at) => sum + x * (right[at] as number), 0);
};

describe("the lexical embedding", () => {
	it("is the same for ever and everywhere: another digest needs another model id", async () => {
		expect(await provider.model()).toEqual(LEXICAL_MODEL);
		const texts = [
			"",
			"class HTTPServer2 extends base_server { readTimeout = 5_000 }",
			"Naïve café — 東京 \u{1f600}\r\n\tconnections, connected; CONNECT",
			"the quick brown fox ".repeat(400),
		];
		const bytes = Buffer.concat((await provider.embed(texts)).map((vector) => Buffer.from(vector.buffer)));
		expect(sha256(bytes)).toBe("85c187e53a324903e2d3e7af4427ca0c3ec84f14981f07b337ccff54b8e9877b");
	});

	it("gives unit vectors of finite numbers for any text, alone or in a batch", async () => {
		await fc.assert(
			fc.asyncProperty(fc.string({ unit: "binary", maxLength: 300 }), fc.string(), async (text, other) => {
				const vector = await embed(text);
				expect(vector).toHaveLength(384);
				expect(vector.reduce((sum, x) => sum + x * x, 0)).toBeCloseTo(1, 5);
				expect((await provider.embed([other, text]))[1]).toEqual(vector);
			}),
		);
	});

	it("sees the parts of identifiers, word forms and shared beginnings", async () => {
		const unrelated = await similarity("parse the configuration file", "render colourful widgets quickly");
		for (const [a, b] of [
			["readTimeout", "read_timeout"],
			["readTimeout", "read timeout"],
			["HTTPServer", "http server"],
			["connections", "connection"],
			["connected", "connecting"],
			["http2", "http 2"],
		] as const) {
			expect(await similarity(a, b), `${a} ~ ${b}`).toBeGreaterThan(Math.abs(unrelated) + 0.25);
		}
		expect(await similarity("serialise", "serialisation")).toBeGreaterThan(0.1);
	});

	it("lets telling words outweigh common ones", async () => {
		const query = "how does the client handle redirects";
		const telling = await similarity(query, "redirects are followed by the client");
		const common = await similarity(query, "how does the and of it with this that for");
		expect(telling).toBeGreaterThan(common + 0.2);
	});

	it("takes hostile texts in its stride", async () => {
		for (const text of [
			"a".repeat(1 << 20),
			"aB".repeat(1 << 19),
			"_".repeat(1 << 20),
			"\0".repeat(1 << 20),
			"x y ".repeat(1 << 18),
		]) {
			expect((await embed(text)).every(Number.isFinite)).toBe(true);
		}
		const distinct = Array.from({ length: 20_000 }, (_, n) => `word${n.toString(36)}`).join(" ");
		expect((await embed(distinct)).every(Number.isFinite)).toBe(true);
	});

	it("stops between batches when asked to", async () => {
		const reason = new Error("stopped");
		await expect(provider.embed(["a"], AbortSignal.abort(reason))).rejects.toBe(reason);
	});
});
