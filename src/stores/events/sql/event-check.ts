import type { Kysely } from "kysely";
import type { StoreProblem } from "../../versioned.port.js";
import { type EventRow, FIRST_SEAL, sealOf } from "./event-log.js";
import type { EventTables } from "./event-tables.js";

const PAGE = 1_000;

interface StreamEnd {
	readonly version: number;
	/** The stored seal, and the one that its content gives: they differ where the event was changed. */
	readonly seals: readonly string[];
}

/**
 * Reads the whole log in order and reports every event that is missing, was changed, or stands where it should not. Gives each event
 * to `visit`, so that what it tells can be compared with other tables in the same pass.
 */
export async function checkEvents(
	kysely: Kysely<EventTables>,
	report: (problem: StoreProblem) => void,
	visit: (event: EventRow) => void,
): Promise<void> {
	const ends = new Map<string, StreamEnd>();
	let position = 0;
	for (;;) {
		const rows = await kysely
			.selectFrom("event")
			.selectAll()
			.where("position", ">", position)
			.orderBy("position")
			.limit(PAGE)
			.execute();
		for (const row of rows) {
			if (row.position !== position + 1) {
				report({ record: missing(position + 1, row.position - 1), problem: "missing from the log" });
			}
			position = row.position;
			ends.set(row.stream, checkEvent(row, ends.get(row.stream), report));
			visit(row);
		}
		if (rows.length < PAGE) break;
		await new Promise(setImmediate);
	}
	await checkEnds(kysely, ends, position, report);
}

function missing(from: number, to: number): string {
	return from === to ? `event at position ${from}` : `events at positions ${from} to ${to}`;
}

function checkEvent(row: EventRow, end: StreamEnd | undefined, report: (problem: StoreProblem) => void): StreamEnd {
	const record = `event ${row.version} of stream ${row.stream}`;
	const source = row.source ?? undefined;
	const before = end ?? { version: 0, seals: [FIRST_SEAL] };
	const computed = before.seals.map((seal) => sealOf(seal, row));
	if (row.version !== before.version + 1) {
		// The seal before it is not known here, so its own cannot be judged.
		report({ source, record, problem: `follows version ${before.version}: events between them are missing` });
		return { version: row.version, seals: [row.seal] };
	}
	if (!computed.includes(row.seal)) report({ source, record, problem: "was changed after it was written" });
	return { version: row.version, seals: [row.seal, ...computed] };
}

async function checkEnds(
	kysely: Kysely<EventTables>,
	ends: ReadonlyMap<string, StreamEnd>,
	position: number,
	report: (problem: StoreProblem) => void,
): Promise<void> {
	const streams = await kysely.selectFrom("stream").selectAll().orderBy("name").execute();
	for (const stream of streams) {
		const end = ends.get(stream.name);
		if ((end?.version ?? 0) !== stream.version) {
			report({
				record: `stream ${stream.name}`,
				problem: `should end with version ${stream.version}, but ends with ${end?.version ?? 0}`,
			});
		} else if (end && !end.seals.includes(stream.seal)) {
			report({ record: `stream ${stream.name}`, problem: "does not end with the event that was written last" });
		}
	}
	const known = new Set(streams.map((stream) => stream.name));
	for (const name of ends.keys()) {
		if (!known.has(name)) report({ record: `stream ${name}`, problem: "its row is missing" });
	}

	const logs = await kysely.selectFrom("event_log").selectAll().execute();
	if (logs.length !== 1 || logs[0]?.id !== 1 || logs[0].position !== position) {
		report({ record: "event log", problem: `should end at position ${logs[0]?.position}, but ends at ${position}` });
	}
	for (const { consumer, position: reached } of await kysely.selectFrom("checkpoint").selectAll().execute()) {
		if (reached < 0 || reached > position) {
			report({ record: `checkpoint of ${consumer}`, problem: `position ${reached} is outside of the log` });
		}
	}
}
