import { expect, test } from "vitest";
import { clientModule } from "./client-module.js";
import { readFoundIds } from "./found-ids.js";

const { SearchReply } = await clientModule<{
	SearchReply: { fromPartial(partial: object): object; encode(message: object): { finish(): Uint8Array } };
}>("./proto/v1/search_get.js");
const written = (reply: object) => Buffer.from(SearchReply.encode(SearchReply.fromPartial(reply)).finish());
const ids = Array.from({ length: 3 }, (_, n) => `${n}9b8f7e6-0000-8000-8000-000000000000`) as [string, string, string];

test("ids and distances are read as the client's own messages hold them, whatever stands beside them", () => {
	const [first, second, third] = ids;
	const reply = written({
		took: 0.25,
		results: [
			{
				properties: { nonRefProps: { fields: { content: { textValue: "x".repeat(300) } } }, targetCollection: "C" },
				metadata: { id: first, distance: -0.75, distancePresent: true, idAsBytes: new Uint8Array(16) },
			},
			// As long as a length of three bytes has to be, with numbers and bytes of every kind.
			{
				metadata: {
					...{ id: second, distance: 0, score: 1.5, rerankScore: 0.1, creationTimeUnix: 1e12 },
					...{ explainScore: "é".repeat(20_000), vector: [1, 2, 3], isConsistent: true },
				},
			},
			{ metadata: { id: third, distance: 2 } },
		],
		queryProfile: { shards: [] },
	});
	expect(readFoundIds(reply)).toEqual([
		{ uuid: first, distance: -0.75 },
		{ uuid: second, distance: 0 },
		{ uuid: third, distance: 2 },
	]);
});

test("an answer without results has none, and one that was cut off is an error", () => {
	expect(readFoundIds(written({ took: 1 }))).toEqual([]);
	expect(readFoundIds(Buffer.alloc(0))).toEqual([]);
	const reply = written({ results: [{ metadata: { id: ids[0], distance: 1 } }] });
	expect(() => readFoundIds(reply.subarray(0, reply.length - 3))).toThrow(RangeError);
});
