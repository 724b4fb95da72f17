import { setImmediate as nextTurn } from "node:timers/promises";
import { compareBytes } from "../../../domain/byte-order.js";
import { type JsonObject, type Tally, TallyBuilder } from "../../../domain/digest.js";
import type { Edge, EntityKind, GraphRecord, ProvidedName } from "../../../domain/entities.js";
import type { Seq, Snapshot } from "../../../domain/snapshot.js";
import { wellFormed } from "../../../domain/well-formed.js";
import type { Parameters, SqliteDatabase } from "../../sqlite/sqlite-database.js";
import { snapshotParameters, visible } from "../../sqlite/visibility.js";
import type { OriginTally, StagedTally } from "../../versioned.port.js";
import { type RecordDigest, recordDigests } from "./record-digests.js";

/** A row with all that belongs to it. Texts whose row is missing are empty, so that the digest tells. */
export interface StoredRecord {
	readonly id: number;
	readonly originId: number;
	readonly record: GraphRecord;
	/** The properties as they are stored. */
	readonly propsText: string;
	readonly addedAt: Seq;
	readonly removedAt: Seq | null;
	readonly digest: Uint8Array;
	readonly checksum: Uint8Array;
	/** What `provided` says that the state's key is. */
	readonly providedTargets: readonly string[];
}

interface StateRow {
	id: number;
	origin_id: number;
	source: string | null;
	origin: string | null;
	key: string | null;
	kind: EntityKind;
	name: string;
	props: string;
	added_at: number;
	removed_at: number | null;
	digest: Uint8Array;
	checksum: Uint8Array;
}

/** States read at a time; between two pages others get their turn. */
const PAGE = 1_000;

/** Reads whole records and sums their digests, always from the content. */
export class GraphRecords {
	constructor(private readonly database: SqliteDatabase) {}

