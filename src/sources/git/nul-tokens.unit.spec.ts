import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nulTokens } from "./nul-tokens.js";

async function* chunked(data: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
	let start = 0;
	for (let index = 0; start < data.length; index++) {
		const end = start + (sizes[index % sizes.length] as number);
		yield data.subarray(start, end);
		start = end;
	}
}

async function tokensOf(data: Buffer, sizes: readonly number[], maxBytes?: number): Promise<string[]> {
	const tokens: string[] = [];
	for await (const token of nulTokens(chunked(data, sizes), maxBytes)) tokens.push(token.toString("latin1"));
	return tokens;
}

describe("tokens between NUL bytes", () => {
	it("are the same however the stream is cut", async () => {
		const token = fc.string({ maxLength: 12 }).map((text) => text.replaceAll("\0", ""));
		await fc.assert(
			fc.asyncProperty(
				fc.array(token, { maxLength: 20 }),
				fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
				async (tokens, sizes) => {
					const data = Buffer.from(tokens.map((text) => `${text}\0`).join(""), "utf8");
					const expected = tokens.map((text) => Buffer.from(text, "utf8").toString("latin1"));
					expect(await tokensOf(data, sizes)).toEqual(expected);
				},
			),
		);
	});

	it("are cut where they would outgrow memory", async () => {
		const data = Buffer.from(`${"x".repeat(100)}\0short\0${"y".repeat(11)}`);
		for (const size of [1, 7, 1_000]) {
			expect(await tokensOf(data, [size], 10)).toEqual(["x".repeat(10), "short", "y".repeat(10)]);
		}
	});
});
