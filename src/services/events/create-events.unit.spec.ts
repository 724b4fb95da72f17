import { describe, expect, it, test } from "vitest";
import { createEvents } from "./create-events.js";
import type { ParkedReceipt } from "./parked-receipts.port.js";

const parked = (id: string, day: number, more: Partial<ParkedReceipt> = {}): ParkedReceipt => ({
	id,
	sender: "github",
	event: "push",
	repository: ["https://git.example/Team/shop.git", "https://git.example/Team/shop"],
	receivedAt: "2026-01-01T00:00:00.000Z",
	parkedAt: `2026-01-0${day}T12:00:00.000Z`,
	reason: "no source",
	...more,
});

/** A ledger in memory; what waits again is parked once more at once where it is `hopeless`. */
function events({ gateway, hopeless = [] }: { gateway?: number; hopeless?: readonly string[] } = {}) {
	let all = [
		parked("rcp-1", 1),
		parked("rcp-2", 2, { repository: ["lakefs://lake"], branch: "main", commit: "1a2b3c4" }),
		parked("rcp-3", 3),
	];
	const asked: (readonly string[])[] = [];
	const lode = createEvents({
		read: async () => ({ parked: all, waiting: 4, bytes: 500 }),
		gateway: async () => gateway,
		replay: async (ids) => {
			asked.push(ids);
			const again = all.filter(({ id }) => hopeless.includes(id)).map((one) => ({ ...one, parkedAt: "2026-01-09" }));
			all = [...all.filter(({ id }) => !ids.includes(id)), ...again];
			return { by: gateway === undefined ? "us" : "gateway" };
		},
	});
	return { lode, asked };
}

describe("parked webhooks", () => {
	it("are listed with null for what their sender did not say", async () => {
		const { parked: found, ...rest } = await events().lode.parked({});
		expect(rest).toEqual({ waiting: 4, bytes: 500 });
		expect(found.map(({ id }) => id)).toEqual(["rcp-1", "rcp-2", "rcp-3"]);
		expect(found.slice(0, 2)).toMatchObject([
			{ branch: null, commit: null },
			{ branch: "main", commit: "1a2b3c4" },
		]);
	});

	test.each([
		["2026-01-02", ["rcp-2", "rcp-3"]],
		["2026-01-02T12:00:00Z", ["rcp-2", "rcp-3"]],
		["2026-01-02T12:00:01Z", ["rcp-3"]],
	])("since %s", async (since, ids) => {
		expect((await events().lode.parked({ since })).parked.map(({ id }) => id)).toEqual(ids);
	});
});

describe("a replay", () => {
	test.each([
		[{ all: true }, ["rcp-1", "rcp-2", "rcp-3"]],
		[{ ids: ["rcp-3", "rcp-1"] }, ["rcp-1", "rcp-3"]],
		[{ repository: "TEAM/shop" }, ["rcp-1", "rcp-3"]],
		[{ repository: "lakefs://" }, ["rcp-2"]],
		[{ since: "2026-01-02" }, ["rcp-2", "rcp-3"]],
		[{ since: "2026-01-02", repository: "git.example" }, ["rcp-3"]],
		[{ ids: ["rcp-1", "rcp-2"], repository: "git.example" }, ["rcp-1"]],
	])("of %j", async (selection, ids) => {
		const { lode, asked } = events();
		expect(await lode.replay({ ids: [], ...selection })).toEqual({ replayed: ids, gateway: false });
		expect(asked).toEqual([ids]);
	});

	test.each([
		[{ ids: [] }, "USAGE"],
		[{ ids: [], all: false }, "USAGE"],
		[{ ids: ["rcp-1"], all: true }, "USAGE"],
		[{ ids: [], all: true, repository: "shop" }, "USAGE"],
		[{ ids: [], since: "yesterday" }, "USAGE"],
		[{ ids: ["rcp-1", "rcp-7"] }, "RECEIPT_NOT_FOUND"],
	])("of %j does nothing and fails", async (selection, code) => {
		const { lode, asked } = events();
		await expect(lode.replay(selection)).rejects.toMatchObject({ code, next: expect.anything() });
		expect(asked).toEqual([]);
	});

	it("of nothing touches no ledger and says whether a gateway runs", async () => {
		const { lode, asked } = events({ gateway: 7 });
		expect(await lode.replay({ ids: [], repository: "elsewhere" })).toEqual({ replayed: [], gateway: true });
		expect(asked).toEqual([]);
	});

	it("counts what the gateway has dispatched and parked again already", async () => {
		const { lode } = events({ gateway: 7, hopeless: ["rcp-2"] });
		expect(await lode.replay({ ids: ["rcp-2"] })).toEqual({ replayed: ["rcp-2"], gateway: true });
	});
});
