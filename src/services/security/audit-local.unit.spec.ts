import { afterEach, beforeEach, expect, test } from "vitest";
import { LodeError } from "../../domain/errors.js";
import type { EventStore } from "../../stores/events/events.port.js";
import { createSqliteEventStore } from "../../stores/events/sqlite/sqlite-event-store.adapter.js";
import { createAudit } from "./audit.js";
import { auditLocal } from "./audit-local.js";

/** Real: the event store in SQLite. */
let events: EventStore;
beforeEach(() => {
	events = createSqliteEventStore({ path: ":memory:" });
});
afterEach(() => events.close());

const told = async () =>
	(await events.readAll(0, 10)).map(({ data, metadata }) => [data.operation, data.outcome, data.code, metadata.source]);

test("a change of the machine's own user is one event, when it is accepted or why it was not", async () => {
	const audit = auditLocal(createAudit(events, () => undefined));
	const ingested = await audit("ingest", async (tell) => {
		await tell("accepted", { source: "shop-1" });
		// A server that went away is asked again.
		await tell("accepted", { source: "shop-1" });
		expect(await told()).toHaveLength(1);
		return "a report";
	});
	expect(ingested).toBe("a report");
	const stopped = new LodeError("CANCELLED", "stopped waiting");
	const waiting = audit("retry", async (tell) => {
		await tell("accepted", { source: "shop-1" });
		await tell("accepted", { source: "shop-2" });
		throw stopped;
	});
	await expect(waiting).rejects.toBe(stopped);
	const refused = audit("delete-source", async () => {
		throw new LodeError("SOURCE_NOT_FOUND", "there is no source");
	});
	await expect(refused).rejects.toMatchObject({ code: "SOURCE_NOT_FOUND" });
	expect(await told()).toEqual([
		["ingest", "accepted", null, "shop-1"],
		["retry", "accepted", null, "shop-1"],
		["retry", "accepted", null, "shop-2"],
		["delete-source", "refused", "SOURCE_NOT_FOUND", undefined],
	]);
});
