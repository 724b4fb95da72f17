import { LodeError } from "../../../domain/errors.js";
import type { Snapshot } from "../../../domain/snapshot.js";
import { unindexed } from "../../sqlite/unindexed.js";
import type { Head, Ingestion, SnapshotSelector, StoreTotals } from "../catalog.port.js";
import type { CatalogReader } from "./catalog-tables.js";
import { latestSnapshotRow } from "./ingestion-rows.js";
import { type IngestionRow, parseJson, type SnapshotRow, toIngestion, toSnapshot } from "./rows.js";

const MIN_PREFIX = 7;
const SEE_STATUS = "See `lode status` for what was published.";

export async function findSnapshot(
	kysely: CatalogReader,
	selector: SnapshotSelector,
	sources: readonly string[] | undefined,
): Promise<Snapshot> {
	const latest = await latestSnapshotRow(kysely);
	if (!latest) {
		throw new LodeError("NOTHING_PUBLISHED", "Nothing has been published yet", { next: "Run `lode ingest` first." });
	}
	const snapshot = toSnapshot(selector.by === "latest" ? latest : await select(kysely, selector));
	let horizons = kysely.selectFrom("horizon").selectAll().where("number", ">", snapshot.number);
	if (sources) {
		if (sources.length === 0) return snapshot;
		horizons = horizons.where("source", "in", sources);
	}
	const expired = await horizons.orderBy("number", "desc").limit(1).executeTakeFirst();
	if (expired) {
		throw new LodeError(
			"SNAPSHOT_EXPIRED",
			`Snapshot ${snapshot.number} is older than what is kept of ${expired.source}: from ${expired.number} on`,
			{ next: "Ask about a later snapshot, or raise the retention of its groups for the future." },
		);
	}
	return snapshot;
}

async function select(
	kysely: CatalogReader,
	selector: Exclude<SnapshotSelector, { by: "latest" }>,
): Promise<SnapshotRow> {
	switch (selector.by) {
		case "number": {
			const row = await kysely
				.selectFrom("snapshot")
				.selectAll()
				.where("number", "=", selector.number)
				.executeTakeFirst();
			return row ?? notFound(`There is no snapshot ${selector.number}`);
		}
		case "time": {
			const time = Date.parse(selector.time);
			if (Number.isNaN(time))
				throw new LodeError("USAGE", `Not a time: ${selector.time}`, { next: "Give it as ISO 8601." });
			const row = await kysely
				.selectFrom("snapshot")
				.selectAll()
				.where("published_at", "<=", new Date(time).toISOString())
				// The order of numbers, and the one that the condition's index has.
				.orderBy("published_at", "desc")
				.limit(1)
				.executeTakeFirst();
			return row ?? notFound(`Nothing was published at ${selector.time} or before`);
		}
		case "commit":
			return byCommit(kysely, selector.commit, selector.source);
	}
}

async function byCommit(kysely: CatalogReader, commit: string, source: string | undefined): Promise<SnapshotRow> {
	const published = () => {
		const query = kysely.selectFrom("ingestion").where("status", "=", "published");
		return source === undefined ? query : query.where(unindexed("source"), "=", source);
	};
	const exact = await published().select("commit_id").where("commit_id", "=", commit).limit(1).execute();
	const matches =
		exact.length > 0 || commit.length < MIN_PREFIX
			? exact
			: await published()
					.select("commit_id")
					.distinct()
					.where("commit_id", ">=", commit)
					// The highest code point there is: after everything that begins with the prefix.
					.where("commit_id", "<", `${commit}\u{10ffff}`)
					.orderBy("commit_id")
					.limit(2)
					.execute();
	const [match, another] = matches;
	if (!match) return notFound(`Commit ${commit} was not published${source === undefined ? "" : ` of ${source}`}`);
	if (another) return notFound(`Several published commits begin with ${commit}`);
	const row = await published()
		.innerJoin("snapshot", "snapshot.number", "ingestion.snapshot")
		.selectAll("snapshot")
		.where("commit_id", "=", match.commit_id)
		.orderBy("snapshot.number", "desc")
		.limit(1)
		.executeTakeFirst();
	return row ?? notFound(`The snapshot of commit ${commit} is missing`);
}

function notFound(message: string): never {
	throw new LodeError("SNAPSHOT_NOT_FOUND", message, { next: SEE_STATUS });
}

export async function snapshotsOf(
	kysely: CatalogReader,
	source: string,
	limit: number,
): Promise<{ snapshot: Snapshot; ingestion: Ingestion }[]> {
	const ingestions = await kysely
		.selectFrom("ingestion")
		.selectAll()
		.where("source", "=", source)
		.where("status", "=", "published")
		.orderBy("seq", "desc")
		.limit(limit)
		.execute();
	const found: { snapshot: Snapshot; ingestion: Ingestion }[] = [];
	for (const row of ingestions) {
		const snapshot = await kysely
			.selectFrom("snapshot")
			.selectAll()
			.where("number", "=", row.snapshot)
			.executeTakeFirst();
		if (snapshot) found.push({ snapshot: toSnapshot(snapshot), ingestion: toIngestion(row) });
	}
	return found;
}

export async function headIn(kysely: CatalogReader, snapshot: Snapshot, source: string): Promise<Head | undefined> {
	let query = kysely
		.selectFrom("ingestion")
		.selectAll()
		.where("source", "=", source)
		.where("status", "=", "published")
		.where("seq", "<=", snapshot.seq);
	if (snapshot.excluding.length > 0) query = query.where("seq", "not in", snapshot.excluding);
	const row = await query.orderBy("seq", "desc").limit(1).executeTakeFirst();
	return row && toHead(row);
}

/** So many are named in one statement. */
const SOURCES_A_STATEMENT = 500;

/** Of sources that are there: the last seq of each is found in the index, however many ingestions it has. */
export async function headsIn(
	kysely: CatalogReader,
	{ seq, excluding }: Snapshot,
	sources: readonly string[],
): Promise<Map<string, Head>> {
	const heads = new Map<string, Head>();
	for (let at = 0; at < sources.length; at += SOURCES_A_STATEMENT) {
		const rows = await kysely
			.selectFrom("source")
			.innerJoin("ingestion", (join) =>
				join.on("ingestion.seq", "=", (eb) => {
					const last = eb
						.selectFrom("ingestion as one")
						.select(({ fn }) => fn.max("one.seq").as("seq"))
						.whereRef("one.source", "=", "source.id")
						.where("one.status", "=", "published")
						.where("one.seq", "<=", seq);
					return excluding.length > 0 ? last.where("one.seq", "not in", excluding) : last;
				}),
			)
			.selectAll("ingestion")
			.where("source.id", "in", sources.slice(at, at + SOURCES_A_STATEMENT))
			.execute();
		for (const row of rows) heads.set(row.source, toHead(row));
	}
	return heads;
}

function toHead(row: IngestionRow): Head {
	return {
		source: row.source,
		commit: row.commit_id,
		ingestion: row.id,
		seq: row.seq,
		snapshot: row.snapshot ?? 0,
		totals: parseJson<StoreTotals>(row.totals ?? "", `ingestion ${row.id}`),
	};
}