	async staged(seq: Seq, source: string, origins: readonly string[] | undefined): Promise<StagedTally> {
		const [added, retired] = [new TallyBuilder(), new TallyBuilder()];
		const add = ({ digest, addedAt }: RecordDigest) => {
			(addedAt === seq ? added : retired).add(digest);
		};
		const parameters = { seq, source: wellFormed(source) };
		if (origins === undefined) {
			const ofSource =
				"CROSS JOIN origin o ON o.id = s.origin AND o.source = (SELECT id FROM source WHERE name = :source)";
			for (const when of ["s.added_at = :seq", "s.removed_at = :seq AND s.added_at <> :seq"]) {
				const page = `SELECT s.id FROM state s ${ofSource} WHERE ${when} AND s.id > :after ORDER BY s.id LIMIT ${PAGE}`;
				for (let after: number | undefined = Number.MIN_SAFE_INTEGER; after !== undefined; await nextTurn()) {
					const ids = this.#ids(page, { ...parameters, after });
					for (const stored of recordDigests(this.database, ids)) add(stored);
					after = ids.length < PAGE ? undefined : ids.at(-1);
				}
			}
		} else {
			const ids = this.#ids(
				`SELECT s.id FROM json_each(:origins) wanted
				CROSS JOIN origin o ON o.name = wanted.value AND o.source = (SELECT id FROM source WHERE name = :source)
				CROSS JOIN state s ON s.origin = o.id
				WHERE s.added_at = :seq OR s.removed_at = :seq ORDER BY s.id`,
				{ ...parameters, origins: JSON.stringify([...new Set(origins.map(wellFormed))]) },
			);
			await this.#forEachDigest(ids, add);
		}
		return { added: added.build(), retired: retired.build() };
	}

	async tally(snapshot: Snapshot, source: string): Promise<Tally> {
		const whole = new TallyBuilder();
		for (let after: string | undefined; ; ) {
			const tallies = await this.tallies(snapshot, source, after, PAGE);
			for (const { tally } of tallies) whole.merge(tally);
			after = tallies.at(-1)?.origin;
			if (after === undefined) return whole.build();
		}
	}

	async tallies(snapshot: Snapshot, source: string, after: string | undefined, limit: number): Promise<OriginTally[]> {
		const origins = this.database
			.prepare(
				`SELECT o.id, o.name FROM origin o
				WHERE o.source = (SELECT id FROM source WHERE name = :source) ${after === undefined ? "" : "AND o.name > :after"}
				AND EXISTS (SELECT 1 FROM state s WHERE s.origin = o.id AND ${visible("s", snapshot)})
				ORDER BY o.name LIMIT :limit`,
			)
			.all<{ id: number; name: string }>({
				...snapshotParameters(snapshot),
				source: wellFormed(source),
				limit,
				...(after === undefined ? {} : { after: wellFormed(after) }),
			});
		const tallies = new Map(origins.map(({ id }) => [id, new TallyBuilder()]));
		const ids = this.#ids(
			`SELECT s.id FROM json_each(:origins) wanted CROSS JOIN state s ON s.origin = wanted.value
			WHERE ${visible("s", snapshot)}`,
			{ ...snapshotParameters(snapshot), origins: JSON.stringify(origins.map(({ id }) => id)) },
		);
		await this.#forEachDigest(ids, ({ originId, digest }) => {
			tallies.get(originId)?.add(digest);
		});
		return origins.map(({ id, name }) => ({ origin: name, tally: (tallies.get(id) as TallyBuilder).build() }));
	}

	async records(snapshot: Snapshot, source: string, origin: string): Promise<GraphRecord[]> {
		const records: GraphRecord[] = [];
		const ids = this.#ids(
			`SELECT s.id FROM source c JOIN origin o ON o.source = c.id JOIN state s ON s.origin = o.id
			WHERE c.name = :source AND o.name = :origin AND ${visible("s", snapshot)}`,
			{ ...snapshotParameters(snapshot), source: wellFormed(source), origin: wellFormed(origin) },
		);
		for (let at = 0; at < ids.length; at += PAGE) {
			if (at > 0) await nextTurn();
			for (const { record } of this.load(ids.slice(at, at + PAGE))) records.push(record);
		}
		return records.sort((a, b) => compareBytes(a.key, b.key));
	}

	/**
	 * Reads records page by page. What a snapshot shows never changes, so pages need no common transaction; rows that were
	 * deleted meanwhile are left out.
	 */
	async #forEachDigest(ids: readonly number[], visit: (stored: RecordDigest) => void): Promise<void> {
		for (let at = 0; at < ids.length; at += PAGE) {
			if (at > 0) await nextTurn();
			for (const stored of recordDigests(this.database, ids.slice(at, at + PAGE))) visit(stored);
		}
	}

	load(ids: readonly number[]): StoredRecord[] {
		const { database } = this;
		return database.read(() => {
			const wanted = { ids: JSON.stringify(ids) };
			const edges = groupByState(
				database
					.prepare(
						`SELECT e.state, e.kind, coalesce(t.text, '') AS "to" FROM json_each(:ids) wanted
						CROSS JOIN edge e ON e.state = wanted.value LEFT JOIN term t ON t.id = e.target`,
					)
					.all<{ state: number } & Edge>(wanted),
			);
			const provided = groupByState(
				database
					.prepare(
						`SELECT p.state, p.rank, p.target, coalesce(t.text, '') AS name FROM json_each(:ids) wanted
						CROSS JOIN provided p ON p.state = wanted.value LEFT JOIN term t ON t.id = p.name`,
					)
					.all<{ state: number; target: string } & ProvidedName>(wanted),
			);
			return database
				.prepare(
					`SELECT s.id, s.origin AS origin_id, c.name AS source, o.name AS origin, k.text AS key, s.kind, s.name, s.props,
						s.added_at, s.removed_at, s.digest, s.checksum
					FROM json_each(:ids) wanted CROSS JOIN state s ON s.id = wanted.value
					LEFT JOIN origin o ON o.id = s.origin LEFT JOIN source c ON c.id = o.source LEFT JOIN term k ON k.id = s.key`,
				)
				.all<StateRow>(wanted)
				.map((row) => toStored(row, edges.get(row.id) ?? [], provided.get(row.id) ?? []));
		});
	}

	#ids(sql: string, parameters: Parameters): number[] {
		return this.database
			.prepare(sql)
			.all<{ id: number }>(parameters)
			.map((row) => row.id);
	}
}

function groupByState<Row extends { state: number }>(rows: readonly Row[]): Map<number, Row[]> {
	const groups = new Map<number, Row[]>();
	for (const row of rows) {
		const group = groups.get(row.state);
		if (group) group.push(row);
		else groups.set(row.state, [row]);
	}
	return groups;
}

function toStored(
	row: StateRow,
	edges: readonly Edge[],
	provided: readonly (ProvidedName & { target: string })[],
): StoredRecord {
	return {
		id: row.id,
		originId: row.origin_id,
		record: {
			source: row.source ?? "",
			origin: row.origin ?? "",
			key: row.key ?? "",
			kind: row.kind,
			name: row.name,
			props: readProps(row.props),
			edges: edges
				.map(({ kind, to }) => ({ kind, to }))
				.sort((a, b) => compareBytes(a.kind, b.kind) || compareBytes(a.to, b.to)),
			provides: provided
				.map(({ name, rank }) => ({ name, rank }))
				.sort((a, b) => a.rank - b.rank || compareBytes(a.name, b.name)),
		},
		propsText: row.props,
		addedAt: row.added_at,
		removedAt: row.removed_at,
		digest: row.digest,
		checksum: row.checksum,
		providedTargets: provided.map(({ target }) => target),
	};
}

/** Damaged text must change the digest and never stop a verification half-way. */
function readProps(text: string): JsonObject {
	try {
		return JSON.parse(text) as JsonObject;
	} catch {
		return { damaged: text };
	}
}
