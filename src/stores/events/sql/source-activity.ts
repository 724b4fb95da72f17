import { type Kysely, sql } from "kysely";
import type { SourceActivity } from "../events.port.js";
import type { EventTables } from "./event-tables.js";
import { type Projection, project } from "./projection.js";

/** Which column an event counts in, and which one keeps its time. */
const COUNTED: Readonly<
	Record<string, { counts: "receipts" | "published" | "compensated"; time?: "last_receipt_at" | "last_published_at" }>
> = {
	WebhookReceived: { counts: "receipts", time: "last_receipt_at" },
	IngestionPublished: { counts: "published", time: "last_published_at" },
	IngestionReleased: { counts: "compensated" },
};

const NOTHING = { receipts: 0, published: 0, compensated: 0, last_receipt_at: null, last_published_at: null };

const PROJECTION: Projection = {
	consumer: "source-activity",

	async apply(transaction, { type, time, metadata: { source } }) {
		if (source === undefined) return;
		if (type === "SourceRemoved") {
			await transaction.deleteFrom("source_activity").where("source", "=", source).execute();
			return;
		}
		const counted = COUNTED[type];
		if (!counted) return;
		await transaction
			.insertInto("source_activity")
			.values({ source, ...NOTHING })
			.onConflict((conflict) => conflict.column("source").doNothing())
			.execute();
		await transaction
			.updateTable("source_activity")
			.set({
				[counted.counts]: sql`${sql.ref(counted.counts)} + 1`,
				...(counted.time && { [counted.time]: time }),
			})
			.where("source", "=", source)
			.execute();
	},
};

export async function sourceActivity(kysely: Kysely<EventTables>): Promise<SourceActivity[]> {
	await project(kysely, PROJECTION);
	const rows = await kysely.selectFrom("source_activity").selectAll().orderBy("source").execute();
	return rows.map(({ source, receipts, published, compensated, last_receipt_at, last_published_at }) => ({
		source,
		receipts,
		published,
		compensated,
		...(last_receipt_at !== null && { lastReceiptAt: last_receipt_at }),
		...(last_published_at !== null && { lastPublishedAt: last_published_at }),
	}));
}
